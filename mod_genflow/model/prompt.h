/* SPDX-License-Identifier: Apache-2.0 */
/* Composes the text that a provider gets from what a preset says, what the user says, and the words
 * by which a client describes the picture it wants. Pure: the same wish is the same text. Any
 * thread. */
#ifndef GF_PROMPT_H
#define GF_PROMPT_H

#include <apr_pools.h>

/* A word of the API and what it adds to a prompt; "" adds nothing. */
typedef struct gf_prompt_word_t {
    const char *word;
    const char *says;
} gf_prompt_word_t;

/* What `style`, `quality` and `aspectRatio` may be; a NULL word ends each. */
extern const gf_prompt_word_t gf_prompt_styles[];
extern const gf_prompt_word_t gf_prompt_qualities[];
extern const gf_prompt_word_t gf_prompt_ratios[];

/* The row of that word; NULL: there is none. */
const gf_prompt_word_t *gf_prompt_word(const gf_prompt_word_t *rows, const char *word);

/* What a picture is wished to be; NULL and 0: nothing is said about it. */
typedef struct gf_wish_t {
    const char *preset; /* what the preset says */
    const char *custom; /* what the user says */
    const gf_prompt_word_t *style;
    const gf_prompt_word_t *quality;
    const gf_prompt_word_t *ratio;
    int product_images; /* so many pictures show the products */
    int model_images;   /* so many pictures show who presents them */
} gf_wish_t;

/* The prompt, in `pool`: preset, products, who presents them, the user's words, style, quality,
 * frame, with commas between; "" where nothing is said. */
const char *gf_prompt_compose(const gf_wish_t *wish, apr_pool_t *pool);

#endif

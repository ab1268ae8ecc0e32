/* SPDX-License-Identifier: Apache-2.0 */
/* Composes the prompt for a provider from the preset's words, the user's words, and the words of
 * `style`, `quality` and `aspectRatio`. Pure: the same wish is the same text. Any thread. */
#ifndef GF_PROMPT_H
#define GF_PROMPT_H

#include <apr_pools.h>

/* A word of the API and its addition to a prompt; "" adds nothing. */
typedef struct gf_prompt_word_t {
    const char *word; /* NULL ends a list */
    const char *says;
} gf_prompt_word_t;

/* The words of `style`, `quality` and `aspectRatio`, constant. docs/openapi.yaml has them, too. The
 * readers of bodies use such lists for every field that takes one of several words. */
extern const gf_prompt_word_t gf_prompt_styles[];
extern const gf_prompt_word_t gf_prompt_qualities[];
extern const gf_prompt_word_t gf_prompt_ratios[];

/* The row of that word, in its very spelling; NULL: there is none. */
const gf_prompt_word_t *gf_prompt_word(const gf_prompt_word_t *rows, const char *word);

/* The description of a picture; NULL and 0: not given. Its texts are checked before, and read only
 * while gf_prompt_compose() runs. */
typedef struct gf_wish_t {
    const char *preset; /* the preset's words */
    const char *custom; /* the user's words */
    const gf_prompt_word_t *style;
    const gf_prompt_word_t *quality;
    const gf_prompt_word_t *ratio;
    int product_images; /* number of pictures that show the products */
    int model_images;   /* number of pictures that show the presenter */
} gf_wish_t;

/* The prompt, in `pool`: preset, products, presenter, the user's words, style, quality, frame, with
 * commas between; "" if all are empty. */
const char *gf_prompt_compose(const gf_wish_t *wish, apr_pool_t *pool);

#endif

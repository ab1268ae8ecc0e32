/* SPDX-License-Identifier: Apache-2.0 */
/* Composes prompts. Leaves checking what the client sent to model/param.c. No I/O; any thread. */
#include "model/prompt.h"

#include <string.h>

#include <apr_strings.h>

const gf_prompt_word_t gf_prompt_styles[] = {
    { "realistic", "photorealistic, natural light, true-to-life colours and materials" },
    { "artistic", "artistic interpretation, expressive light and colour, painterly texture" },
    { "minimal", "minimalist composition, plain background, few elements, generous empty space" },
    { NULL, NULL }
};

/* auto leaves it to the provider; low adds nothing to the prompt either. */
const gf_prompt_word_t gf_prompt_qualities[] = {
    { "auto", "" },
    { "high", "intricate detail, sharp focus, high resolution" },
    { "medium", "clean detail" },
    { "low", "" },
    { NULL, NULL }
};

const gf_prompt_word_t gf_prompt_ratios[] = {
    { "1:1", "square composition" },       { "16:9", "wide 16:9 composition" },
    { "9:16", "tall 9:16 composition" },   { "3:2", "landscape 3:2 composition" },
    { "2:3", "portrait 2:3 composition" }, { "4:3", "landscape 4:3 composition" },
    { "3:4", "portrait 3:4 composition" }, { NULL, NULL }
};

const gf_prompt_word_t *gf_prompt_word(const gf_prompt_word_t *rows, const char *word)
{
    while (rows->word && strcmp(rows->word, word) != 0) {
        rows++;
    }
    return rows->word ? rows : NULL;
}

/* The words for a number of pictures; NULL: for none. */
static const char *of_pictures(int count, const char *one, const char *several, apr_pool_t *pool)
{
    return count <= 0 ? NULL : count == 1 ? one : apr_psprintf(pool, several, count);
}

const char *gf_prompt_compose(const gf_wish_t *wish, apr_pool_t *pool)
{
    const char *const parts[] = {
        wish->preset,
        of_pictures(wish->product_images, "product photograph of the product in the picture",
                    "product photograph of the products in the %d pictures", pool),
        of_pictures(wish->model_images, "presented by the person in the model picture",
                    "presented by the people in the %d model pictures", pool),
        wish->custom,
        wish->style ? wish->style->says : NULL,
        wish->quality ? wish->quality->says : NULL,
        wish->ratio ? wish->ratio->says : NULL
    };
    const char *prompt = "";
    size_t i;

    for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i] && parts[i][0]) {
            prompt = apr_pstrcat(pool, prompt, prompt[0] ? ", " : "", parts[i], NULL);
        }
    }
    return prompt;
}

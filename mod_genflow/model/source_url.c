/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and writes the lines of source_url. What a client may bring is checked in model/source.c.
 */
#include "model/source_url.h"

#include <string.h>

#include <apr_strings.h>

#define ASSET "asset:"

int gf_source_count(const char *source_url)
{
    int count = source_url ? 1 : 0;

    while (source_url && (source_url = strchr(source_url, '\n'))) {
        source_url++;
        count++;
    }
    return count;
}

const char *gf_source_nth(apr_pool_t *pool, const char *source_url, int i)
{
    for (; i > 0; i--) {
        source_url += strcspn(source_url, "\n");
        source_url += *source_url != '\0';
    }
    return apr_pstrmemdup(pool, source_url, strcspn(source_url, "\n"));
}

const char *gf_source_append(apr_pool_t *pool, const char *source_url, const char *line)
{
    return source_url ? apr_pstrcat(pool, source_url, "\n", line, NULL) : line;
}

const char *gf_source_of_asset(apr_pool_t *pool, const char *id)
{
    return apr_pstrcat(pool, ASSET, id, NULL);
}

const char *gf_source_asset_id(const char *line)
{
    return line && strncmp(line, ASSET, sizeof(ASSET) - 1) == 0 ? line + sizeof(ASSET) - 1 : NULL;
}

bool gf_source_has_asset(const char *source_url)
{
    return gf_source_asset_id(source_url) || (source_url && strstr(source_url, "\n" ASSET));
}

const char *gf_source_shown(apr_pool_t *pool, const char *source_url, const char *base,
                            const char *site)
{
    const char *line = source_url ? gf_source_nth(pool, source_url, 0) : NULL;
    const char *id = gf_source_asset_id(line);

    return id ? apr_pstrcat(pool, site, base, "/assets/", id, NULL) : line;
}

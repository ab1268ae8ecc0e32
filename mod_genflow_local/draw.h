/* SPDX-License-Identifier: Apache-2.0
 *
 * The picture of the provider `local`: a Neo Tokyo night, drawn from nothing but the words
 * of the prompt. Where and when is kind.c's affair; this draws. Whatever decides a pixel is integer
 * arithmetic, so one scene is one picture on every machine; how it is packed is zlib's affair, so
 * the same bytes need the same libpng and zlib too.
 */
#ifndef LOCAL_DRAW_H
#define LOCAL_DRAW_H

#include <apr_errno.h>
#include <apr_pools.h>

#define LOCAL_SIDE_MIN 64
#define LOCAL_SIDE_MAX 2048

/* The words of a picture: the same fields, the same picture. `preset` is base, visor, tattoos or
 * scanlines, with or without `neo_tokyo_` before it; all others, and NULL, are drawn as base. */
typedef struct local_scene_t {
    const char *prompt;
    const char *preset;
    apr_uint64_t seed;
    int width;
    int height;
} local_scene_t;

/* Draws the scene as PNG into the new file `path`, mode 0644 less the umask; the caller has chosen
 * the name, and syncs and moves the file. Blocks for some 60 ms at 768x768, so it is for a writer
 * thread; any number may draw at a time, there is no shared state. Its memory, some 12 bytes a
 * pixel, is given back before it returns.
 *
 * APR_EINVAL: a side outside LOCAL_SIDE_MIN..MAX. APR_EEXIST: something stands at `path`, and
 * is left alone. Anything else: memory or the disk; no file is left behind. */
apr_status_t local_draw(const local_scene_t *scene, const char *path, apr_pool_t *scratch_pool);

#endif

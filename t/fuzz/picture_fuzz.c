/* SPDX-License-Identifier: Apache-2.0 */
/* base/image.c: the size that the walk finds is the one that the decoders' libraries find, and a
 * picture that is cut at its end is the same picture. Small ones are decoded, too. */
#define FUZZ_NAME "picture"

#include "base/image.h"
#include "fuzz.h"
#include "mod_genflow_local/effect.h"

#define PIXELS_MAX (256 * 256)

#ifdef GENFLOW_FUZZING
#include <setjmp.h>

#include <jpeglib.h>
#include <png.h>
#include <webp/decode.h>

static jmp_buf failed;

static void jpeg_fails(j_common_ptr jpeg)
{
    (void)jpeg;
    longjmp(failed, 1);
}

static void jpeg_says(j_common_ptr jpeg, int level)
{
    (void)jpeg;
    (void)level;
}

/* False: libjpeg does not take it. */
static bool jpeg_size(int *width, int *height, const char *bytes, size_t length)
{
    static struct jpeg_decompress_struct jpeg;
    static struct jpeg_error_mgr errors;
    bool taken = false;

    jpeg.err = jpeg_std_error(&errors);
    errors.error_exit = jpeg_fails;
    errors.emit_message = jpeg_says;
    jpeg_create_decompress(&jpeg);
    if (setjmp(failed) == 0) {
        jpeg_mem_src(&jpeg, (const unsigned char *)bytes, length);
        taken = jpeg_read_header(&jpeg, TRUE) == JPEG_HEADER_OK;
        *width = (int)jpeg.image_width;
        *height = (int)jpeg.image_height;
    }
    jpeg_destroy_decompress(&jpeg);
    return taken;
}

static bool png_size(int *width, int *height, const char *bytes, size_t length)
{
    png_image png = { .version = PNG_IMAGE_VERSION };
    bool taken = png_image_begin_read_from_memory(&png, bytes, length);

    *width = (int)png.width;
    *height = (int)png.height;
    png_image_free(&png);
    return taken;
}

static void libraries_agree(const gf_image_t *image, const char *bytes, size_t length)
{
    int width = 0, height = 0;
    bool taken = strcmp(image->extension, "jpg") == 0 ? jpeg_size(&width, &height, bytes, length)
                 : strcmp(image->extension, "png") == 0
                     ? png_size(&width, &height, bytes, length)
                     : WebPGetInfo((const uint8_t *)bytes, length, &width, &height);

    FUZZ_HOLDS(!taken || (width == image->width && height == image->height));
}
#else
static void libraries_agree(const gf_image_t *image, const char *bytes, size_t length)
{
    (void)image;
    (void)bytes;
    (void)length;
}
#endif

static void fuzz_one(void)
{
    gf_image_t image, cut;
    size_t length;
    char *bytes = fuzz_rest(&length);

    if (gf_image_probe(&image, bytes, length)) {
        FUZZ_HOLDS(image.width > 0 && image.height > 0);
        FUZZ_HOLDS(image.end >= 0 && image.end <= (apr_int64_t)length);
        if (image.end) {
            libraries_agree(&image, bytes, length);
            FUZZ_HOLDS(gf_image_probe(&cut, bytes, (apr_size_t)image.end));
            FUZZ_HOLDS(memcmp(&image, &cut, sizeof(cut)) == 0);
            FUZZ_HOLDS(!gf_image_probe(&cut, bytes, (apr_size_t)image.end - 1) || cut.end == 0);
        }
        if (image.end && (apr_int64_t)image.width * image.height <= PIXELS_MAX
            && gf_image_is_plain(&image)) {
            local_decodes(&image, bytes);
        }
    }
    free(bytes);
}

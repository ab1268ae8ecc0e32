/* SPDX-License-Identifier: Apache-2.0 */
/* store/cloudinary.c: whatever the store replies. */
#define FUZZ_NAME "cloudinary"
#define KIND      gf_store_cloudinary
#include "store_fuzz.h"

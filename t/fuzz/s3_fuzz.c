/* SPDX-License-Identifier: Apache-2.0 */
/* store/s3.c: whatever the store replies. */
#define FUZZ_NAME "s3"
#define KIND      gf_store_s3
#include "store_fuzz.h"

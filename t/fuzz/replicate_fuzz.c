/* SPDX-License-Identifier: Apache-2.0 */
/* provider/replicate.c: whatever the provider replies. */
#define FUZZ_NAME "replicate"
#define KIND      gf_prov_replicate
#include "provider_fuzz.h"

/* SPDX-License-Identifier: Apache-2.0 */
/* provider/fal.c: whatever the provider replies. */
#define FUZZ_NAME "fal"
#define KIND      gf_prov_fal
#include "provider_fuzz.h"

/* SPDX-License-Identifier: Apache-2.0 */
/* provider/stability.c: whatever the provider replies. */
#define FUZZ_NAME "stability"
#define KIND      gf_prov_stability
#include "provider_fuzz.h"

/* SPDX-License-Identifier: Apache-2.0 */
/* provider/openai.c: whatever the provider replies. */
#define FUZZ_NAME "openai"
#define KIND      gf_prov_openai
#include "provider_fuzz.h"

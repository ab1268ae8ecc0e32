/* SPDX-License-Identifier: Apache-2.0 */
/* provider/aiml.c: whatever the provider replies. */
#define FUZZ_NAME "aiml"
#define KIND      gf_prov_aiml
#include "provider_fuzz.h"

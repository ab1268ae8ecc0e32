/* SPDX-License-Identifier: Apache-2.0 */
/* Presets, as the API and the older wire (api/legacy_preset.c) share them. Request threads only. */
#ifndef API_PRESET_H
#define API_PRESET_H

#include "api/api.h"
#include "model/type.h"

#define API_PRESET_USUAL_TYPE "presets" /* without ?type= */

/* Writes a preset as an object. `type`: the type it belongs to, for the API, which also shows
 * whether and when the preset is on; NULL: as older systems write it, without these three. */
void api_preset_put(gf_out_t *out, const gf_preset_t *preset, const gf_type_t *type);

#endif

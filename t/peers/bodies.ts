// SPDX-License-Identifier: Apache-2.0
// What the providers' own packages say a body has to be; judge.mjs makes JSON Schemas of it.
import type { EndpointTypeMap } from '@fal-ai/client/src/types/endpoints';
import type { ImageGenerateParamsNonStreaming } from 'openai/resources/images';
import type Replicate from 'replicate';

export type FastSdxl = EndpointTypeMap['fal-ai/fast-sdxl']['input'];
export type RealisticVision = EndpointTypeMap['fal-ai/realistic-vision']['input'];
export type Ghiblify = EndpointTypeMap['fal-ai/ghiblify']['input'];
export type OpenAiImage = ImageGenerateParamsNonStreaming;
export type Prediction = Parameters<Replicate['predictions']['create']>[0];

/* SPDX-License-Identifier: Apache-2.0 */
/* job/{id}: generations as clients see them that know a queue of jobs. What is done is done by the
 * handlers of generation/{id}; only the answer is another. */
#include "api/api.h"

gf_err_t *api_job_get(gf_req_t *req)
{
    req->as_job = true;
    return api_generation_get(req);
}

gf_err_t *api_job_cancel(gf_req_t *req)
{
    req->as_job = true;
    return api_generation_cancel(req);
}

gf_err_t *api_job_retry(gf_req_t *req)
{
    req->as_job = true;
    return api_again_retry(req);
}

gf_err_t *api_job_fallback(gf_req_t *req)
{
    req->as_job = true;
    return api_again_fallback(req);
}

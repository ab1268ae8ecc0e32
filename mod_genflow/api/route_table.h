/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
/* Every address there is, one row each. A row declares its handler, too; the handler's file is
 * named after it: api_credit_list() is in credit.c. Included by route.c and handlers.h only. A new
 * row needs its place in docs/openapi.yaml (t/00-openapi.t compares them).
 *
 *   methods  of the address; GET serves HEAD, too. An address without a row for the request's
 *            method is answered with 405 and Allow
 *   path     below the base, without a slash before it. {type} stands for any configured type, any
 *            other {name} for one piece of the path, {name+} for all that is left of it, or all up
 *            to the piece that follows; these become req->args, in their order
 *   handler  runs once user, query and limits have passed (api/handlers.h)
 *   flags    0: a user is required, and pages of other sites may not call it except by GET
 *            ANYONE    no user is required, and pages of other sites are admitted
 *            PUBLIC    no user is required with GenflowFeedOpen On
 *            COSTS     counts against GenflowLimitRate and GenflowLimitAddressRate, before the body
 *                      is read; then as CREDIT
 *            PRICED    as COSTS; ?dryRun=1 only says what the request would cost, and counts in
 *                      buckets of its own. The handler must obey that argument for every body
 *            CREDIT    the user's allowance is given first (gf_gallery_allowance())
 *            TWO_STEP  answers 200 with the generation under "data" (req->two_step)
 *            AS_JOB    shows a generation as a job (req->as_job)
 *            PENDING   makes generations that another call starts (req->pending)
 *            WRITES    an API key needs the scope images for it
 *            HOSTER    of administration: not in a virtual host with GenflowRealm
 *            KEYS      an API key needs the scope keys for it. Without these two it needs the scope
 *                      read for what can be had by GET, and images for all else; administration
 *                      needs admin beside
 *   query    the arguments that it may have: "limit|cursor"; NULL: any. Others are refused, unless
 *            GenflowBodyUnknown says ignore
 *
 * The first row wins that has the request's address and method. */

/* ---- what genflow-api serves below its base ---- */

ROUTE(POST,       "{type}/generate",             api_generate, PRICED, MAKE)
ROUTE(GET | POST, "{type}/status",               api_generation_status, 0, FIND)
ROUTE(POST,       "generation/create",           api_generate, PRICED | TWO_STEP | PENDING, MAKE)
ROUTE(POST,       "generate",                    api_twostep, PRICED | TWO_STEP, MAKE)
ROUTE(GET,        "generation/{id}",             api_generation_get, 0, "names")
ROUTE(DELETE,     "generation/{id}",             api_generation_delete, 0, "")
ROUTE(PATCH,      "generation/{id}",             api_edit, 0, "names")
ROUTE(GET,        "generation/{id}/events",      api_events, 0, "names")
ROUTE(POST,       "generation/{id}/cancel",      api_generation_cancel, 0, "names")
ROUTE(POST,       "generation/{id}/retry",       api_retry, COSTS, "names")
ROUTE(POST,       "generation/{id}/fallback",    api_retry_fallback, COSTS, "names")
ROUTE(GET,        "generations",                 api_history, 0, HISTORY)
ROUTE(GET | POST, "getUserMedia",                api_history, 0, HISTORY)
ROUTE(POST,       "delete-media",                api_generation_delete_media, 0, "id|mediaId")
ROUTE(GET,        "job/{id}",                    api_generation_get, AS_JOB, "names")
ROUTE(DELETE,     "job/{id}",                    api_generation_delete, 0, "")
ROUTE(POST,       "job/{id}/cancel",             api_generation_cancel, AS_JOB, "names")
ROUTE(POST,       "job/{id}/retry",              api_retry, COSTS | AS_JOB, "names")
ROUTE(POST,       "job/{id}/fallback",           api_retry_fallback, COSTS | AS_JOB, "names")
ROUTE(GET | POST, "getQuota",                    api_credit_quota, CREDIT, "")
ROUTE(GET,        "me",                          api_me, CREDIT, "")
ROUTE(GET,        "events",                      api_user_events, CREDIT, "names")
ROUTE(GET,        "credits",                     api_credit_list, CREDIT, "limit|cursor")
ROUTE(POST,       "credits-reserve",             api_credit_reserve, CREDIT, "")
ROUTE(POST,       "credits-finalize",            api_credit_finalize, 0, "")
ROUTE(GET,        "types",                       api_type_list, 0, "")
ROUTE(GET,        "presets",                     api_preset_list, 0, "type|all")
ROUTE(POST,       "assets",                      api_asset_put, COSTS, "")
ROUTE(GET,        "assets/{id}",                 api_asset_get, 0, "")
ROUTE(DELETE,     "assets/{id}",                 api_asset_delete, 0, "")
ROUTE(GET,        "templates",                   api_template_list, 0, "limit|cursor")
ROUTE(POST,       "templates",                   api_template_put, 0, "")
ROUTE(DELETE,     "templates/{id}",              api_template_delete, 0, "")
ROUTE(GET,        "webhook-secret",              api_webhook_secret, WRITES, "")
ROUTE(GET,        "keys",                        api_key_list, KEYS, "limit|cursor")
ROUTE(POST,       "keys",                        api_key_add, KEYS | COSTS, "")
ROUTE(DELETE,     "keys/{id}",                   api_key_revoke, KEYS, "")
ROUTE(GET,        "health",                      api_health, ANYONE, NULL)
ROUTE(POST,       "hook/{provider}/{id}/{token}", api_provider_webhook, ANYONE, NULL)

/* ---- what older systems' addresses serve in place of these (GenflowLegacyNames On) ----
 *
 * They come first where the directive is On; an address that is not here is served as above. */

OLD(GET | POST,   "{type}/generate",             api_legacy_generate, WRITES, NULL)
OLD(GET | POST,   "{type}/status",               api_legacy_status, 0, NULL)
OLD(POST,         "credits-reserve",             api_legacy_credit_reserve, CREDIT, NULL)
OLD(POST,         "credits-finalize",            api_legacy_credit_finalize, 0, NULL)
OLD(GET | POST,   "getQuota",                    api_legacy_user_quota, CREDIT, NULL)
OLD(GET | POST,   "check-credits",               api_legacy_user_credits, CREDIT, NULL)
OLD(GET | POST,   "whoami",                      api_legacy_user_whoami, 0, NULL)
OLD(GET | POST | PUT, "user-settings",           api_legacy_user_settings, WRITES, NULL)
OLD(POST,         "cloudinary-sign",             api_legacy_user_sign, COSTS, NULL)
OLD(GET | POST,   "getUserMedia",                api_legacy_media_list, 0, NULL)
OLD(POST | DELETE, "delete-media",               api_legacy_media_delete, 0, NULL)
OLD(POST,         "togglePublish",               api_legacy_media_publish, 0, NULL)
OLD(GET,          "feed",                        api_legacy_media_feed, PUBLIC, NULL)
OLD(GET,          "getPublicFeed",               api_legacy_media_feed, PUBLIC, NULL)
OLD(GET,          "getNeoGlitchFeed",            api_legacy_media_neo_feed, PUBLIC, NULL)
OLD(POST,         "save-media",                  api_legacy_media_save, 0, NULL)
OLD(POST,         "save-neo-glitch",             api_legacy_media_save_neo, 0, NULL)
OLD(GET,          "get-presets",                 api_legacy_preset_get, 0, NULL)
OLD(GET,          "get-all-presets",             api_legacy_preset_all, 0, NULL)
OLD(GET,          "get-current-week-presets",    api_legacy_preset_week, 0, NULL)
OLD(POST,         "image/generate",              api_legacy_mood, PRICED, NULL)

/* ---- what genflow-admin serves below its <Location> ----
 *
 * For administrators only (api_admin_enter()). Unknown and repeated arguments are refused here
 * even with GenflowBodyUnknown ignore. */

ADMIN(GET,        "",                            api_dashboard, 0, NULL)
ADMIN(GET,        "page/{file}",                 api_dashboard_file, 0, NULL)
ADMIN(GET,        "jobs",                        api_admin_jobs, 0, JOBS "|before" PAGE)
ADMIN(DELETE,     "jobs",                        api_admin_jobs_clear, 0, JOBS)
ADMIN(DELETE,     "jobs/{id}",                   api_admin_job_cancel, 0, "")
ADMIN(DELETE,     "jobs/{id}/picture",           api_admin_takedown, 0, "")
ADMIN(GET,        "users",                       api_admin_users, 0, "limit|cursor")
ADMIN(GET,        "users/{user+}/ledger",        api_admin_ledger, 0, "limit|cursor")
ADMIN(GET,        "users/{user+}/holds",         api_admin_holds, 0, "")
ADMIN(GET,        "users/{user+}",               api_admin_user, 0, "")
ADMIN(PUT,        "users/{user+}",               api_admin_user_set, 0, "")
ADMIN(DELETE,     "users/{user+}",               api_admin_erase, 0, "")
ADMIN(POST,       "credits",                     api_admin_credit, 0, "")
ADMIN(POST,       "refunds",                     api_admin_refund, 0, "")
ADMIN(GET,        "now",                         api_admin_now, HOSTER, "")
ADMIN(GET,        "money",                       api_admin_money, HOSTER, "from|to|per|type")
ADMIN(GET,        "stats",                       api_admin_stats, HOSTER, "")
ADMIN(GET,        "ledger/check",                api_admin_check, HOSTER, "")
ADMIN(GET,        "audit",                       api_admin_audit, 0, AUDIT PAGE)
ADMIN(GET,        "moves",                       api_admin_moves, 0, "")
ADMIN(POST,       "moves",                       api_admin_move, 0, "")
ADMIN(DELETE,     "moves/{id}",                  api_admin_move_stop, 0, "")
ADMIN(GET,        "providers",                   api_admin_providers, HOSTER, "")
ADMIN(POST,       "providers/{provider}/reset",  api_admin_provider_reset, HOSTER, "model")
ADMIN(GET,        "presets",                     api_admin_presets, 0, "type")
ADMIN(POST,       "presets",                     api_admin_preset_add, 0, "")
ADMIN(GET,        "presets/{key}",               api_admin_preset, 0, "type")
ADMIN(PUT,        "presets/{key}",               api_admin_preset_edit, 0, "type")
ADMIN(DELETE,     "presets/{key}",               api_admin_preset_delete, 0, "type")
ADMIN(GET,        "keys",                        api_admin_key_list, KEYS, "user|limit|cursor")
ADMIN(POST,       "keys",                        api_admin_key_add, KEYS, "")
ADMIN(DELETE,     "keys/{id}",                   api_admin_key_revoke, KEYS, "")

/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
/* Every error there is, one row each. docs/errors.md says what a client or an operator does about
 * each. Included by base/err.[ch] only.
 *
 *   symbol        GF_E_<symbol> in C
 *   machine code  `code` of a response, errorCode of a generation; several rows may share one
 *   HTTP          status of a response that reports it
 *   log level     follows the party that must act (base/log.h)
 *   tag           of its log line, used by no other row; docs/log.md explains it
 *   text          for the client, unless gf_err_t.text replaces it
 *
 * The rows behind "front" reach only clients of another API, in that API's words (front/front.h).
 * The rows behind "job" end a generation and reach the client as its errorCode. */

/*     symbol          machine code                HTTP log level        tag
       text for the client */
GF_ERR(BAD_JSON,       "VALIDATION_ERROR",         400, GF_LOG_INFO,     "GF0101",
       "The request body is not a JSON object in UTF-8")
GF_ERR(NOT_SIGNED_IN,  "AUTHENTICATION_REQUIRED",  401, GF_LOG_INFO,     "GF0102",
       "Sign in first")
GF_ERR(NOT_SIGNED_IN_OLD, "AUTH_REQUIRED",         401, GF_LOG_INFO,     "GF0742",
       "Sign in first")
GF_ERR(TOKEN_EXPIRED,  "TOKEN_EXPIRED",            401, GF_LOG_INFO,     "GF0128",
       "The access token has expired; repeat with a new one, under the same Idempotency-Key")
GF_ERR(KEY_SCOPE,      "INSUFFICIENT_SCOPE",       403, GF_LOG_INFO,     "GF0750",
       "This API key may not do that; see scope")
GF_ERR(KEY_TYPE,       "INSUFFICIENT_SCOPE",       403, GF_LOG_INFO,     "GF0751",
       "This API key may not create generations of this type")
GF_ERR(NO_KEY,         "NOT_FOUND",                404, GF_LOG_INFO,     "GF0752",
       "There is no such API key")
GF_ERR(KEYS_FULL,      "QUOTA_EXCEEDED",           429, GF_LOG_INFO,     "GF0753",
       "There are too many API keys; revoke some")
GF_ERR(NO_CREDIT,      "INSUFFICIENT_CREDITS",     402, GF_LOG_INFO,     "GF0103",
       "Not enough credits")
GF_ERR(NOT_YOURS,      "UNAUTHORIZED",             403, GF_LOG_INFO,     "GF0104",
       "This belongs to another user")
GF_ERR(BLOCKED,        "ACCOUNT_BLOCKED",          403, GF_LOG_INFO,     "GF0105",
       "This account may not start generations")
GF_ERR(NO_GENERATION,  "GENERATION_NOT_FOUND",     404, GF_LOG_INFO,     "GF0106",
       "There is no such generation")
GF_ERR(NO_JOB,         "NOT_FOUND",                404, GF_LOG_INFO,     "GF0740",
       "There is no such generation")
GF_ERR(NO_IDENTIFIER,  "MISSING_IDENTIFIER",       422, GF_LOG_INFO,     "GF0741",
       "Name the generation: jobId, runId, stabilityJobId, aimlJobId or falJobId")
GF_ERR(NO_ROUTE,       "NOT_FOUND",                404, GF_LOG_INFO,     "GF0107",
       "There is no endpoint at this address")
GF_ERR(METHOD,         "METHOD_NOT_ALLOWED",       405, GF_LOG_INFO,     "GF0108",
       "This endpoint does not support that method; see Allow")
GF_ERR(STATUS,         "INVALID_GENERATION_STATUS", 400, GF_LOG_INFO,   "GF0151",
       "The state of this generation does not allow that; see status")
GF_ERR(KEY_RUNNING,    "IDEMPOTENCY_IN_PROGRESS",  409, GF_LOG_INFO,     "GF0109",
       "The generation of this key is still running; repeat later or poll pollUrl")
GF_ERR(BODY_TOO_LARGE, "PAYLOAD_TOO_LARGE",        413, GF_LOG_INFO,     "GF0110",
       "The request body is too large")
GF_ERR(BODY_TYPE,      "UNSUPPORTED_MEDIA_TYPE",   415, GF_LOG_INFO,     "GF0111",
       "Send the body as application/json")
GF_ERR(INVALID,        "VALIDATION_FAILED",        422, GF_LOG_INFO,     "GF0112",
       "Some fields are missing or invalid; see validationErrors")
GF_ERR(PRESET,         "INVALID_PRESET",           422, GF_LOG_INFO,     "GF0113",
       "There is no such preset; see valid")
GF_ERR(SOURCE_URL,     "INVALID_IMAGE_URL",        422, GF_LOG_INFO,     "GF0114",
       "The source picture cannot be used")
GF_ERR(PRESET_OFF,     "PRESET_NOT_AVAILABLE",     422, GF_LOG_INFO,     "GF0140",
       "This preset is not available now; see suggestion, available and availableAt")
GF_ERR(PROMPT,         "INVALID_PROMPT",           422, GF_LOG_INFO,     "GF0115",
       "The prompt cannot be used")
GF_ERR(PROMPT_LENGTH,  "PROMPT_TOO_LONG",          422, GF_LOG_INFO,     "GF0116",
       "The prompt is too long")
GF_ERR(KEY_MISMATCH,   "IDEMPOTENCY_MISMATCH",     422, GF_LOG_INFO,     "GF0117",
       "This idempotency key was used with another body; use a new key")
GF_ERR(QUOTA,          "QUOTA_EXCEEDED",           429, GF_LOG_INFO,     "GF0118",
       "The quota of this day or week is used up")
GF_ERR(FAILED,         "GENERATION_FAILED",        500, GF_LOG_INFO,     "GF0119",
       "The picture could not be made; nothing was charged")
GF_ERR(INTERNAL,       "INTERNAL_ERROR",           500, GF_LOG_CRIT,     "GF0120",
       "Internal error; the administrator finds the reason in the log")
GF_ERR(DB_DOWN,        "DATABASE_UNAVAILABLE",     503, GF_LOG_ERR,      "GF0121",
       "The service cannot reach its database; retry later")
GF_ERR(DB_SCHEMA,      "DATABASE_UNAVAILABLE",     503, GF_LOG_ERR,      "GF0122",
       "The service's database is not ready for it; retry later")
GF_ERR(READ_BODY,      "VALIDATION_ERROR",         400, GF_LOG_INFO,     "GF0123",
       "The request body could not be read to its end")
GF_ERR(NO_ASSET,       "NOT_FOUND",                404, GF_LOG_INFO,     "GF0141",
       "There is no such source picture; it may have expired")
GF_ERR(ASSETS_FULL,    "QUOTA_EXCEEDED",           429, GF_LOG_INFO,     "GF0142",
       "You have stored too many source pictures; delete some, or wait until they expire")
GF_ERR(PICTURE_TYPE,   "UNSUPPORTED_MEDIA_TYPE",   415, GF_LOG_INFO,     "GF0143",
       "Send a PNG, JPEG or WebP picture under its own type, or multipart/form-data")
GF_ERR(BAD_MULTIPART,  "VALIDATION_ERROR",         400, GF_LOG_INFO,     "GF0144",
       "The request body is not well-formed multipart/form-data")
GF_ERR(FIELDS,         "VALIDATION_ERROR",         400, GF_LOG_INFO,     "GF0150",
       "Some fields are missing or invalid; see validationErrors")
GF_ERR(NO_TEMPLATE,    "NOT_FOUND",                404, GF_LOG_INFO,     "GF0152",
       "There is no such template")
GF_ERR(TEMPLATES_FULL, "QUOTA_EXCEEDED",           429, GF_LOG_INFO,     "GF0153",
       "You have stored too many templates; delete some")
GF_ERR(TOO_OFTEN,      "RATE_LIMIT",               429, GF_LOG_INFO,     "GF0180",
       "Too many requests; slow down")
GF_ERR(HTACCESS,       "NOT_FOUND",                404, GF_LOG_ERR,      "GF0183",
       "Nothing is served in this folder; the administrator finds the reason in the log")
GF_ERR(TOO_MANY,       "TOO_MANY_CONCURRENT",      429, GF_LOG_INFO,     "GF0181",
       "You have too many generations at once; wait until one has ended")
GF_ERR(TOO_MANY_RESPONSES, "TOO_MANY_CONCURRENT",  429, GF_LOG_INFO,     "GF0184",
       "You are reading too many large responses at once; read one to its end")
GF_ERR(QUEUE_FULL,     "QUEUE_FULL",               503, GF_LOG_INFO,     "GF0182",
       "The queue is full; retry later")
GF_ERR(WEBHOOK_FORGED,    "AUTHENTICATION_REQUIRED",  401, GF_LOG_WARNING,  "GF0124",
       "The signature of this webhook is missing, wrong or too old")
GF_ERR(WEBHOOK_UNKNOWN,   "NOT_FOUND",                404, GF_LOG_INFO,     "GF0125",
       "No generation expects this webhook")
GF_ERR(WEBHOOK_EMPTY,     "VALIDATION_ERROR",         400, GF_LOG_WARNING,  "GF0126",
       "This webhook names no run")
GF_ERR(WEBHOOK_KEYS,      "PROVIDER_UNAVAILABLE",     503, GF_LOG_INFO,     "GF0127",
       "The keys for this webhook's signature are being fetched; deliver it again")
GF_ERR(NO_CREDIT_OLD,  "INSUFFICIENT_CREDITS",     403, GF_LOG_INFO,     "GF0160",
       "Not enough credits")
GF_ERR(NO_TOKENS,      "INSUFFICIENT_TOKENS",      400, GF_LOG_INFO,     "GF0163",
       "Not enough credits")
GF_ERR(NO_RESERVATION, "TRANSACTION_NOT_FOUND",    404, GF_LOG_INFO,     "GF0161",
       "There is no such reservation")
GF_ERR(RESERVED_NO_MORE, "ALREADY_PROCESSED",      400, GF_LOG_INFO,     "GF0162",
       "This reservation was given back or has expired; use a new request_id")
GF_ERR(ADMIN_CLOSED,   "ADMIN_CLOSED",             403, GF_LOG_ERR,      "GF0170",
       "Administration is closed; the administrator finds the reason in the log")
GF_ERR(ADMIN_ORIGIN,   "UNAUTHORIZED",             403, GF_LOG_WARNING,  "GF0171",
       "Administration refuses requests of pages of another origin")
GF_ERR(MOVE_RUNNING,   "MOVE_RUNNING",             409, GF_LOG_INFO,     "GF0884",
       "Pictures of this type are being moved; see GET admin/moves, or stop that move")
GF_ERR(MOVE_ENDED,     "MOVE_ENDED",               409, GF_LOG_INFO,     "GF0885",
       "This move has ended")
GF_ERR(MOVE_NOWHERE,   "NOTHING_TO_MOVE",          409, GF_LOG_INFO,     "GF0886",
       "There is no old store: name it in <GenflowStoreOld>")
GF_ERR(CROSS_SITE,     "UNAUTHORIZED",             403, GF_LOG_INFO,     "GF0680",
       "Requests of pages of other sites are refused here")
GF_ERR(WATCH_FULL,     "QUEUE_FULL",               503, GF_LOG_INFO,     "GF0154",
       "Too many requests are waiting; repeat later")
GF_ERR(STORE_CLOSED,   "STORE_UNAVAILABLE",        503, GF_LOG_INFO,     "GF0602",
       "Pictures cannot be stored now; no credits were held. Retry later")
/* front */
GF_ERR(NO_MODEL,       "MODEL_NOT_FOUND",          404, GF_LOG_INFO,     "GF0770",
       "There is no such model")
GF_ERR(FRONT_LATE,     "STILL_RUNNING",            503, GF_LOG_INFO,     "GF0771",
       "The picture is not ready yet; repeat the same request to wait on")
GF_ERR(PICTURE_AWAY,   "PICTURE_UNREACHABLE",      503, GF_LOG_WARNING,  "GF0776",
       "The picture is stored, but its store does not return it now; repeat the same request")
GF_ERR(UNSUPPORTED,    "UNSUPPORTED_VALUE",        400, GF_LOG_INFO,     "GF0772",
       "Some fields ask for what this type cannot do")
GF_ERR(CANCELLED,      "CANCELLED",                400, GF_LOG_INFO,     "GF0773",
       "The generation was cancelled; nothing was charged")
GF_ERR(UPLOAD_URL,     "UNAUTHORIZED",             403, GF_LOG_INFO,     "GF0785",
       "This upload address was not made here, or is too old; request a new one")
GF_ERR(UPLOAD_USED,    "UNAUTHORIZED",             403, GF_LOG_INFO,     "GF0786",
       "This upload address was used; request a new one for each upload")
GF_ERR(UPLOAD_CLOSED,  "UNAUTHORIZED",             403, GF_LOG_ERR,      "GF0787",
       "This site takes no uploads by address: send pictures as data: URIs")
/* job */
GF_ERR(RESTORED,       "SITE_RESTORED",            503, GF_LOG_INFO,     "GF0640",
       "This site was restored from a backup and accepts no new work yet; retry later")
GF_ERR(TIMEOUT,        "TIMEOUT",                  500, GF_LOG_WARNING,  "GF0201",
       "The provider did not finish in time")
GF_ERR(NETWORK,        "NETWORK_ERROR",            500, GF_LOG_WARNING,  "GF0202",
       "The provider could not be reached, or its answer was lost")
GF_ERR(API,            "API_ERROR",                500, GF_LOG_WARNING,  "GF0203",
       "The provider refused the request")
GF_ERR(RATE_LIMIT,     "RATE_LIMIT",               429, GF_LOG_WARNING,  "GF0204",
       "The provider limits its requests; retry later")
GF_ERR(RETRIES,        "MAX_RETRIES_EXCEEDED",     500, GF_LOG_WARNING,  "GF0205",
       "Every provider failed after all retries")
GF_ERR(EMPTY,          "EMPTY_RESULT",             500, GF_LOG_WARNING,  "GF0206",
       "The provider returned no picture")
GF_ERR(FILTERED,       "CONTENT_FILTERED",         500, GF_LOG_INFO,     "GF0207",
       "The provider's content filter refused this prompt or picture")
GF_ERR(STORE,          "STORE_FAILED",             500, GF_LOG_ERR,      "GF0208",
       "The picture could not be stored")
GF_ERR(NO_PROVIDER,    "PROVIDER_UNAVAILABLE",     503, GF_LOG_ERR,      "GF0209",
       "No provider of this type is available now")
GF_ERR(RESULT,         "API_ERROR",                500, GF_LOG_WARNING,  "GF0210",
       "The provider's answer is not a picture that can be stored")
GF_ERR(SOURCE,         "INVALID_IMAGE_URL",        422, GF_LOG_INFO,     "GF0211",
       "The source picture could not be fetched, or cannot be used")

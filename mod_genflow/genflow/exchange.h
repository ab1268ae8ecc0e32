/* SPDX-License-Identifier: Apache-2.0 */
/* Part of the public interface (genflow/module.h): one HTTP exchange with the outside as plain
 * data, and what a picture is. A provider or store describes an exchange, mod_genflow performs it
 * and hands it back to be read. Everything is in the message's pool.
 *
 * A kind makes a message by host->message(), sets what stands under "request" below and returns it;
 * limits, times and all below "answer" are mod_genflow's to set. */
#ifndef GENFLOW_EXCHANGE_H
#define GENFLOW_EXCHANGE_H

#include <stdbool.h>

#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_time.h>

/* How an exchange ended. */
typedef enum {
    GF_MSG_OPEN,      /* not ended */
    GF_MSG_ANSWERED,  /* a whole answer: status, headers, body */
    GF_MSG_NOT_SENT,  /* no byte of the request left: safe to send again */
    GF_MSG_UNKNOWN,   /* request bytes left, no whole answer came: it may have been done */
    GF_MSG_TOO_LARGE, /* the answer broke its byte limit */
    GF_MSG_CANCELLED  /* we dropped it; if bytes had left, as UNKNOWN */
} gf_msg_end_t;

/* A part of a multipart/form-data request. */
typedef struct gf_msg_part_t {
    const char *name;
    const char *text; /* value, unless file */
    const char *file; /* path of a file to send, or NULL */
    const char *type; /* content type of the file */
} gf_msg_part_t;

struct gf_msg_t;
struct gf_outcome_t;
struct gf_prov_call_t;

/* Reads an ended exchange with a provider and fills the outcome (provider/provider.h). */
typedef void gf_msg_reader_t(struct gf_outcome_t *outcome, const struct gf_prov_call_t *call,
                             const struct gf_msg_t *msg);

typedef struct gf_msg_t {
    apr_pool_t *pool;
    gf_msg_reader_t *read; /* of a follow-up exchange; NULL: the reader of the exchange before it */

    /* request */
    const char *method;
    const char *url;
    apr_table_t *headers;
    apr_array_header_t *parts; /* of gf_msg_part_t: sent as multipart/form-data; NULL: none */
    const char *body;          /* sent as it is; NULL: none */
    const char *upload;        /* file that is sent as the body, streamed; NULL: none */
    const char *sigv4;         /* signed by AWS's scheme: "aws:amz:REGION:s3"; NULL: not */
    const char *credentials;   /* for sigv4: "id:secret"; never logged */
    bool once;                 /* may have been paid for: never repeated inside one exchange */
    apr_interval_time_t connect_timeout;
    apr_interval_time_t timeout; /* whole exchange */

    /* limits of the answer */
    apr_size_t text_max;  /* bytes kept in memory (errors, JSON) */
    apr_int64_t file_max; /* bytes written to the spool file (pictures) */
    bool guarded;         /* the address came from outside: connect to public addresses only */
    const apr_array_header_t *allowed; /* guarded: apr_ipsubnet_t * allowed beside */
    bool spool_any;                    /* spool whatever its type says */
    const char *spool; /* file for an image/... response of status 2xx; NULL: none is expected */

    /* answer */
    gf_msg_end_t end;
    bool refused;   /* guarded: no address of the host may be connected to */
    bool unreached; /* NOT_SENT: no connection came about */
    bool timed_out; /* it ended because its time was over */
    int status;
    apr_table_t *answer; /* header fields */
    const char *text;    /* NUL-ended body, "" if none or spooled */
    apr_size_t text_length;
    apr_int64_t spooled;   /* bytes in the spool file; -1: not spooled */
    apr_status_t spool_rv; /* errno: the spool file could not be written */
    const char *detail;    /* why it did not end well, for the log */

    void *owner; /* of the code that started it */
    void *net;   /* net's own */
} gf_msg_t;

/* A picture's type and size, read from its bytes. Names and Content-Type headers are not believed.
 */
typedef struct gf_image_t {
    const char *type;      /* "image/png", ... static */
    const char *extension; /* "png", ... static */
    int width;
    int height;
    apr_int64_t
        end;    /* bytes up to and including its end mark; 0: it is cut or damaged before that */
    int scans;  /* scans of a JPEG: each costs its decoder a walk over all pixels */
    int packed; /* compressed texts of a PNG: each may unpack to megabytes */
} gf_image_t;

#endif

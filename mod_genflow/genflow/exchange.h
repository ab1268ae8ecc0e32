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

/* How an exchange ended. Whether a submission may be repeated rests on it: NOT_SENT is proved by
 * curl's own count of bytes, all doubt is UNKNOWN. */
typedef enum {
    GF_MSG_OPEN,      /* not ended */
    GF_MSG_ANSWERED,  /* a whole answer: status, headers, body */
    GF_MSG_NOT_SENT,  /* no byte of the request left: safe to send again */
    GF_MSG_UNKNOWN,   /* request bytes left, no whole answer came: it may have been done */
    GF_MSG_TOO_LARGE, /* the answer broke its byte limit */
    GF_MSG_CANCELLED  /* we dropped it; if bytes had left, as UNKNOWN */
} gf_msg_end_t;

/* A part of a multipart/form-data request: a text, or a file. */
typedef struct gf_msg_part_t {
    const char *name;
    const char *text; /* value, unless file */

    /* Path of a file to send, or NULL, and its content type. It is read while it is sent, so it
     * must stay until the exchange has ended. */
    const char *file;
    const char *type;
} gf_msg_part_t;

struct gf_msg_t;
struct gf_outcome_t;
struct gf_prov_call_t;

/* Reads an ended exchange with a provider and fills the outcome (provider/provider.h). */
typedef void gf_msg_reader_t(struct gf_outcome_t *outcome, const struct gf_prov_call_t *call,
                             const struct gf_msg_t *msg);

/* One thread at a time has a message: the code that made it, then the net, then its reader. */
typedef struct gf_msg_t {
    apr_pool_t *pool;      /* of the message and all its texts; it ends after the reader */
    gf_msg_reader_t *read; /* of a follow-up exchange; NULL: the reader of the exchange before it */

    /* request */
    const char *method;
    const char *url; /* http or https */
    apr_table_t *headers;

    /* The body: at most one of these; all NULL: none. */
    apr_array_header_t *parts; /* of gf_msg_part_t: sent as multipart/form-data */
    const char *body;          /* text that is sent as it is; set its Content-Type in headers */
    const char *upload;        /* path of a file that is streamed */

    /* Signed by AWS's scheme: "aws:amz:REGION:s3", with "id:secret", which is never logged. NULL:
     * not. */
    const char *sigv4;
    const char *credentials;

    /* It may have to be paid for. It is never repeated inside one exchange, as curl does when a
     * reused connection turns out to be closed. mod_genflow sets it for submissions. */
    bool once;

    /* Until the connection stands, and for the whole exchange. */
    apr_interval_time_t connect_timeout;
    apr_interval_time_t timeout;

    /* limits of the answer */
    apr_size_t text_max;  /* bytes held in memory (errors, JSON); more is TOO_LARGE */
    apr_int64_t file_max; /* bytes written to the spool file (pictures); more is TOO_LARGE */

    /* The address came from outside: connect only to public addresses and those of `allowed`
     * (apr_ipsubnet_t *; NULL: none). */
    bool guarded;
    const apr_array_header_t *allowed;

    /* Path of the file for a response of status 2xx of type image/..., or of any type with
     * spool_any: it is made or emptied then. NULL: none is expected, all is text. */
    bool spool_any;
    const char *spool;

    /* answer */
    gf_msg_end_t end;
    bool refused;   /* guarded: no address of the host may be connected to */
    bool unreached; /* NOT_SENT: no connection came about */
    bool timed_out; /* it ended because its time was over */

    /* What came, also of an answer that was cut: status (0: none), header fields, the NUL-ended
     * body ("" if none or spooled). */
    int status;
    apr_table_t *answer;
    const char *text;
    apr_size_t text_length;
    apr_int64_t spooled;   /* bytes in the spool file; -1: not spooled */
    apr_status_t spool_rv; /* errno: the spool file could not be written */
    const char *detail;    /* why it did not end well, for the log; NULL: it did */

    void *owner; /* of the code that started it */
    void *net;   /* net's own */
} gf_msg_t;

/* A picture's type and size, read from its bytes. Names and Content-Type headers are not believed.
 */
typedef struct gf_image_t {
    const char *type;      /* "image/png", ... static */
    const char *extension; /* "png", ... static */
    int width;             /* pixels */
    int height;

    /* Bytes up to and including its end mark; 0: it is cut or damaged before that. */
    apr_int64_t end;

    /* What costs a decoder more than its pixels: scans of a JPEG, each a walk over all pixels;
     * compressed texts of a PNG, each may unpack to megabytes (host->image_is_plain()). */
    int scans;
    int packed;
} gf_image_t;

#endif

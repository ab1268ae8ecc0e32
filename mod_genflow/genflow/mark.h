/* SPDX-License-Identifier: Apache-2.0 */
/* Part of the public interface (genflow/module.h): which answers are certainly a provider's own,
 * and not those of a gateway before it (a CDN, a load balancer, an API gateway), which may answer
 * while the provider works on.
 *
 * A submission whose answer a kind calls TRANSIENT, PERMANENT or EMPTY is UNKNOWN if the answer has
 * none of the kind's marks: it may have been taken, and is not sent again. With alarm set, as after
 * 401 and 403, an operator is called all the same. */
#ifndef GENFLOW_MARK_H
#define GENFLOW_MARK_H

/* An answer has the mark if its status is in the range, it has the header, and its body is a JSON
 * object with these members. Choose what no gateway sends: {"message": ...} alone is no mark. */
typedef struct gf_prov_mark_t {
    int from, to;       /* HTTP statuses; 0 ends a table */
    const char *header; /* a header that only this provider sends; NULL: none is needed */
    const char *has;  /* "error/message data?": paths of members, which are there and not null; one
                         of the object itself with a `?` may be null. NULL: any body */
    const char *only; /* names of all members that the object may have; NULL: it may have others */
} gf_prov_mark_t;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Injection points: exact places where a test makes a process die, wait or fail. A point is the
 * side, "before" or "after", of an edge: of a state that a run enters ("generate.store"), of a
 * statement ("settle"), or of a place of GF_INJECT_PLACES ("news"). docs/injection-points.md lists
 * all of them.
 *
 * Without `configure --enable-injection-points` they compile to nothing. With it, a process looks
 * at each point into the folder that GENFLOW_INJECT names, if its own user alone may write there.
 * A file "settle.before@alice" arms the point for the subject alice; t/lib/Genflow/Inject.pm writes
 * these files and describes their text. */
#ifndef GF_INJECT_H
#define GF_INJECT_H

#include "base/err.h"

/* Edges that are neither a run's state nor a statement: name, what has happened at its two sides.
 */
#define GF_INJECT_PLACES(X)                                                                      \
    X("name", "the folder store has a picture's bytes in its spool", "... and under its name")   \
    X("news", "a run has ended, its requests wait on", "... its requests of this child know it") \
    X("park", "a request is to wait, nothing wakes it yet", "... it is registered")

#ifdef GENFLOW_INJECT

/* Does what a test ordered for this side of this edge, if it is armed for a subject of this call:
 * the words of ctx->subject ("job=", "type=", "user="), `values`, where NULL is none, the process
 * and its parent ("pid-1234"), and "*", which is any. NULL: go on; else the error that the test
 * ordered. It may not return: the process is killed. Any thread; it blocks for as long as the test
 * says. */
gf_err_t *gf_inject_at(const gf_ctx_t *ctx, const char *edge, const char *side,
                       const char *const *values, int count);

/* The same at a run's state: the edge is "generate.store" for the kind "generate" and the state's
 * name "STORE". */
gf_err_t *gf_inject_state(const gf_ctx_t *ctx, const char *kind, const char *state,
                          const char *side);

#define GF_INJECT_OF(ctx, edge, side, values, count) gf_inject_at(ctx, edge, side, values, count)
#define GF_INJECT_STATE(ctx, kind, state, side)      gf_inject_state(ctx, kind, state, side)
#else
#define GF_INJECT_OF(ctx, edge, side, values, count) ((gf_err_t *)NULL)
#define GF_INJECT_STATE(ctx, kind, state, side)      ((gf_err_t *)NULL)
#endif

/* A point whose subjects are the context's alone. */
#define GF_INJECT(ctx, edge, side) GF_INJECT_OF(ctx, edge, side, NULL, 0)

#endif

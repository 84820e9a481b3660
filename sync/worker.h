/*
 * The worker: a process of its own that decrypts, decompresses and takes apart one bundle, and can
 * do nothing else. What a hostile bundle makes of it stays in it (sync/FORMAT.md, "Worker").
 *
 * It is this very program, started anew (/proc/self/exe) under another name, so that its memory
 * never held anything of the receiver's: it gets the open file, a socket, and the key of the one
 * volume, and hands back verified frames. The receiver checks all of it again as far as it can.
 */
#ifndef SK_SYNC_WORKER_H
#define SK_SYNC_WORKER_H

#include "core/error.h"

#include <stdbool.h>
#include <stddef.h>

#define SK_WORKER_NAME       "skrynia-worker" /* argv[0], by which main() knows it */
#define SK_WORKER_PATIENCE_S 300

struct sk_worker {
    const char *name;    /* argv[0] of the worker: SK_WORKER_NAME */
    unsigned patience_s; /* how long the worker may be waited for, all in all; every MiB that it
                            gives adds ten seconds */
};

#define SK_WORKER_INIT                       \
    {                                        \
        SK_WORKER_NAME, SK_WORKER_PATIENCE_S \
    }

/* For the first lines of main(): whether this process was started as a worker, and the whole of it
 * then; the value is main()'s. */
bool sk_worker_called(int argc, char **argv);
int sk_worker_main(void);

/* Whether a worker can be made safe on this machine: starts one and ends it. Errors: SK_CONFIG
 * (what is missing), SK_NOMEM, SK_IO. */
SK_MUST_CHECK enum sk_status sk_worker_check(const struct sk_worker *worker, struct sk_error *err);

#endif

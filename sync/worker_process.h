/*
 * The process of a worker, seen from its receiver: started, waited for, ended. Private to sync.
 */
#ifndef SK_SYNC_WORKER_PROCESS_H
#define SK_SYNC_WORKER_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

struct sk_worker_process {
    pid_t pid;  /* 0: none */
    int socket; /* to it; -1: none */
};

/*
 * Starts this very program under that name, without an environment, with a socket and `file` (-1:
 * none) as its only descriptors. Nothing of this process' memory is in it: it is a new program.
 * Returns 0 or an errno.
 */
int sk_worker_process_start(struct sk_worker_process *out, const char *name, int file);

/* Waits a little for one that is ending by itself; whether it did, and *how, as of waitpid(). */
bool sk_worker_process_wait(struct sk_worker_process *process, int *how);

/* Kills it, whatever it does. One that is none is allowed. */
void sk_worker_process_end(struct sk_worker_process *process);

#endif

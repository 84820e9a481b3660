/*
 * What a worker gives up before it reads a byte of a bundle. Private to sync; each step cannot be
 * taken back. A step that fails is an errno, and *step says which it was.
 */
#ifndef SK_SYNC_WORKER_SANDBOX_H
#define SK_SYNC_WORKER_SANDBOX_H

#include <stdint.h>

#define SK_WORKER_MEMORY_MAX (192ull * 1024 * 1024) /* of address space */

/* Cores, tracing, outliving the receiver, the current folder; then memory, files, processes. */
int sk_sandbox_limits(const char **step);

/*
 * No file by its name, no TCP port, no socket and no signal of others, as far as this kernel's
 * Landlock can say so. *version: of its interface; 0 where there is none, which is no failure:
 * the filter alone forbids all of it too.
 */
int sk_sandbox_landlock(uint8_t *version, const char **step);

/*
 * The filter: reading the socket and the file, writing the socket, memory that cannot be executed,
 * ending. Any other call kills the process (SIGSYS). Built with AddressSanitizer it allows,
 * besides, what that needs (see there).
 */
int sk_sandbox_filter(const char **step);

/* All three, in this order. */
int sk_sandbox_enter(uint8_t *landlock, const char **step);

#endif

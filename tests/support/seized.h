/*
 * What somebody finds who has taken a store's folder and knows its passphrase: every page of the
 * database and every frame of the write-ahead log that can be opened, whatever SQLite makes of
 * them. Written from core/FORMAT.md and crypto/slot.h, beside the code that it looks behind.
 */
#ifndef SK_TESTS_SEIZED_H
#define SK_TESTS_SEIZED_H

#include <stdbool.h>
#include <stddef.h>

/* Whether these bytes stand in a page or frame of the store at `path`, which may be open. */
bool sk_seized_holds(const char *path, const void *needle, size_t len);

#endif

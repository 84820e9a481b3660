/*
 * A bundle of device 0 for archive 0, and damaged copies of it, for tests of what is salvaged of
 * them and of what comes later. The whole one is the file "good" of the world's folder.
 */
#ifndef SK_TESTS_DAMAGED_BUNDLE_H
#define SK_TESTS_DAMAGED_BUNDLE_H

#include "tests/support/exchange.h"

#define SK_DAMAGED_CHUNK 65536u

/* Keeps the archive as it is; makes it so again. */
void sk_damaged_save(struct sk_world *world);
void sk_damaged_put_back(struct sk_world *world);

/* Attaches a file of that many bytes to a record of the device. */
void sk_damaged_attach(struct sk_world *world, const struct sk_id *id, size_t len);

/* Makes the device, the archive and "good", with everything that a log can hold. */
void sk_damaged_make(struct sk_world *world);

/* What the archive means that took "good" as it is; the archive is saved, and put back. */
void sk_damaged_reference(struct sk_world *world, uint8_t out[static 32]);

/* Writes a copy of "good" with one bit of each of these chunks changed. */
void sk_damaged_write(struct sk_world *world, const char *name, const size_t *chunks, size_t count);

/* Salvages a file; worker may be NULL. The result is to be cleared after SK_OK. */
enum sk_status sk_damaged_salvage(struct sk_world *world, const char *name,
                                  const struct sk_worker *worker, struct sk_import_result *result);

/* How many payloads the archive lacks; how many a store holds. */
uint64_t sk_damaged_lacking(struct sk_world *world);
uint64_t sk_damaged_payloads(struct sk_store *store);

/* Imports "good" after all, and expects that nothing lacks and that the archive means `expected`.
 */
void sk_damaged_complete(struct sk_world *world, const uint8_t expected[static 32]);

#endif

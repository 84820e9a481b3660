/*
 * Devices and archives in one temporary folder, for tests of the whole way between them; and the
 * means of a hostile device, whose bundles are sealed and signed as they should be and lie inside.
 */
#ifndef SK_TESTS_EXCHANGE_H
#define SK_TESTS_EXCHANGE_H

#include "sync/export_parts.h"
#include "sync/import.h"
#include "sync/manifest.h"
#include "sync/receipt.h"
#include "tests/support/stores.h"

#define SK_WORLD_ENDS 4

struct sk_world {
    char *dir;
    struct sk_test_store device[SK_WORLD_ENDS];
    struct sk_test_store archive[SK_WORLD_ENDS];
};

/* For cmocka's setup and teardown: no store is made yet. The teardown fails when a secret is left.
 */
int sk_world_setup(void **state);
int sk_world_teardown(void **state);

/* Makes and opens stores 0 to count - 1; they stay open. */
void sk_world_devices(struct sk_world *world, unsigned count);
void sk_world_archives(struct sk_world *world, unsigned count);

/* One device and one archive that has invited it as "lark". */
void sk_world_pair(struct sk_world *world);

/* Writes an invite of an archive to a file, takes one into a device. The file is not sealed, since
 * that takes most of a second on purpose. */
void sk_world_invite(struct sk_world *world, unsigned archive, const char *alias, const char *name);
void sk_world_accept(struct sk_world *world, unsigned device, const char *name);

/* A path in the world's folder, in a string that lives until the next but fifteen such call. */
const char *sk_world_path(const struct sk_world *world, const char *name);

/* Copies a closed store's folder over another name (which is removed first). */
void sk_world_copy(const char *from, const char *to);

/* Exports what is new; the result. Fails when there is nothing. */
struct sk_export_result sk_world_export(struct sk_world *world, unsigned device, const char *name);

/* Imports; the result is to be cleared unless it holds no gaps. */
struct sk_import_result sk_world_import(struct sk_world *world, unsigned archive, const char *name);
/* Imports, and expects that status and words that hold `words` (NULL: any), with everything in the
 * archive as it was if `same`. */
void sk_world_import_fails(struct sk_world *world, unsigned archive, const char *name,
                           enum sk_status status, const char *words, bool same);

/* Receipt of the archive's log to the device; the result, to be cleared. */
struct sk_receipt_result sk_world_receipt(struct sk_world *world, unsigned archive, int64_t log,
                                          unsigned device, const char *name);

/* Hash over every row of every table; over what the store means, whatever rows it stands in. */
void sk_world_dump(struct sk_store *store, uint8_t out[static 32]);
void sk_world_meaning(struct sk_store *store, uint8_t out[static 32]);

/* "a-b c-d" of ranges, in a string that lives until the next but seven such call. */
const char *sk_world_ranges(const struct sk_ranges *ranges);

/* The status of the device towards its n-th archive, as "acknowledged|exported|unexported|wanted".
 */
const char *sk_world_status(struct sk_store *store, unsigned n);

/* Fails the test unless sk_verify() finds nothing. */
void sk_world_verify(struct sk_store *store);

/*
 * Writes a bundle of everything for archive 0 with the device's own keys. `change` may alter the
 * manifest before it is signed; `spoil` may alter the bytes of the inner stream behind the
 * signature (offset 0: the first entry). Either may be NULL.
 */
typedef void sk_forge_manifest_fn(struct sk_store *device, struct sk_manifest *manifest);
typedef void sk_forge_bytes_fn(uint64_t offset, uint8_t *bytes, size_t len);
void sk_world_forge(struct sk_world *world, unsigned device, const char *name,
                    sk_forge_manifest_fn *change, sk_forge_bytes_fn *spoil);

/*
 * The same with an inner stream that `write` makes: the plan and the manifest are those of an
 * honest bundle of everything.
 */
typedef void sk_forge_stream_fn(const void *context, struct sk_store *device,
                                const struct sk_export_plan *plan, struct sk_manifest *manifest,
                                struct sk_sink sink);
void sk_world_forge_stream(struct sk_world *world, unsigned device, const char *name,
                           sk_forge_stream_fn *write, const void *context);

/* Appends an entry that commits to this text as a record, whatever it is. */
struct sk_id sk_world_put_text(struct sk_store *device, const char *text);

#endif

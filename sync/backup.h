/*
 * A backup: a whole documenter's store in one file of uniform bytes, sealed under its passphrase
 * (sync/FORMAT.md, "Backup"), and the way back, which ends in a new store (core/succession.h).
 */
#ifndef SK_SYNC_BACKUP_H
#define SK_SYNC_BACKUP_H

#include "core/succession.h"

/*
 * Writes a new file: beside, synced, named, read back and compared. The store is frozen by this and
 * can only be closed. unlock: what opened the store (of recovery words, their text); the backup
 * opens with the same. Errors: SK_CREATE, SK_FULL, SK_LIMIT (the medium takes no file of that
 * size), SK_MISSING and SK_IO (a file of the store), SK_NOMEM.
 */
SK_MUST_CHECK
enum sk_status sk_backup(struct sk_store *store, const struct sk_unlock *unlock, const char *path,
                         const struct sk_progress *progress, uint64_t *bytes, struct sk_error *err);

/* Called between the two halves of a restore with what was found; NULL: not. */
typedef void sk_restore_found_fn(void *context, const struct sk_remains_facts *facts);

/*
 * Unpacks a backup into a folder beside the new store, which is gone afterwards, and makes the
 * store from it (options->store, of which unlock (or words) open the backup as well and
 * insecure_kdf says how it was made). unpacking: bytes. Errors: SK_DAMAGED (the backup: nothing is
 * left of the attempt), SK_WRONG_KEY (or a damaged beginning), SK_CONFIG (a newer format), those of
 * sk_succession().
 */
SK_MUST_CHECK
enum sk_status sk_restore(const char *path, const struct sk_succession_options *options,
                          const struct sk_progress *unpacking, sk_restore_found_fn *found,
                          void *found_context, struct sk_succession_result *out,
                          struct sk_error *err);

#endif

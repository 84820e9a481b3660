/*
 * New keys for a whole store: a new store key and store id, every page of `data` sealed anew, every
 * media file under a new random key in a new file. `keys` then has the one slot that opened the
 * store; nothing can be wrapped for the others without what opens them.
 *
 * The steps and the states between them are in core/FORMAT.md ("New keys"). The store opens with
 * the same passphrase before, during and after; a second run goes on where the first was stopped.
 * The pages come first: a media key never stands in the database under the old store key.
 */
#ifndef SK_CORE_REKEY_H
#define SK_CORE_REKEY_H

#include "core/store.h"

struct sk_rekey {
    bool resumed;     /* an earlier run had made the keys; this one went on with its media files */
    uint64_t renewed; /* media files, in this run */
    uint64_t damaged; /* media files that are damaged or missing: they stay as they are */
    uint64_t unread;  /* media files that could not be read this time: the next run tries again */
};

/*
 * What an interrupted run left: how many media files are still under keys from before, at most. 0:
 * none, or none was begun. Errors: those of reading the database.
 */
SK_MUST_CHECK
enum sk_status sk_rekey_left(struct sk_store *store, uint64_t *files, struct sk_error *err);

/*
 * Renews an open store; on success it is open as before. `unlock` and `words` (NULL when what was
 * typed has not their shape) are what opened it. Progress counts bytes. After a failure the store
 * can only be closed, and *out says how far it came where it says that files were not read: then
 * all else is done, and the error (SK_IO) names the first of them. Errors: SK_FULL (also before
 * anything is done, with what is wanted), SK_DAMAGED (a page), SK_IO, SK_NOMEM, SK_USAGE (what is
 * given did not open it).
 */
SK_MUST_CHECK
enum sk_status sk_rekey(struct sk_store *store, const struct sk_unlock *unlock,
                        const struct sk_words *words, const struct sk_progress *progress,
                        struct sk_rekey *out, struct sk_error *err);

#endif

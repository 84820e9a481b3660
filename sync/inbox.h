/*
 * A folder in which bundles appear: which of its files are complete, as far as can be told, and
 * what became of each. Nothing is ever moved, renamed, removed or written there.
 *
 * What is known of a file is kept in memory alone, by its name and its state (core/file_watch.h). A
 * file in another state than before is a new one. Times are milliseconds of any clock that never
 * goes back; the caller reads it.
 *
 * Left out: folders, links, pipes, devices; names that begin with a dot, as the temporary files of
 * those who copy do.
 */
#ifndef SK_SYNC_INBOX_H
#define SK_SYNC_INBOX_H

#include "core/file.h"

/* How long a file has to stand still before it is taken for complete: with a length that a bundle
 * can have, and with another one, which a copy that has stopped for a while has too. */
#define SK_INBOX_STILL_MS     3000
#define SK_INBOX_STILL_ODD_MS 10000

/* When a file is tried again after the archive, not the file, was at fault: doubled each time. */
#define SK_INBOX_RETRY_MS     2000
#define SK_INBOX_RETRY_MAX_MS 300000

#define SK_INBOX_FILES_MAX 65536 /* names that are kept */

struct sk_inbox;
SK_MUST_CHECK
enum sk_status sk_inbox_new(struct sk_inbox **out, const char *dir, struct sk_error *err);
void sk_inbox_free(struct sk_inbox *inbox);

/* Looks what is there now. Errors, with everything known as before: SK_MISSING (no such folder),
 * SK_IO, SK_NOMEM. */
SK_MUST_CHECK
enum sk_status sk_inbox_look(struct sk_inbox *inbox, uint64_t now_ms, struct sk_error *err);

/* Whether the folder had more names than are kept: some files were not looked at. */
bool sk_inbox_overflows(const struct sk_inbox *inbox);

/* One file; valid until the next sk_inbox_look(). */
struct sk_inbox_file;

/* The first file, by name, that is to be imported now; NULL when there is none. The same one again
 * until it is settled. */
struct sk_inbox_file *sk_inbox_next(struct sk_inbox *inbox, uint64_t now_ms);
const char *sk_inbox_path(const struct sk_inbox_file *file);

/* Milliseconds until sk_inbox_next() gives one if nothing changes, at most `most`. */
unsigned sk_inbox_pause_ms(const struct sk_inbox *inbox, uint64_t now_ms, unsigned most);

/* Opens it, in the state that it was seen in and by no link. Errors: SK_MISSING (it is gone, or in
 * another state); those of sk_file_open_regular(). */
SK_MUST_CHECK
enum sk_status sk_inbox_open(const struct sk_inbox_file *file, struct sk_file **out,
                             struct sk_error *err);

/* What became of it. */
enum sk_inbox_outcome {
    SK_INBOX_TAKEN,   /* imported, or put in quarantine */
    SK_INBOX_REFUSED, /* for what it holds: tried again when it is in another state */
    SK_INBOX_LATER,   /* for another reason: tried again after a while */
    SK_INBOX_GONE,    /* it went away: nothing is to be said */
};

/*
 * Settles the file that sk_inbox_next() gave. True when its outcome is to be told: not twice for
 * the same state, unless the status is another one, and not for a file that is being written on. */
bool sk_inbox_settle(struct sk_inbox_file *file, enum sk_inbox_outcome outcome,
                     enum sk_status status, uint64_t now_ms);

static inline void sk_inbox_cleanup(struct sk_inbox **inbox)
{
    sk_inbox_free(*inbox);
}
#define sk_auto_inbox __attribute__((cleanup(sk_inbox_cleanup))) struct sk_inbox *

#endif

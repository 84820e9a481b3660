/*
 * The encrypting VFS: a shim between SQLite and the system's VFS that knows two kinds of file, the
 * main database `data` and its write-ahead log `data-wal`, and refuses every other (rollback
 * journals, shared memory, files without a name). The layout on disk is in core/FORMAT.md.
 *
 * One registered VFS serves one database. Private to core: db.c opens it.
 */
#ifndef SK_CORE_VFS_H
#define SK_CORE_VFS_H

#include "core/error.h"

#include <stdbool.h>
#include <stdint.h>

#define SK_VFS_PAGE_SIZE 4096

struct sk_vfs;

struct sk_vfs_options {
    const char *name;         /* to register under; NULL: a name of its own */
    const char *base;         /* the VFS below, by name; NULL: the default one */
    const uint8_t *store_key; /* 32 bytes */
    const uint8_t *store_id;  /* 16 bytes */
    bool create;              /* the database is new: an empty file is no damage */
    bool read_only;           /* nothing is written, the preamble included */
    unsigned page_size;       /* 0: SK_VFS_PAGE_SIZE */
};

/* Registers; *out belongs to the caller, who closes every database first. Errors: SK_NOMEM. */
SK_MUST_CHECK
enum sk_status sk_vfs_register(struct sk_vfs **out, const struct sk_vfs_options *options,
                               struct sk_error *err);
void sk_vfs_unregister(struct sk_vfs *vfs);

/* The name to give to sqlite3_open_v2(). */
const char *sk_vfs_name(const struct sk_vfs *vfs);

/*
 * What the VFS itself found wrong since it was registered: the words of the first fault ("data:
 * page 17 is damaged"), or NULL. SQLite only sees an I/O error.
 */
const char *sk_vfs_fault(const struct sk_vfs *vfs);

/* What the disk refused last, whatever SQLite made of it: SK_IO, SK_FULL; SK_OK when nothing. */
enum sk_status sk_vfs_trouble(const struct sk_vfs *vfs);

/* Whether a sync of the write-ahead log failed: a commit may be on the disk or not, and nothing
 * more is written. */
bool sk_vfs_unsure(const struct sk_vfs *vfs);

/* Whether opening found a write-ahead log that runs, left by a crash: with frames or without. */
bool sk_vfs_recovered(const struct sk_vfs *vfs);

/*
 * Reads every page of the closed or idle database and counts those that do not verify; calls `each`
 * with the number of each, but for pages that a checkpoint was writing: the log that is open has
 * them whole. Errors: SK_IO.
 */
typedef void sk_vfs_bad_page_fn(void *context, uint64_t page);
SK_MUST_CHECK
enum sk_status sk_vfs_check(struct sk_vfs *vfs, const char *path, sk_vfs_bad_page_fn *each,
                            void *context, struct sk_error *err);

/*
 * Whether the beginning of a closed file opens under this VFS's key and store id; false also when
 * there is no such file. Errors: SK_IO.
 */
SK_MUST_CHECK
enum sk_status sk_vfs_recognizes(const struct sk_vfs *vfs, const char *path, bool *yes,
                                 struct sk_error *err);

/*
 * Copies a closed database, of which no log runs, page by page into a file that the key of `to`
 * opens; reads it back from the medium and compares; only then gives it its name. `tell` hears of
 * every piece, each page twice. Memory: two pages.
 * Errors: SK_DAMAGED (a page does not open, or does not come back), SK_REFUSED (a log runs), SK_IO,
 * SK_FULL, SK_CREATE, SK_NOMEM.
 */
typedef void sk_vfs_copied_fn(void *context, uint64_t bytes);
SK_MUST_CHECK
enum sk_status sk_vfs_copy(const struct sk_vfs *from, const char *from_path,
                           const struct sk_vfs *to, const char *to_path, sk_vfs_copied_fn *tell,
                           void *context, struct sk_error *err);

/*
 * Puts a closed database, as it is to the byte, in the place of another, and removes it from where
 * it was. `to_path` opens under the key of what was there, of nothing, or of what it then holds:
 * its preamble is written when all else is synced, and `from_path` is removed after that. So it may
 * be interrupted anywhere and done again, also where a name that is given anew can be lost (FAT).
 * Needs no room when both have the same length. Errors: SK_IO, SK_FULL, SK_MISSING, SK_CREATE.
 */
SK_MUST_CHECK
enum sk_status sk_vfs_put(const char *from_path, const char *to_path, struct sk_error *err);

/*
 * A closed database was put by sk_vfs_put(), and where it came from is still there: makes it
 * durable. A page that opens only where it came from is written again, unless the database was
 * written to since. Both are of this VFS's key. Errors: SK_IO, SK_FULL, SK_MISSING, SK_REFUSED,
 * SK_NOMEM.
 */
SK_MUST_CHECK
enum sk_status sk_vfs_mend(const struct sk_vfs *vfs, const char *from_path, const char *to_path,
                           struct sk_error *err);

#endif

/*
 * The one layer that touches files, apart from SQLite's own; its system calls are one table
 * (core/file_calls.h). A call that a signal broke off is made again, a short read or write goes on.
 * Everything it creates is for the owner
 * alone (0600, folders 0700), is never a link that somebody else planted (O_NOFOLLOW, O_EXCL), and
 * is durable when the function says so: data synced, then named, then the folder synced.
 */
#ifndef SK_CORE_FILE_H
#define SK_CORE_FILE_H

#include "core/buf.h"
#include "core/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sk_file;

/* Opens for reading; a pipe waits for its writer. Errors: SK_MISSING, SK_IO (a folder, no
 * permission). */
SK_MUST_CHECK
enum sk_status sk_file_open(struct sk_file **out, const char *path, struct sk_error *err);

/* The same for what is read more than once or as a whole: never waits, and takes no pipe and no
 * device, which may have no end. Errors: those of sk_file_open(), SK_REFUSED. */
SK_MUST_CHECK
enum sk_status sk_file_open_regular(struct sk_file **out, const char *path, struct sk_error *err);

/* The same of the very name: a link is not followed, and is SK_IO. Errors: those of
 * sk_file_open_regular(). */
SK_MUST_CHECK
enum sk_status sk_file_open_unlinked(struct sk_file **out, const char *path, struct sk_error *err);

/* Opens a file that is there to be written over, from its first byte; nothing is cut off. Errors:
 * those of sk_file_open_regular(). */
SK_MUST_CHECK
enum sk_status sk_file_open_over(struct sk_file **out, const char *path, struct sk_error *err);

/* Takes over a descriptor that is open for reading, such as a process was given; `name` for
 * messages. Closed by this also when it fails. Errors: SK_NOMEM. */
SK_MUST_CHECK
enum sk_status sk_file_adopt(struct sk_file **out, int fd, const char *name, struct sk_error *err);

/* Its descriptor, to hand it to another process; it stays the file's. */
int sk_file_descriptor(const struct sk_file *file);

/* Creates a file that is not there yet, for reading and writing. Errors: SK_CREATE, SK_FULL. */
SK_MUST_CHECK
enum sk_status sk_file_create(struct sk_file **out, const char *path, struct sk_error *err);

/*
 * Creates a temporary file in the folder of `path`, which sk_file_publish() gives that name. It has
 * none before (O_TMPFILE), so that nothing of it is left where the process is killed; where the
 * file system has no such files, as FAT, a neutral random one (".<16 hex digits>.part"). Closed
 * unpublished, it is removed. Errors:
 * SK_CREATE, SK_FULL.
 */
SK_MUST_CHECK
enum sk_status sk_file_create_beside(struct sk_file **out, const char *path, struct sk_error *err);

/* Whether `path`, which is free, can be a name on its medium: FAT and exFAT know characters that
 * none may have. Found out before anything is written: such a name is made and taken away again;
 * one without such characters is not tried. Errors: SK_CREATE. */
SK_MUST_CHECK
enum sk_status sk_file_try_name(const char *path, struct sk_error *err);

/* Whether a name is such as sk_file_create_beside() gives where it has to. */
bool sk_file_is_temporary(const char *name);

/*
 * Syncs, names it (by a link or a rename), syncs the folder. With `replace` an existing file gives
 * way; without, it is left alone. When the folder does not sync, the name is taken back and what
 * was there before is there again, where the file system can do that. Works on file systems without
 * links or renameat2.
 * Errors: SK_CREATE (it exists), SK_IO, SK_FULL.
 */
SK_MUST_CHECK
enum sk_status sk_file_publish(struct sk_file *file, bool replace, struct sk_error *err);

/* Closes, removing a temporary file that was not published. NULL is allowed. */
void sk_file_close(struct sk_file *file);

/* Reads exactly len bytes at offset. Errors: SK_DAMAGED (the file ends before), SK_IO. */
SK_MUST_CHECK
enum sk_status sk_file_read_at(struct sk_file *file, void *out, size_t len, uint64_t offset,
                               struct sk_error *err);

/* Reads up to len bytes from the current place; *got is 0 at the end. Errors: SK_IO. */
SK_MUST_CHECK
enum sk_status sk_file_read(struct sk_file *file, void *out, size_t len, size_t *got,
                            struct sk_error *err);

/* Appends at the current place. Errors: SK_IO, SK_FULL. */
SK_MUST_CHECK
enum sk_status sk_file_write(struct sk_file *file, const void *bytes, size_t len,
                             struct sk_error *err);

/* fdatasync. Errors: SK_IO; after one, nothing may be retried on this file. */
SK_MUST_CHECK
enum sk_status sk_file_sync(struct sk_file *file, struct sk_error *err);

/* Asks the system to forget its own copy of what was synced, so that the next reading comes from
 * the medium. Whether that is known to be so: some file systems have nothing else than that copy,
 * and what a medium keeps in a memory of its own nobody can tell. */
bool sk_file_uncache(struct sk_file *file);

/* Where the next sk_file_read() or sk_file_write() begins, in bytes from the start. Errors: SK_IO.
 */
SK_MUST_CHECK
enum sk_status sk_file_seek(struct sk_file *file, uint64_t offset, struct sk_error *err);

/* The size in bytes, of regular files; *regular tells whether it is one. Errors: SK_IO. */
SK_MUST_CHECK
enum sk_status sk_file_size(struct sk_file *file, uint64_t *size, bool *regular,
                            struct sk_error *err);

/* The path it was opened with, for messages. */
const char *sk_file_path(const struct sk_file *file);

/* A whole small file of at most `most` bytes. Errors: SK_MISSING, SK_LIMIT, SK_IO. */
SK_MUST_CHECK
enum sk_status sk_file_load(struct sk_buf *out, const char *path, size_t most,
                            struct sk_error *err);

/* Puts a whole small file in place: beside, synced, renamed. Errors: SK_CREATE, SK_IO, SK_FULL. */
SK_MUST_CHECK
enum sk_status sk_file_save(const char *path, const void *bytes, size_t len, bool replace,
                            struct sk_error *err);

/* Removes a file and syncs its folder; one that is not there is no error. Errors: SK_IO. */
SK_MUST_CHECK
enum sk_status sk_file_remove(const char *path, struct sk_error *err);

/* The size of a file by its name. It is not opened: closing it would drop the locks that SQLite
 * holds on it in this process. Errors: SK_MISSING, SK_IO. */
SK_MUST_CHECK
enum sk_status sk_file_length(const char *path, uint64_t *bytes, struct sk_error *err);

/* Whether anything has this name, as far as that can be found out: for names that are to be free,
 * where creating tells the rest. */
bool sk_file_exists(const char *path);

/* The same where "no" has to be sure. Errors: SK_IO. */
SK_MUST_CHECK
enum sk_status sk_file_find(const char *path, bool *there, struct sk_error *err);

/*
 * Looks at a part of a store before it is opened: a file (or a folder, with `folder`) and nothing
 * else in its place. A link would lead out of the store, and a pipe would be waited for. *there
 * (may be NULL) tells whether it exists at all. Errors: SK_DAMAGED, SK_IO.
 */
SK_MUST_CHECK
enum sk_status sk_file_check(const char *path, bool folder, bool *there, struct sk_error *err);

/* Whether this user can read it and not write it: by its permissions, or on such a medium. */
bool sk_file_read_only(const char *path);

/* Free bytes for this user on the file system of `path` (the file or its folder). Errors: SK_IO. */
SK_MUST_CHECK
enum sk_status sk_file_space(const char *path, uint64_t *bytes, struct sk_error *err);

/*
 * Whether a new file of that many bytes can be made on its medium: there is room, and its file
 * system has files of that size (FAT ends at 4 GiB). Errors: SK_FULL, SK_LIMIT, SK_IO.
 */
SK_MUST_CHECK
enum sk_status sk_file_reserve(struct sk_file *file, uint64_t bytes, struct sk_error *err);

/* Creates one folder (0700). Errors: SK_CREATE. */
SK_MUST_CHECK
enum sk_status sk_dir_create(const char *path, struct sk_error *err);

/* Syncs a folder. Errors: SK_IO. */
SK_MUST_CHECK
enum sk_status sk_dir_sync(const char *path, struct sk_error *err);

/*
 * Calls `each` with the name of every entry but "." and "..", in no order, until it does not return
 * SK_OK. Errors: SK_MISSING, SK_IO, the callback's.
 */
typedef enum sk_status sk_dir_each_fn(void *context, const char *name, struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_dir_each(const char *path, sk_dir_each_fn *each, void *context,
                           struct sk_error *err);

/* True when the folder exists and holds nothing. */
bool sk_dir_empty(const char *path);

/* Moves a finished folder onto a name that is free or an empty folder, and syncs the parent; when
 * that fails, it is moved back. Errors: SK_CREATE, SK_IO. */
SK_MUST_CHECK
enum sk_status sk_dir_publish(const char *from, const char *to, struct sk_error *err);

/* Whether a new `path` would stand below the folder `dir`, by whatever names. */
bool sk_dir_holds(const char *dir, const char *path);

/* Removes a folder that this program made, the files in it and in its folders (such as media/), one
 * level deep. Links are removed and never followed; a link in place of the folder itself is left
 * alone. Best effort. */
void sk_dir_discard(const char *path);

/*
 * Holds a folder for this process alone (flock on the folder itself, so that no lock file is
 * written). wait_s: how long to try, in seconds. Errors: SK_BUSY, SK_MISSING, SK_IO.
 */
struct sk_dir_lock;
SK_MUST_CHECK
enum sk_status sk_dir_lock(struct sk_dir_lock **out, const char *path, unsigned wait_s,
                           struct sk_error *err);

/* The same, at once, of a folder that is to be removed: only one of this user, and not by a link,
 * which would lead to another. Errors: SK_BUSY, SK_MISSING (nothing, a link, a file), SK_IO. */
SK_MUST_CHECK
enum sk_status sk_dir_lock_own(struct sk_dir_lock **out, const char *path, struct sk_error *err);

void sk_dir_unlock(struct sk_dir_lock *lock);

/* "<dir>/<name>" in a new string the caller frees. Errors: SK_NOMEM. */
SK_MUST_CHECK
enum sk_status sk_path_join(char **out, const char *dir, const char *name, struct sk_error *err);

static inline void sk_file_cleanup(struct sk_file **file)
{
    sk_file_close(*file);
}
#define sk_auto_file __attribute__((cleanup(sk_file_cleanup))) struct sk_file *

void sk_free_cleanup(void *pointer_to_pointer);
#define sk_auto_free __attribute__((cleanup(sk_free_cleanup)))

#endif

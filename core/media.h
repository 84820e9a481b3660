/*
 * Encrypted files under media/: the bytes of attachments, and bundles in quarantine. Each has a
 * random name, a rounded size and a random key of its own that stands in the database; the layout
 * is in core/FORMAT.md.
 *
 * While it is open whether a file is to stay, an empty file beside it says so, its mark
 * ("<name>.mark"). A mark is durable before there is a new file, and goes when the row that names
 * the file is committed; it is durable before a row goes, and goes after the file did. So the next
 * opening finds by the marks and the rows what an interruption left (sk_folder_sweep()). A file
 * without a mark is never removed for want of a row: an older `data` may stand in the place of the
 * one that names it. Nothing is renamed: on FAT a power cut can take both names.
 */
#ifndef SK_CORE_MEDIA_H
#define SK_CORE_MEDIA_H

#include "core/file.h"
#include "core/store.h"

struct sk_media_writer;
struct sk_media_reader;

/* Starts a file and its mark. Errors: SK_CREATE, SK_FULL. */
SK_MUST_CHECK
enum sk_status sk_media_create(struct sk_store *store, struct sk_media_writer **out,
                               struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_media_write(struct sk_media_writer *writer, const void *bytes, size_t len,
                              struct sk_error *err);

/* Pads the file, syncs it and its name; then sk_media_keep() adds its row in the current
 * transaction of the store. If that is rolled back, the file goes. */
SK_MUST_CHECK
enum sk_status sk_media_finish(struct sk_media_writer *writer, struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_media_keep(struct sk_media_writer *writer, int64_t *row, struct sk_error *err);

/* The same for a row that is there: the file takes the place of the one it had, under its new key.
 * The old file goes after the commit. Errors: SK_DAMAGED (there is no such row). */
SK_MUST_CHECK
enum sk_status sk_media_replace(struct sk_media_writer *writer, int64_t row, struct sk_error *err);

/* Frees; a file that was not kept is removed. NULL is allowed. */
void sk_media_writer_free(struct sk_media_writer *writer);

/* Reads in order; each piece is verified before it is given out. Errors: SK_MISSING, SK_DAMAGED. */
SK_MUST_CHECK
enum sk_status sk_media_open(struct sk_store *store, int64_t row, struct sk_media_reader **out,
                             struct sk_error *err);
/* The same for a file in any folder, by what its row would say. */
SK_MUST_CHECK
enum sk_status sk_media_open_file(const char *dir, const uint8_t name[static 16],
                                  const uint8_t key[static 32], uint64_t size,
                                  struct sk_media_reader **out, struct sk_error *err);
uint64_t sk_media_size(const struct sk_media_reader *reader);
/* Fills up to len bytes; *got is less only at the end. Errors: SK_DAMAGED, SK_IO. */
SK_MUST_CHECK
enum sk_status sk_media_read(struct sk_media_reader *reader, void *out, size_t len, size_t *got,
                             struct sk_error *err);
void sk_media_reader_free(struct sk_media_reader *reader);

/* Destroys the key in the current transaction; the file is removed after the commit. Where it
 * cannot be removed the key is gone all the same, and the commit says what is left. */
SK_MUST_CHECK
enum sk_status sk_media_erase(struct sk_store *store, int64_t row, struct sk_error *err);

/* What the name of a file in media/ looks like. */
enum sk_media_shape {
    SK_MEDIA_OTHER, /* it is no media file */
    SK_MEDIA_FILE,
    SK_MEDIA_MARK,
};

/* *known: whether a row names the file, or the one of that mark. */
SK_MUST_CHECK
enum sk_status sk_media_known(struct sk_store *store, const char *file_name,
                              enum sk_media_shape *shape, bool *known, struct sk_error *err);

/* Acts on a mark: it goes, and where no row names the file, the file before it. Best effort: what
 * cannot be removed keeps its mark. */
void sk_media_settle(struct sk_store *store, const char *mark_name, bool known);

static inline void sk_media_writer_cleanup(struct sk_media_writer **writer)
{
    sk_media_writer_free(*writer);
}
#define sk_auto_media_writer \
    __attribute__((cleanup(sk_media_writer_cleanup))) struct sk_media_writer *
static inline void sk_media_reader_cleanup(struct sk_media_reader **reader)
{
    sk_media_reader_free(*reader);
}
#define sk_auto_media_reader \
    __attribute__((cleanup(sk_media_reader_cleanup))) struct sk_media_reader *

/* Rounds a size up so that it tells little (PADME: Nikitin et al., 2019). */
uint64_t sk_padme(uint64_t len);

#endif

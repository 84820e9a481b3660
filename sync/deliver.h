/*
 * The last step of a bundle or receipt: from a finished envelope to a file that is known to be
 * there. Private to sync.
 */
#ifndef SK_SYNC_DELIVER_H
#define SK_SYNC_DELIVER_H

#include "sync/envelope.h"

/*
 * Ends the envelope, gives the file its name (`path`, which must be free), and reads it back from
 * the medium. *file is closed and NULL afterwards, whatever happens. file_hash and *bytes: hash and
 * size of the file. Errors: SK_CREATE, SK_FULL, SK_IO (also when what was read back is not what was
 * written: the file is then removed).
 */
SK_MUST_CHECK
enum sk_status sk_deliver(struct sk_envelope_writer *writer, struct sk_file **file,
                          const char *path, uint8_t file_hash[static 32], uint64_t *bytes,
                          struct sk_error *err);

/* The second half of it, for a file whose bytes are all written and have that hash (label "file").
 * The file stays the caller's. */
SK_MUST_CHECK
enum sk_status sk_deliver_file(struct sk_file *file, const char *path,
                               const uint8_t file_hash[static 32], uint64_t *bytes,
                               struct sk_error *err);

static inline void sk_envelope_writer_cleanup(struct sk_envelope_writer **writer)
{
    sk_envelope_writer_free(*writer);
}
#define sk_auto_envelope_writer \
    __attribute__((cleanup(sk_envelope_writer_cleanup))) struct sk_envelope_writer *
static inline void sk_envelope_reader_cleanup(struct sk_envelope_reader **reader)
{
    sk_envelope_reader_free(*reader);
}
#define sk_auto_envelope_reader \
    __attribute__((cleanup(sk_envelope_reader_cleanup))) struct sk_envelope_reader *

#endif

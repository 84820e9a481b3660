/*
 * The last step of a bundle or receipt: from a finished envelope to a file that is known to be
 * there. Private to sync.
 */
#ifndef SK_SYNC_DELIVER_H
#define SK_SYNC_DELIVER_H

#include "sync/envelope.h"

struct sk_delivered {
    uint64_t bytes;   /* of the file */
    bool from_medium; /* what was compared is known to have come from the medium, as far as the
                         system can tell, and not from its own memory */
};

/*
 * Ends the envelope, gives the file its name (`path`, which must be free), and reads it back from
 * the medium. *file is closed and NULL afterwards, whatever happens. file_hash: of the file.
 * Errors: SK_CREATE, SK_FULL, SK_IO (also when what was read back is not what was written: the file
 * is then removed).
 */
SK_MUST_CHECK
enum sk_status sk_deliver(struct sk_envelope_writer *writer, struct sk_file **file,
                          const char *path, uint8_t file_hash[static 32], struct sk_delivered *out,
                          struct sk_error *err);

/* The second half of it, for a file whose bytes are all written and have that hash (label "file").
 * The file stays the caller's. */
SK_MUST_CHECK
enum sk_status sk_deliver_file(struct sk_file *file, const char *path,
                               const uint8_t file_hash[static 32], struct sk_delivered *out,
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

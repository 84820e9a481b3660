/*
 * The steps of an import. Private to sync.
 *
 * An intake reads one inner stream from its first byte to END, from a file or out of quarantine,
 * and verifies all of it. With `keep` it puts what it reads into its log as it comes; the caller's
 * transaction makes that whole or nothing.
 */
#ifndef SK_SYNC_IMPORT_PARTS_H
#define SK_SYNC_IMPORT_PARTS_H

#include "core/item.h"
#include "core/lacking.h"
#include "core/media.h"
#include "core/renew.h"
#include "core/revoke.h"
#include "sync/envelope.h"
#include "sync/import.h"
#include "sync/manifest.h"
#include "sync/ratchet.h"
#include "sync/unpack.h"

#include <inttypes.h>

/* Why a bundle is in quarantine. */
#define SK_REASON_FORK   "fork: it does not continue the log that came before"
#define SK_REASON_FROZEN "the log is frozen, since it forked"
/* with the position */
#define SK_REASON_REVOKED \
    "revoked: from position %" PRIu64 " on nothing is taken for the word of this device"

/* A file on its way in. */
struct sk_arrival {
    struct sk_store *store;
    const char *path;
    const struct sk_worker *worker;
    const struct sk_progress *progress;
    bool salvage;         /* a damaged bundle is read once more, for what is left of it */
    struct sk_file *file; /* the caller's */
    uint8_t *header;      /* SK_VOLUME_HEADER_LEN */
    struct sk_volume_unlocked unlocked;
    struct sk_chain_found found;
    int64_t peer;
    struct sk_archive_keys keys; /* of this archive, under which its slot opens */
    char revoked[96];            /* why it goes to quarantine, if its log is revoked */
};

#define SK_N0_KEPT 16 /* bytes of a file's N0 that stay with a spent index */

/*
 * What an arrival is whose index is spent: known, which fills *result, or refused. Another bundle
 * under that index is noted for the next receipt. Errors: SK_REFUSED, SK_IO, SK_FULL.
 */
SK_MUST_CHECK
enum sk_status sk_arrival_spent(struct sk_arrival *a, struct sk_import_result *result,
                                struct sk_error *err);

struct sk_intake {
    struct sk_store *store;
    struct sk_unpack *unpack; /* the inner stream; borrowed */
    struct sk_unpack *again;  /* without `keep`: the same stream again, for its entries */
    bool keep;
    bool salvage;      /* with `keep`: payloads that are lost are passed over */
    struct sk_log log; /* with `keep`: where it goes */

    struct sk_manifest manifest;
    uint8_t log_id[SK_HASH_LEN];
    uint8_t header_hash[SK_HASH_LEN];
    uint64_t entries_new, entries_known;
    uint64_t payloads_kept; /* in a salvage: that were not here before */
    bool complete;          /* in a salvage: no payload was lost after all */
    bool fork;              /* the log holds other entries: nothing may be committed */
};

/* What the envelope says, that the manifest has to repeat. set_id may be NULL (from quarantine). */
struct sk_intake_envelope {
    const uint8_t *header_hash;
    const uint8_t *set_id;
};

/*
 * Manifest, signature, and everything that can be checked without the log. Errors: SK_DAMAGED,
 * SK_LIMIT, SK_REFUSED (not for this archive), SK_CONFIG (a newer format).
 */
SK_MUST_CHECK
enum sk_status sk_intake_manifest(struct sk_intake *in, const struct sk_intake_envelope *envelope,
                                  struct sk_error *err);

/* Entries: the signed root, and the log's own (in->fork tells). Errors: SK_DAMAGED. */
SK_MUST_CHECK
enum sk_status sk_intake_entries(struct sk_intake *in, struct sk_error *err);

/* Payloads, up to and with END; in a salvage, those that are left. Errors: SK_DAMAGED, SK_LIMIT. */
SK_MUST_CHECK
enum sk_status sk_intake_payloads(struct sk_intake *in, struct sk_error *err);

/* With `keep`: what was signed about this part of the log, and gaps that it closes. */
SK_MUST_CHECK
enum sk_status sk_intake_finish(struct sk_intake *in, struct sk_error *err);

/* The head of a log that is signed at `position`, as its peaks, from what a bundle said. */
SK_MUST_CHECK
enum sk_status sk_segment_tree(struct sk_store *store, int64_t log, uint64_t position,
                               struct sk_merkle *out, bool *found, struct sk_error *err);

/* The first segment that begins at `from` or later: its n0 and root there. n0 is UINT64_MAX when
 * there is none. */
SK_MUST_CHECK
enum sk_status sk_segment_next(struct sk_store *store, int64_t log, uint64_t from, uint64_t *n0,
                               uint8_t root[static SK_MERKLE_LEN], struct sk_error *err);

/* The newest note that was signed at a size of at most `most`, "" if there is none. */
SK_MUST_CHECK
enum sk_status sk_segment_note(struct sk_store *store, int64_t log, uint64_t most,
                               struct sk_buf *out, struct sk_error *err);

/* Entries that stand as malformed within [n0, n1). */
SK_MUST_CHECK
enum sk_status sk_malformed_count(struct sk_store *store, int64_t log, uint64_t n0, uint64_t n1,
                                  uint64_t *out, struct sk_error *err);

/*
 * Reads a bundle once more without keeping it in a log, verifies all of it, and keeps the stream as
 * a media file with a row in `quarantine`. from: the bundle, which is opened twice. file_hash: of
 * the file. Wants a transaction.
 */
SK_MUST_CHECK
enum sk_status sk_quarantine_add(struct sk_intake *in, const struct sk_unpack_from *from,
                                 const struct sk_worker *worker, int64_t log, int64_t peer,
                                 const char *reason, uint8_t file_hash[static 32],
                                 struct sk_error *err);

#endif

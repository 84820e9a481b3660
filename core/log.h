/*
 * The logs in a store: entries, heads, peaks, roots. A documenter's store has one log (its row is
 * SK_LOG_OWN); an archive has one a device. Functions that change something want a transaction.
 */
#ifndef SK_CORE_LOG_H
#define SK_CORE_LOG_H

#include "core/buf.h"
#include "core/entry.h"
#include "core/store.h"
#include "crypto/note.h"

#define SK_LOG_OWN      1
#define SK_POSITION_MAX (1ull << 40)

enum sk_log_state {
    SK_LOG_STATE_OWN = 0,
    SK_LOG_STATE_ENROLLED = 1,
    SK_LOG_STATE_WAITING = 2, /* another log came under the same invite: a person has to approve */
    SK_LOG_STATE_FROZEN = 3,  /* it forked: readable, later entries go to quarantine */
};
/* "own", "enrolled", "waiting", "frozen" */
const char *sk_log_state_name(enum sk_log_state state);

struct sk_log {
    int64_t id; /* row */
    uint8_t log_id[SK_HASH_LEN];
    uint8_t sign_public[SK_SIGN_PUBLIC_LEN];
    uint8_t dh_public[SK_DH_LEN];
    char alias[128];
    enum sk_log_state state;
    int64_t peer;  /* 0: none */
    uint64_t size; /* entries from 0 on without a gap */
};

/* "skrynia/<64 hex digits>": origin of its checkpoints and name of its key. */
#define SK_ORIGIN_LEN 73
void sk_log_origin(char out[static SK_ORIGIN_LEN], const uint8_t log_id[static SK_HASH_LEN]);

/* The log id of a pair of public keys. */
void sk_log_id(uint8_t out[static SK_HASH_LEN],
               const uint8_t sign_public[static SK_SIGN_PUBLIC_LEN],
               const uint8_t dh_public[static SK_DH_LEN]);

/* Reads a log's row; by row, or by log id (*found tells). Errors: SK_MISSING (by row), SK_DAMAGED.
 */
SK_MUST_CHECK
enum sk_status sk_log_get(struct sk_store *store, int64_t id, struct sk_log *out,
                          struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_log_find(struct sk_store *store, const uint8_t log_id[static SK_HASH_LEN],
                           struct sk_log *out, bool *found, struct sk_error *err);

/* Calls `each` for every log, in order of rows. */
typedef enum sk_status sk_log_each_fn(void *context, const struct sk_log *log,
                                      struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_log_each(struct sk_store *store, sk_log_each_fn *each, void *context,
                           struct sk_error *err);

/* A new empty log; fills log->id. log_id, keys, alias, state and peer are taken from `log`. */
SK_MUST_CHECK
enum sk_status sk_log_create(struct sk_store *store, struct sk_log *log, struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_log_set_state(struct sk_store *store, int64_t id, enum sk_log_state state,
                                struct sk_error *err);

/* The number of the entry row: log * 2^40 + position, and back. */
int64_t sk_entry_row(int64_t log, uint64_t position);
int64_t sk_entry_row_log(int64_t row);
uint64_t sk_entry_row_position(int64_t row);

/* Reads the 96 bytes at a position; *found tells. */
SK_MUST_CHECK
enum sk_status sk_log_entry(struct sk_store *store, int64_t log, uint64_t position,
                            uint8_t out[static SK_ENTRY_LEN], bool *found, struct sk_error *err);

/*
 * Puts entry bytes at a position where none are (an archive may leave a gap). The caller gives the
 * row of the item they belong to. Appending right behind the part without a gap lets it grow.
 * Errors: SK_REFUSED (something is there), SK_IO, ...
 */
SK_MUST_CHECK
enum sk_status sk_log_put(struct sk_store *store, int64_t log, uint64_t position,
                          const uint8_t bytes[static SK_ENTRY_LEN], int64_t item,
                          struct sk_error *err);

/*
 * Lets the part without a gap grow over entries that already stand behind it, up to `limit`; writes
 * the new size to *size. For the archive, when a gap closes.
 */
SK_MUST_CHECK
enum sk_status sk_log_join(struct sk_store *store, int64_t log, uint64_t limit, uint64_t *size,
                           struct sk_error *err);

/* The tree of the first `size` entries of the part without a gap. Errors: SK_USAGE (beyond it). */
SK_MUST_CHECK
enum sk_status sk_log_tree(struct sk_store *store, int64_t log, uint64_t size,
                           struct sk_merkle *out, struct sk_error *err);

/* The consistency proof between two sizes of the part without a gap (see crypto/merkle.h). */
SK_MUST_CHECK
enum sk_status sk_log_prove(struct sk_store *store, int64_t log, uint64_t old_size,
                            uint64_t new_size,
                            uint8_t proof[static SK_MERKLE_PROOF_MAX][SK_MERKLE_LEN], size_t *count,
                            struct sk_error *err);

/* The newest signed checkpoint's note: of the own log at its size, of a foreign one as received. */
SK_MUST_CHECK
enum sk_status sk_log_note(struct sk_store *store, int64_t log, struct sk_buf *out,
                           struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_log_set_note(struct sk_store *store, int64_t log, const char *note,
                               struct sk_error *err);

/* A note with the own log's signature over (size, root), NUL-terminated. */
SK_MUST_CHECK
enum sk_status sk_log_sign_note(const struct sk_store *store,
                                char note[static SK_CHECKPOINT_NOTE_MAX],
                                const struct sk_merkle *tree, struct sk_error *err);

/*
 * Reads a checkpoint note that must be signed by the log's key and name its origin.
 * Errors: SK_DAMAGED.
 */
SK_MUST_CHECK
enum sk_status sk_log_check_note(const uint8_t log_id[static SK_HASH_LEN],
                                 const uint8_t sign_public[static SK_SIGN_PUBLIC_LEN],
                                 const char *note, struct sk_checkpoint *out, struct sk_error *err);

/* The ranges of positions that are stored (gaps left out). out: empty, filled. */
SK_MUST_CHECK
enum sk_status sk_log_ranges(struct sk_store *store, int64_t log, struct sk_ranges *out,
                             struct sk_error *err);

/*
 * The whole part without a gap hashed again and held against the stored nodes and peaks and the
 * signed note. Errors: SK_DAMAGED. progress may be NULL.
 */
SK_MUST_CHECK
enum sk_status sk_log_verify(struct sk_store *store, const struct sk_log *log,
                             const struct sk_progress *progress, struct sk_error *err);

#endif

/*
 * A store: a folder with `keys` (key slots), `data` (encrypted database) and `media/` (encrypted
 * files). A documenter's store holds one log, its own; an archive holds many. Both share one schema
 * and one code path.
 *
 * One process at a time holds a store (flock on the folder).
 */
#ifndef SK_CORE_STORE_H
#define SK_CORE_STORE_H

#include "core/db.h"
#include "core/error.h"
#include "core/types.h"
#include "crypto/sign.h"
#include "crypto/slot.h"

enum sk_store_kind {
    SK_STORE_DEVICE = 1,
    SK_STORE_ARCHIVE = 2,
};

struct sk_store;
struct sk_dir_lock;

struct sk_store_options {
    const char *dir;
    enum sk_store_kind kind;
    const struct sk_unlock *unlock;
    const struct sk_words *words; /* open: what was typed, when it has the shape of recovery words;
                                   * create: without `unlock`, what will open it */
    const char *name;             /* create: the archive's name, "" for a documenter's store */
    bool insecure_kdf;            /* create: unlocks fast, for tests alone */
    unsigned wait_s;              /* open: how long to wait for another program to let go */
};

/* Progress of a long task: bytes or entries done, of total. NULL callbacks are allowed. */
typedef void sk_progress_fn(void *context, uint64_t done, uint64_t total);
struct sk_progress {
    sk_progress_fn *tell;
    void *context;
};
void sk_progress_tell(const struct sk_progress *progress, uint64_t done, uint64_t total);

/*
 * Makes a store with fresh keys in a folder that is not there or empty. It is built beside and
 * moved into place, so that an interrupted attempt leaves no half of one. Errors: SK_CREATE
 * (something is there), SK_NOMEM, SK_IO, SK_FULL.
 */
SK_MUST_CHECK
enum sk_status sk_store_create(const struct sk_store_options *options, struct sk_error *err);

/*
 * The same, and lets `fill` put something into the store before it gets its name: then a store is
 * there with all of it, or none. Folders that interrupted attempts at this one left are removed.
 * Errors: as above, the callback's.
 */
typedef enum sk_status sk_store_fill_fn(struct sk_store *store, void *context,
                                        struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_store_create_filled(const struct sk_store_options *options,
                                      sk_store_fill_fn *fill, void *context, struct sk_error *err);

/* Whether a store can be made there: nothing is, or an empty folder. Folders that interrupted
 * attempts left beside are removed. Errors: SK_CREATE, SK_NOMEM. */
SK_MUST_CHECK
enum sk_status sk_store_free_place(const char *dir, struct sk_error *err);

/*
 * A folder beside `dir` with a name that such attempts have, held by `lock`: for what is needed
 * while a store is made. Errors: SK_CREATE, SK_NOMEM, SK_BUSY.
 */
SK_MUST_CHECK
enum sk_status sk_store_scratch(char **out, struct sk_dir_lock **lock, const char *dir,
                                struct sk_error *err);

/*
 * Whether nothing can be written there: a medium that is read only, or a folder or file that this
 * user may not change. Such a store is opened for reading, also with a write-ahead log that a crash
 * left, and stays as it is to the byte.
 */
bool sk_store_read_only_at(const char *dir);
bool sk_store_read_only(const struct sk_store *store);

/*
 * Unlocks and opens. Recovery words are tried before the passphrase, if any were given. What an
 * interrupted rekey left is put in order (core/rekey.h). After a crash the write-ahead log is
 * replayed only if the signed head of the log verifies; what an interruption left in media/ is put
 * right, and what it left beside the store is removed. Errors: SK_MISSING, SK_BUSY, SK_WRONG_KEY,
 * SK_DAMAGED, SK_CONFIG (made by a newer program,
 * or of the other kind), SK_NOMEM, SK_IO, SK_FULL.
 */
SK_MUST_CHECK
enum sk_status sk_store_open(struct sk_store **out, const struct sk_store_options *options,
                             struct sk_error *err);

/*
 * The store's parts as they lie on the disk, for a copy of all of them: what is committed is moved
 * into the database, which is then closed; the folder stays held. Only sk_store_close() works after
 * this. key, store_id: 32 and 16 bytes, owned by the store. Errors: SK_IO.
 */
SK_MUST_CHECK
enum sk_status sk_store_freeze(struct sk_store *store, const uint8_t **key,
                               const uint8_t **store_id, struct sk_error *err);

/* Opens the store key with any slot that fits, also of `keys` that are damaged elsewhere. store_id:
 * 16 bytes. *by_words: whether recovery words opened it. Errors: SK_MISSING, SK_DAMAGED,
 * SK_WRONG_KEY, SK_CONFIG (of the other kind), SK_NOMEM.
 */
SK_MUST_CHECK
enum sk_status sk_store_key(const struct sk_store_options *options, struct sk_secret **key,
                            uint8_t store_id[static SK_STORE_ID_LEN], bool *insecure,
                            bool *by_words, struct sk_error *err);

/* Rolls back what is not committed, closes and frees. NULL is allowed. Errors: SK_IO, SK_FULL; what
 * was committed is safe even then. */
enum sk_status sk_store_close(struct sk_store *store, struct sk_error *err);

/* Whether the folder holds a store (or `keys` or `data` of one), whatever its kind; whether it
 * unlocks fast (tests alone). */
bool sk_store_there(const char *dir);
bool sk_store_insecure(const struct sk_store *store);

enum sk_store_kind sk_store_kind(const struct sk_store *store);
const char *sk_store_name(const struct sk_store *store);
const char *sk_store_dir(const struct sk_store *store);
struct sk_db *sk_store_db(struct sk_store *store);

/* The public halves of this installation's keys. */
const uint8_t *sk_store_sign_public(const struct sk_store *store);
const uint8_t *sk_store_dh_public(const struct sk_store *store);

/*
 * The id of this installation: the log id of a documenter's store, H(no key, "log id", Ed25519 key
 * | X25519 key); the archive id of an archive, the same of its first keys with "archive id". 32
 * bytes.
 */
const uint8_t *sk_store_id(const struct sk_store *store);

/* Signs with the Ed25519 key; agrees with the X25519 key. Errors of the latter: SK_DAMAGED. */
void sk_store_sign(const struct sk_store *store, uint8_t signature[static SK_SIGNATURE_LEN],
                   const void *message, size_t len);
/* The Ed25519 seed, for signed notes; owned by the store. */
const uint8_t *sk_store_seed(const struct sk_store *store);
SK_MUST_CHECK
enum sk_status sk_store_dh(const struct sk_store *store, uint8_t shared[static SK_DH_LEN],
                           const uint8_t public_key[static SK_DH_LEN]);

/*
 * A transaction on the store: everything that changes it happens in one. The commit signs the new
 * head of the store's own log, if it grew. If something was erased, it then removes the media files
 * and empties the write-ahead log, where old pages would stay readable; when that alone fails
 * (SK_IO, SK_FULL), what was committed stays, and the error says so.
 *
 *     sk_auto_store_txn txn = NULL;
 *     SK_TRY(sk_store_begin(&txn, store, err));
 *     ...
 *     return sk_store_commit(&txn, err);
 */
/* Errors of beginning: SK_IO when the store is read only, ... */
SK_MUST_CHECK
enum sk_status sk_store_begin(struct sk_store **txn, struct sk_store *store, struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_store_commit(struct sk_store **txn, struct sk_error *err);
/* The same for a step of what is not done by that: the error says that it was not ended, so that
 * who does it again does right. */
SK_MUST_CHECK
enum sk_status sk_store_commit_step(struct sk_store **txn, struct sk_error *err);
/* Whether the last sk_store_commit() failed with what it was to save saved. The next opening and
 * closing takes the old copies away. */
bool sk_store_left_copies(const struct sk_store *store);
void sk_store_rollback(struct sk_store *store);

/* Says that the running transaction takes away what must not stay readable in old pages: a key. */
void sk_store_erases(struct sk_store *store);

static inline void sk_store_txn_cleanup(struct sk_store **txn)
{
    if (*txn)
        sk_store_rollback(*txn);
}
#define sk_auto_store_txn __attribute__((cleanup(sk_store_txn_cleanup))) struct sk_store *

#endif

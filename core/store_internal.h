/*
 * What the files of core share about an open store. Private to core.
 */
#ifndef SK_CORE_STORE_INTERNAL_H
#define SK_CORE_STORE_INTERNAL_H

#include "core/file.h"
#include "core/store.h"
#include "crypto/hash.h"
#include "crypto/merkle.h"
#include "crypto/secret.h"

#define SK_KEYS_FILE      "keys"
#define SK_DATA_FILE      "data"
#define SK_DATA_NEXT_FILE "data.next"
#define SK_MEDIA_DIR      "media"
#define SK_MEDIA_NAME_LEN 16

/*
 * The end of the log that the running transaction appends to, so that an append does not read and
 * write the log's row each time. It is written back when another log is used and at the commit.
 */
struct sk_log_tail {
    int64_t log; /* 0: none */
    struct sk_merkle tree;
    bool dirty;
};

/* Up to where items were withdrawn in logs that theirs continue (sk_item_below(), core/erase.c). */
#define SK_BELOW_KEPT 1024u
struct sk_below {
    int64_t item;
    uint64_t below;
    uint64_t now; /* of the store, when it was found */
};

struct sk_own_form;

/* Forms kept at hand. The longest of many choices take more than a MiB each once they are read. */
#define SK_FORMS_KEPT 16

struct sk_store {
    char *dir;
    char *media_dir;
    struct sk_dir_lock *lock;
    struct sk_db *db;
    struct sk_secret *store_key; /* 32 bytes */
    struct sk_secret *identity;  /* Ed25519 seed[32] | X25519 scalar[32] */
    struct sk_keys keys;
    unsigned slot; /* that opened it */
    enum sk_store_kind kind;
    bool read_only;
    char *name;
    uint8_t sign_public[SK_SIGN_PUBLIC_LEN];
    uint8_t dh_public[SK_DH_LEN];
    uint8_t id[SK_HASH_LEN];
    uint64_t keys_number;   /* archive: the how manieth pair of keys `identity` is */
    struct sk_secret *next; /* archive: the pair behind it, as in `identity`; NULL: none */
    uint32_t next_day;
    struct sk_log_tail tail;
    struct sk_below below[SK_BELOW_KEPT];
    uint64_t below_now;    /* what was kept at hand under another number is not right any more */
    struct sk_buf touched; /* items that the end of the transaction looks at (core/erase.c) */
    bool kin_changed;      /* the transaction changed something that `kin` follows from */
    bool kin_dropped;      /* and what was said of logs is not said any more */
    struct sk_buf erased_media; /* names of files to remove after the commit */
    struct sk_buf
        new_media;     /* names of files whose marks go with the commit, and they without it */
    bool erased;       /* the transaction erased something: old pages must go */
    bool left_copies;  /* the last commit was made, and did not take all of them away */
    bool words_erased; /* and it took words out of the search index */
    struct sk_own_form *forms[SK_FORMS_KEPT]; /* that were needed last, the last one first */
};

/* The parameters of a new slot: those for tests in a store that is for tests. */
struct sk_kdf_params sk_store_kdf_params(bool insecure);

/* Opens `data` under the store's keys into store->db. Errors: as sk_db_open(). */
SK_MUST_CHECK
enum sk_status sk_store_open_database(struct sk_store *store, bool create, struct sk_error *err);

/* Puts `keys` in the place of the file and of what the store holds. Errors: SK_IO, SK_FULL,
 * SK_CREATE; the file is then the old one or the new one. */
SK_MUST_CHECK
enum sk_status sk_slots_save(struct sk_store *store, const struct sk_keys *keys,
                             struct sk_error *err);

/* At opening, after `keys` was unlocked: if `data` is still the one from before these keys,
 * `data.next` takes its place (core/rekey.c). Errors: SK_IO, SK_NOMEM. */
SK_MUST_CHECK
enum sk_status sk_rekey_settle(struct sk_store *store, struct sk_error *err);

/* What an archive has of renewed keys (core/renew.c); after its identity was loaded. Errors:
 * SK_DAMAGED, SK_NOMEM. */
SK_MUST_CHECK
enum sk_status sk_archive_load_keys(struct sk_store *store, struct sk_error *err);

/* A value of the table `meta`, of exactly `len` bytes; *found: whether it is there. */
SK_MUST_CHECK
enum sk_status sk_meta_get(struct sk_db *db, const char *key, void *out, size_t len, bool *found,
                           struct sk_error *err);
/* Writes it, whether or not it was there; within a transaction. */
SK_MUST_CHECK
enum sk_status sk_meta_put(struct sk_db *db, const char *key, const void *bytes, size_t len,
                           struct sk_error *err);

/* Errors: SK_IO, when the store is open for reading only. */
SK_MUST_CHECK
enum sk_status sk_store_check_writable(const struct sk_store *store, struct sk_error *err);

/* The size of a log's part without a gap, as the running transaction sees it. */
SK_MUST_CHECK
enum sk_status sk_log_size(struct sk_store *store, int64_t log, uint64_t *size,
                           struct sk_error *err);

/* Adds to `out` the positions of the entries that a statement's rows begin with. */
SK_MUST_CHECK
enum sk_status sk_entry_ranges(struct sk_stmt *stmt, struct sk_ranges *out, struct sk_error *err);

/* Before a commit: writes the tail back, and signs the new head of the own log if it grew. */
SK_MUST_CHECK
enum sk_status sk_log_finish(struct sk_store *store, struct sk_error *err);

/* After a rollback: forgets the tail. */
void sk_log_forget(struct sk_store *store);

/* Before a commit: files whose rows are gone get their marks, durably, as far as that can be done.
 * Names whose rows are there after all (a savepoint) leave the list. Errors: those of reading the
 * database, SK_NOMEM. */
SK_MUST_CHECK
enum sk_status sk_media_mark_erased(struct sk_store *store, struct sk_error *err);

/* After the commit: removes those files, and then their marks. Errors: SK_IO, SK_NOMEM (a file). */
SK_MUST_CHECK
enum sk_status sk_media_remove(struct sk_store *store, const struct sk_buf *names,
                               struct sk_error *err);

/* After the commit: new files lose their marks; those that no row names go. What cannot be done
 * now, the next opening does. */
void sk_media_settle_new(struct sk_store *store, const struct sk_buf *names);

/* After a rollback: removes new files and empties their list. Best effort, as above. */
void sk_media_drop_new(struct sk_store *store);

#endif

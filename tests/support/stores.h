/*
 * Stores for tests: made with the fast KDF in a temporary folder, filled with invented records.
 *
 * EXPECT(status, call) and EXPECT_OK(call) end the test with the words of the error when a call
 * gives another status; the call writes its words to sk_test_err:
 *
 *     EXPECT_OK(sk_log_get(store, 1, &log, &sk_test_err));
 */
#ifndef SK_TESTS_STORES_H
#define SK_TESTS_STORES_H

#include "core/item.h"
#include "core/record.h"
#include "core/store.h"

extern struct sk_error sk_test_err;

#define EXPECT(expected, call)                                         \
    do {                                                               \
        sk_error_clear(&sk_test_err);                                  \
        sk_test_expect((call), (expected), #call, __FILE__, __LINE__); \
    } while (0)
#define EXPECT_OK(call) EXPECT(SK_OK, call)

/* Ends the test unless the status is the expected one; also when a failure has no words. */
void sk_test_expect(enum sk_status got, enum sk_status expected, const char *call, const char *file,
                    int line);

/* A store in a temporary folder of its own. */
struct sk_test_store {
    char *dir;  /* the temporary folder */
    char *path; /* of the store in it */
    enum sk_store_kind kind;
    struct sk_store *store; /* open, or NULL */
};

/* What libraries want once; for cmocka's group setup, and its counterpart. */
int sk_test_begin(void **state);
int sk_test_end(void **state);

/* Options to open or create the store: insecure KDF, passphrase "correct horse". */
struct sk_store_options sk_test_options(const char *path, enum sk_store_kind kind);

/* For cmocka's setup and teardown: *state is a struct sk_test_store with its store open. The
 * teardown closes, removes, and fails when a secret is left. */
int sk_test_device(void **state);
int sk_test_archive(void **state);
int sk_test_remove(void **state);

/* Makes and opens a store at `path`. */
struct sk_store *sk_test_make(const char *path, enum sk_store_kind kind);

/* Closes the store, opens it again, or both. */
void sk_test_close(struct sk_test_store *at);
void sk_test_open(struct sk_test_store *at);
void sk_test_reopen(struct sk_test_store *at);

/* A path in the temporary folder, in a string that lives until the next but seven such call. */
const char *sk_test_path(const struct sk_test_store *at, const char *name);

/* {"title": title}; owned by the caller. */
json_t *sk_test_fields(const char *title);

/* Adds a record with that title in a transaction of its own. */
struct sk_id sk_test_add(struct sk_store *store, unsigned type, const char *title);
/* The same with fields, of which the reference is taken over. */
struct sk_id sk_test_add_fields(struct sk_store *store, unsigned type, json_t *fields);

/* Edits to that title; withdraws and returns how many things went; each in a transaction. */
void sk_test_edit(struct sk_store *store, const struct sk_id *id, const char *title);
unsigned sk_test_withdraw(struct sk_store *store, const struct sk_id *id);

/* An item of the own log, to be cleared by the caller. */
struct sk_item sk_test_item(struct sk_store *store, const struct sk_id *id);

/* Runs SQL on the open database, behind the program's back, in a transaction of its own. */
void sk_test_sql(struct sk_store *store, const char *sql);
/* One number that a query gives. */
int64_t sk_test_sql_int(struct sk_store *store, const char *sql);
/* From now on the index of payloads says that each text is a byte longer than it is. */
void sk_test_belie_lengths(struct sk_store *store);

/* Writes a file of `len` bytes that differ everywhere; reads a whole one (owned by the caller). */
void sk_test_write(const char *path, size_t len);
uint8_t *sk_test_read(const char *path, size_t *len);
/* Changes one bit of a file. */
void sk_test_flip(const char *path, size_t offset);

/* How many files a folder holds. */
unsigned sk_test_count_files(const char *dir);

#endif

/*
 * Stores of earlier schemas, made of the SQL text of a fixture (tests/migration) without the
 * migrations of this program: the text alone says what is in them.
 */
#ifndef SK_TESTS_OLD_STORE_H
#define SK_TESTS_OLD_STORE_H

#include "core/sqlite.h"
#include "core/vfs.h"
#include "crypto/secret.h"

#include <stdint.h>

struct sk_old_store {
    char *dir;
    char *data;            /* path of `data` in it */
    struct sk_secret *key; /* of the store */
    uint8_t id[16];        /* of the store */
    struct sk_vfs *vfs;    /* while the database is open */
    sqlite3 *db;           /* the same */
};

/*
 * Makes the folder `dir` a closed store of what the fixture says: keys, data, media. What goes
 * wrong ends the test. The text is that of a file in tests/migration. `base`: the VFS below, NULL
 * for the system's; then only `data` is made.
 */
void sk_old_store_make(struct sk_old_store *store, const char *dir, const char *fixture,
                       const char *base);
void sk_old_store_clear(struct sk_old_store *store);

/* Opens and closes the database as it is, without this program's schema. Closing moves the log into
 * it. */
void sk_old_store_open(struct sk_old_store *store, const char *base);
void sk_old_store_close(struct sk_old_store *store);

/* One number of a query; a hash over all rows of all tables that a store of schema 1 has. */
int64_t sk_old_store_int(struct sk_old_store *store, const char *sql);
void sk_old_store_hash(struct sk_old_store *store, uint8_t out[static 32]);

#endif

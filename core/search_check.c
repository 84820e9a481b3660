/*
 * Whether the search index holds exactly the words of what is shown. Its pages are genuine even
 * when they are old ones that were put back, and then a search misses records that are there. The
 * index has no copy of the text, so the words are indexed once more, a batch at a time in a
 * temporary index in memory, and each occurrence in either is added up, whatever the order.
 */
#include "core/item_internal.h"
#include "core/store_internal.h"

#define BATCH 500 /* items */

/* FNV-1a over the term; then splitmix64's finish, so that sums of many do not cancel out. */
static uint64_t mix(int64_t item, int64_t offset, const uint8_t *term, size_t len)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < len; i++)
        h = (h ^ term[i]) * UINT64_C(0x100000001b3);
    h += (uint64_t)item * UINT64_C(0x9e3779b97f4a7c15) +
         (uint64_t)offset * UINT64_C(0xd1b54a32d192ed03);
    h = (h ^ (h >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    h = (h ^ (h >> 27)) * UINT64_C(0x94d049bb133111eb);
    return h ^ (h >> 31);
}

/* Adds up every occurrence that a query of item, offset and term gives. */
static enum sk_status add_up(struct sk_store *store, const char *sql, uint64_t *sum,
                             struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(sk_db_prepare(store->db, &stmt, sql, err));
    for (;;) {
        SK_TRY(sk_step(stmt, &row, err));
        if (!row)
            return SK_OK;
        size_t len = 0;
        const uint8_t *term = sk_column_bytes(stmt, 2, &len);
        *sum += mix(sk_column_int(stmt, 0), sk_column_int(stmt, 1), term, len);
    }
}

static enum sk_status add_up_batch(struct sk_search_check *check, struct sk_error *err)
{
    if (check->waiting == 0)
        return SK_OK;
    check->waiting = 0;
    SK_TRY(add_up(check->store, "SELECT doc, offset, term FROM temp.expected_words",
                  &check->expected, err));
    return sk_db_exec(check->store->db, "INSERT INTO temp.expected(expected) VALUES('delete-all')",
                      err);
}

enum sk_status sk_search_check_begin(struct sk_search_check *check, struct sk_store *store,
                                     struct sk_error *err)
{
    *check = (struct sk_search_check){.store = store};
    return sk_db_exec(store->db,
                      "CREATE VIRTUAL TABLE IF NOT EXISTS temp.expected USING fts5(text, "
                      "content = '', columnsize = 0, tokenize = 'unicode61 remove_diacritics 2');"
                      "CREATE VIRTUAL TABLE IF NOT EXISTS temp.expected_words USING "
                      "fts5vocab(temp, expected, instance);"
                      "CREATE VIRTUAL TABLE IF NOT EXISTS temp.search_words USING "
                      "fts5vocab(main, search, instance);"
                      "INSERT INTO temp.expected(expected) VALUES('delete-all')",
                      err);
}

enum sk_status sk_search_check_add(struct sk_search_check *check, int64_t item,
                                   const struct sk_meaning *meaning, struct sk_error *err)
{
    SK_TRY(sk_search_run(check->store, "INSERT INTO temp.expected(rowid, text) VALUES(?1, ?2)",
                         item, meaning, err));
    return ++check->waiting < BATCH ? SK_OK : add_up_batch(check, err);
}

enum sk_status sk_search_check_end(struct sk_search_check *check, bool *same, struct sk_error *err)
{
    uint64_t found = 0;
    SK_TRY(add_up_batch(check, err));
    SK_TRY(add_up(check->store, "SELECT doc, offset, term FROM temp.search_words", &found, err));
    *same = found == check->expected;
    return sk_db_exec(check->store->db,
                      "DROP TABLE temp.search_words; DROP TABLE temp.expected_words;"
                      "DROP TABLE temp.expected",
                      err);
}

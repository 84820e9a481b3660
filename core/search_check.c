/*
 * Whether the search index holds exactly the words of what is shown. Its pages are genuine even
 * when they are old ones that were put back, and then a search misses records that are there. The
 * index has no copy of the text: so each occurrence of a word in a text that is shown, and each in
 * the index, is added up, whatever the order, and the sums are compared.
 */
#include "core/item_internal.h"
#include "core/store_internal.h"

/* FNV-1a over the word; then splitmix64's finish, so that sums of many do not cancel out. */
static uint64_t mix(int64_t item, int64_t offset, const void *word, size_t len)
{
    const uint8_t *bytes = word;
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < len; i++)
        h = (h ^ bytes[i]) * UINT64_C(0x100000001b3);
    h += (uint64_t)item * UINT64_C(0x9e3779b97f4a7c15) +
         (uint64_t)offset * UINT64_C(0xd1b54a32d192ed03);
    h = (h ^ (h >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    h = (h ^ (h >> 27)) * UINT64_C(0x94d049bb133111eb);
    return h ^ (h >> 31);
}

static void add_word(void *context, int64_t offset, const char *word, size_t len)
{
    struct sk_search_check *check = context;
    check->expected += mix(check->item, offset, word, len);
}

enum sk_status sk_search_check_begin(struct sk_search_check *check, struct sk_store *store,
                                     struct sk_error *err)
{
    *check = (struct sk_search_check){.store = store};
    return sk_db_words_new(store->db, &check->words, err);
}

enum sk_status sk_search_check_add(struct sk_search_check *check, int64_t item,
                                   const struct sk_meaning *meaning, struct sk_error *err)
{
    sk_auto_buf text = SK_BUF_INIT;
    SK_TRY(sk_search_text(&text, meaning, err));
    check->item = item;
    return sk_db_words_each(check->words, sk_buf_text(&text), text.len, add_word, check, err);
}

/* Adds up what the index has. */
static enum sk_status add_up(struct sk_store *store, uint64_t *sum, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(sk_db_exec(store->db,
                      "CREATE VIRTUAL TABLE IF NOT EXISTS temp.search_words USING "
                      "fts5vocab(main, search, instance)",
                      err));
    SK_TRY(sk_db_prepare(store->db, &stmt, "SELECT doc, offset, term FROM temp.search_words", err));
    for (;;) {
        SK_TRY(sk_step(stmt, &row, err));
        if (!row)
            return SK_OK;
        size_t len = 0;
        const uint8_t *word = sk_column_bytes(stmt, 2, &len);
        *sum += mix(sk_column_int(stmt, 0), sk_column_int(stmt, 1), word, len);
    }
}

enum sk_status sk_search_check_end(struct sk_search_check *check, bool *same, struct sk_error *err)
{
    uint64_t found = 0;
    SK_TRY(add_up(check->store, &found, err));
    *same = found == check->expected;
    return SK_OK;
}

void sk_search_check_clear(struct sk_search_check *check)
{
    sk_db_words_free(check->words);
    check->words = NULL;
}

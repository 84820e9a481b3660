/*
 * Words as the search index has them: FTS5's own tokenizer, with the settings of the schema.
 */
#include "core/db_internal.h"

#include <stdlib.h>

#define WORD_MAX 32768 /* FTS5 cuts a longer one */

struct sk_word_reader {
    fts5_tokenizer methods;
    Fts5Tokenizer *tokenizer;
};

/* One text on its way through the tokenizer. */
struct telling {
    sk_word_fn *each;
    void *context;
    int64_t next; /* offset */
};

static enum sk_status find_api(struct sk_db *db, fts5_api **out, struct sk_error *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db->handle, "SELECT fts5(?1)", -1, &stmt, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_pointer(stmt, 1, (void *)out, "fts5_api_ptr", NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    (void)sqlite3_finalize(stmt);
    return rc == SQLITE_ROW && *out ? SK_OK : sk_failed(sk_db_fail(db, rc, err));
}

enum sk_status sk_db_words_new(struct sk_db *db, struct sk_word_reader **out, struct sk_error *err)
{
    const char *settings[] = {"remove_diacritics", "2"};
    fts5_api *api = NULL;
    void *context = NULL;
    SK_TRY(sk_db_check_usable(db, err));
    SK_TRY(find_api(db, &api, err));
    struct sk_word_reader *words = calloc(1, sizeof(*words));
    if (!words)
        return sk_fail_status(err, SK_NOMEM);
    int rc = api->xFindTokenizer(api, "unicode61", &context, &words->methods);
    if (rc == SQLITE_OK)
        rc = words->methods.xCreate(context, settings, 2, &words->tokenizer);
    if (rc != SQLITE_OK) {
        free(words);
        return sk_failed(sk_db_fail(db, rc, err));
    }
    *out = words;
    return SK_OK;
}

static int tell(void *context, int flags, const char *word, int len, int start, int end)
{
    struct telling *telling = context;
    (void)flags, (void)start, (void)end; /* this tokenizer puts no two words in one place */
    telling->each(telling->context, telling->next++, word, len > WORD_MAX ? WORD_MAX : (size_t)len);
    return SQLITE_OK;
}

enum sk_status sk_db_words_each(struct sk_word_reader *words, const char *text, size_t len,
                                sk_word_fn *each, void *context, struct sk_error *err)
{
    struct telling telling = {each, context, 0};
    if (len > INT32_MAX)
        return sk_fail_status(err, SK_LIMIT);
    int rc = words->methods.xTokenize(words->tokenizer, &telling, FTS5_TOKENIZE_DOCUMENT, text,
                                      (int)len, tell);
    return rc == SQLITE_OK ? SK_OK
                           : sk_fail_status(err, rc == SQLITE_NOMEM ? SK_NOMEM : SK_INTERNAL);
}

void sk_db_words_free(struct sk_word_reader *words)
{
    if (!words)
        return;
    words->methods.xDelete(words->tokenizer);
    free(words);
}

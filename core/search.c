/*
 * The search index: the words of the newest revision of each record, and the names of attachments.
 * It holds no copy of the text, so that taking a revision out means giving the same words again.
 */
#include "core/item_internal.h"
#include "core/store_internal.h"

#define GATHER_LEN (8 << 20)

/* Appends every string in a value, each on a line of its own; keys are not words. */
static enum sk_status collect(struct sk_buf *out, const json_t *json, struct sk_error *err)
{
    if (json_is_string(json)) {
        SK_TRY(sk_buf_add(out, json_string_value(json), json_string_length(json), err));
        return sk_buf_add_byte(out, '\n', err);
    }
    if (json_is_array(json)) {
        for (size_t i = 0; i < json_array_size(json); i++)
            SK_TRY(collect(out, json_array_get(json, i), err));
        return SK_OK;
    }
    if (!json_is_object(json) || json_object_get(json, "missing"))
        return SK_OK;
    const char *name;
    json_t *value;
    json_object_foreach(sk_json_plain(json), name, value)
    {
        SK_TRY(collect(out, value, err));
    }
    return SK_OK;
}

enum sk_status sk_search_text(struct sk_buf *out, const struct sk_meaning *meaning,
                              struct sk_error *err)
{
    if (meaning->fields)
        return collect(out, meaning->fields, err);
    return meaning->attachment.name ? sk_buf_add_text(out, meaning->attachment.name, err) : SK_OK;
}

static enum sk_status run_words(struct sk_store *store, const char *sql, int64_t item,
                                const struct sk_meaning *meaning, struct sk_error *err)
{
    sk_auto_buf words = SK_BUF_INIT;
    SK_TRY(sk_search_text(&words, meaning, err));
    if (words.len == 0)
        return SK_OK;
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt, sql, err));
    sk_bind_int(stmt, 1, item);
    sk_bind_text_len(stmt, 2, sk_buf_text(&words), words.len);
    return sk_run(stmt, err);
}

enum sk_status sk_search_add(struct sk_store *store, int64_t item, const struct sk_meaning *meaning,
                             struct sk_error *err)
{
    return run_words(store, "INSERT INTO search(rowid, text) VALUES(?1, ?2)", item, meaning, err);
}

enum sk_status sk_search_remove(struct sk_store *store, int64_t item,
                                const struct sk_meaning *meaning, struct sk_error *err)
{
    return run_words(store, "INSERT INTO search(search, rowid, text) VALUES('delete', ?1, ?2)",
                     item, meaning, err);
}

enum sk_status sk_search_many(struct sk_store *store, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    sk_auto_stmt set = NULL;
    bool row = false;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT 1 FROM search_config WHERE k = 'hashsize' AND v = ?1", err));
    sk_bind_int(stmt, 1, GATHER_LEN);
    SK_TRY(sk_step(stmt, &row, err));
    sk_stmt_reset(stmt);
    if (row)
        return SK_OK;
    SK_TRY(sk_db_prepare(store->db, &set, "INSERT INTO search(search, rank) VALUES('hashsize', ?1)",
                         err));
    sk_bind_int(set, 1, GATHER_LEN);
    return sk_run(set, err);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Whether the index's tokenizer can find a word in it: ASCII punctuation alone has none. */
static bool has_word(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
            return true;
    }
    return false;
}

/* Appends one term as a quoted string of FTS5's language, in which nothing has a meaning. */
static enum sk_status add_term(struct sk_buf *query, const char *text, size_t len, bool phrase,
                               struct sk_error *err)
{
    if (!has_word(text, len))
        return SK_OK;
    SK_TRY(sk_buf_add_text(query, query->len ? " \"" : "\"", err));
    SK_TRY(sk_buf_add(query, text, len, err));
    return sk_buf_add_text(query, phrase ? "\"" : "\"*", err);
}

/* "a phrase" in quotes as it is; every other word as the beginning of a word. */
static enum sk_status make_query(struct sk_buf *query, const char *text, struct sk_error *err)
{
    while (*text) {
        if (is_space(*text)) {
            text++;
            continue;
        }
        bool phrase = *text == '"';
        text += phrase;
        size_t len = 0;
        while (text[len] && text[len] != '"' && (phrase || !is_space(text[len])))
            len++;
        SK_TRY(add_term(query, text, len, phrase, err));
        text += len;
        if (phrase && *text == '"')
            text++;
    }
    if (query->len == 0)
        return sk_fail(err, SK_USAGE, "there is no word to search for");
    return SK_OK;
}

enum sk_status sk_item_search(struct sk_store *store, const char *text, sk_item_each_fn *each,
                              void *context, struct sk_error *err)
{
    sk_auto_buf query = SK_BUF_INIT;
    SK_TRY(make_query(&query, text, err));
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(
        store->db, &stmt,
        "SELECT " SK_ITEM_COLUMNS
        " FROM item WHERE NOT erased AND shown <> 0 AND type <= ?2 AND " SK_ITEM_ONCE " AND "
        "id IN (SELECT ifnull(record.id, hit.id) FROM search JOIN item AS hit "
        "ON hit.id = search.rowid LEFT JOIN attachment ON attachment.item = hit.id "
        "LEFT JOIN item AS record ON record.uid = attachment.record AND (record.log = hit.log OR "
        "record.log IN (SELECT kin.other FROM kin WHERE kin.log = hit.log)) "
        "WHERE search MATCH ?1) ORDER BY id DESC",
        err));
    sk_bind_text_len(stmt, 1, sk_buf_text(&query), query.len);
    sk_bind_int(stmt, 2, SK_TYPE_RECORD_LAST);
    return sk_item_rows(stmt, each, context, err);
}

/*
 * Goal of this test: words are found in Cyrillic and Latin whatever their case, by their beginning
 * and as phrases; no query, however hostile, does anything but search; the words of an old revision
 * find nothing, and those of a withdrawn record stand nowhere in the index any more.
 */
#include "core/item.h"
#include "tests/support/seized.h"
#include "tests/support/stores.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

struct hits {
    unsigned count;
    char last[64];
};

static enum sk_status note_hit(void *context, const struct sk_item *item, struct sk_error *err)
{
    struct hits *hits = context;
    (void)err;
    assert_true(sk_type_is_record(item->type));
    hits->count++;
    (void)snprintf(hits->last, sizeof(hits->last), "%s", item->title);
    return SK_OK;
}

static unsigned count(struct sk_store *store, const char *query)
{
    struct hits hits = {.count = 0};
    EXPECT_OK(sk_item_search(store, query, note_hit, &hits, &sk_test_err));
    return hits.count;
}

static void assert_finds(struct sk_store *store, const char *query, const char *title)
{
    struct hits hits = {.count = 0};
    EXPECT_OK(sk_item_search(store, query, note_hit, &hits, &sk_test_err));
    if (hits.count != 1)
        print_error("%s\n", query);
    assert_int_equal(hits.count, 1);
    assert_string_equal(hits.last, title);
}

static void test_scripts_and_case(void **state)
{
    struct sk_test_store *at = *state;
    (void)sk_test_add(at->store, SK_TYPE_PERSON, "Ганна Ягораў");
    (void)sk_test_add(at->store, SK_TYPE_PERSON, "Łukasz Żółty");
    (void)sk_test_add(at->store, SK_TYPE_PERSON, "Їжак Ґудзик");
    (void)sk_test_add(at->store, SK_TYPE_PERSON, "Émile Straße");
    assert_finds(at->store, "ГАННА", "Ганна Ягораў");
    assert_finds(at->store, "ганна", "Ганна Ягораў");
    assert_finds(at->store, "ЯГОРАЎ", "Ганна Ягораў");
    assert_finds(at->store, "ŁUKASZ", "Łukasz Żółty");
    assert_finds(at->store, "łukasz ŻÓŁTY", "Łukasz Żółty");
    assert_finds(at->store, "їЖАК", "Їжак Ґудзик");
    assert_finds(at->store, "ҐУДЗИК", "Їжак Ґудзик");
    assert_finds(at->store, "emile", "Émile Straße");
    assert_int_equal(count(at->store, "Ганна Łukasz"), 0);
    assert_int_equal(count(at->store, "анна"), 0);
}

static void test_prefixes_and_phrases(void **state)
{
    struct sk_test_store *at = *state;
    (void)sk_test_add(at->store, SK_TYPE_EVENT, "Суд над журналістамі ў Мінску");
    (void)sk_test_add(at->store, SK_TYPE_EVENT, "У Мінску суд");
    assert_int_equal(count(at->store, "суд"), 2);
    assert_int_equal(count(at->store, "Мін су"), 2);
    assert_finds(at->store, "журн", "Суд над журналістамі ў Мінску");
    assert_finds(at->store, "\"Мінску суд\"", "У Мінску суд");
    assert_int_equal(count(at->store, "\"Мінску су\""), 0);
    assert_finds(at->store, "\"суд над\" мін", "Суд над журналістамі ў Мінску");
    assert_finds(at->store, "над\"Ў Мінску\"", "Суд над журналістамі ў Мінску");
    assert_finds(at->store, "\"У Мінску\"", "У Мінску суд"); /* another letter */
    assert_int_equal(count(at->store, "суд — Мінску"), 2);   /* a dash is no word */
    assert_int_equal(count(at->store, "суд, Мінску!"), 2);
}

static void test_every_field(void **state)
{
    struct sk_test_store *at = *state;
    sk_auto_json fields = json_pack("{s:s, s:{s:s}, s:[{s:s, s:s, s:[{s:s}]}]}", "title", "Field",
                                    "place", "missing", "unknown", "acts", "victim", "nightingale",
                                    "type", "arrest", "perpetrators", "who", "magpie");
    (void)sk_test_add_fields(at->store, SK_TYPE_EVENT, json_incref(fields));
    assert_finds(at->store, "nightingale", "Field");
    assert_finds(at->store, "magpie arrest", "Field");
    assert_int_equal(count(at->store, "unknown"), 0); /* an answer, no word */
    assert_int_equal(count(at->store, "victim"), 0);  /* the form's, not the record's */
}

static void test_newest_first(void **state)
{
    struct sk_test_store *at = *state;
    struct hits hits = {.count = 0};
    (void)sk_test_add(at->store, SK_TYPE_EVENT, "word old");
    (void)sk_test_add(at->store, SK_TYPE_PERSON, "word new");
    EXPECT_OK(sk_item_search(at->store, "word", note_hit, &hits, &sk_test_err));
    assert_int_equal(hits.count, 2);
    assert_string_equal(hits.last, "word old");
}

/* Hostile queries */

static void test_hostile(void **state)
{
    struct sk_test_store *at = *state;
    static const char *const queries[] = {
        "\"",
        "\"\"",
        "\"\"\"",
        "a\"b",
        "\"a",
        "a OR b",
        "NOT a",
        "a AND",
        "NEAR(a b)",
        "a*",
        "*a",
        "-a",
        "+a",
        "a + b",
        "text:a",
        "text : a",
        "^a",
        "{text}: a",
        "(a",
        "a)",
        "((((((((((a",
        "a'b",
        "a;b",
        "' OR 1=1 --",
        "a\\",
        "a\tb\nc\rd",
        "\xff\xfe"
        "a",
        "a\xc3",
        "\u202e"
        "a",
        "optimize",
        "delete",
        "rank:bm25(10)",
        "a NEAR b NEAR/2 c",
        "\U0001F54A",
        "«»",
        "—",
    };
    (void)sk_test_add(at->store, SK_TYPE_EVENT, "kept");
    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        struct hits hits = {.count = 0};
        sk_error_clear(&sk_test_err);
        enum sk_status status =
            sk_item_search(at->store, queries[i], note_hit, &hits, &sk_test_err);
        if (status != SK_OK && status != SK_USAGE) {
            print_error("%s gave %s\n", queries[i], sk_test_err.text);
            fail();
        }
        assert_int_equal(hits.count, 0);
    }
    assert_finds(at->store, "kept", "kept");
}

static void test_no_word(void **state)
{
    struct sk_test_store *at = *state;
    static const char *const queries[] = {"",     " ", "\t\n",   "\"",
                                          "\"\"", "*", "- + ()", "\" \" \"!\""};
    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        struct hits hits = {.count = 0};
        EXPECT(SK_USAGE, sk_item_search(at->store, queries[i], note_hit, &hits, &sk_test_err));
    }
}

/* Ten kilobytes, as one word, as thousands of words, as quotes alone. */
static void test_long(void **state)
{
    struct sk_test_store *at = *state;
    char text[10241];
    (void)sk_test_add(at->store, SK_TYPE_EVENT, "a");
    text[sizeof(text) - 1] = '\0';
    memset(text, 'a', sizeof(text) - 1);
    assert_int_equal(count(at->store, text), 0);
    for (size_t i = 1; i < sizeof(text) - 1; i += 2)
        text[i] = ' ';
    assert_finds(at->store, text, "a");
    for (size_t i = 1; i < sizeof(text) - 1; i += 2)
        text[i] = '"';
    assert_finds(at->store, text, "a");
    for (size_t i = 0; i < sizeof(text) - 1; i += 2)
        text[i] = (char)('b' + i / 2 % 20);
    assert_int_equal(count(at->store, text), 0);
    memset(text, '"', sizeof(text) - 1);
    struct hits hits = {.count = 0};
    EXPECT(SK_USAGE, sk_item_search(at->store, text, note_hit, &hits, &sk_test_err));
}

/* What stays in the index */

static bool holds(const uint8_t *bytes, size_t len, const char *word)
{
    return memmem(bytes, len, word, strlen(word)) != NULL;
}

static bool in_rows(struct sk_store *store, const char *sql, const char *word)
{
    sk_auto_stmt stmt = NULL;
    EXPECT_OK(sk_db_prepare(sk_store_db(store), &stmt, sql, &sk_test_err));
    for (;;) {
        bool row = false;
        size_t len = 0;
        EXPECT_OK(sk_step(stmt, &row, &sk_test_err));
        if (!row)
            return false;
        const uint8_t *bytes = sk_column_bytes(stmt, 0, &len);
        if (holds(bytes, len, word))
            return true;
    }
}

/* Whether a word stands in the index, which keeps words in lower case and cuts common beginnings,
 * so that only the end of the word is looked for; or in any text that the database keeps. */
static bool anywhere(struct sk_store *store, const char *word)
{
    return in_rows(store, "SELECT block FROM search_data", word) ||
           in_rows(store, "SELECT term FROM search_idx", word) ||
           in_rows(store, "SELECT text FROM payload", word) ||
           in_rows(store, "SELECT CAST(title AS BLOB) FROM item", word) ||
           in_rows(store, "SELECT CAST(name AS BLOB) FROM attachment", word);
}

static void test_edit(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_id id = sk_test_add(at->store, SK_TYPE_EVENT, "Бусел common");
    (void)sk_test_add(at->store, SK_TYPE_EVENT, "other common");
    sk_test_edit(at->store, &id, "Жораў common");
    assert_int_equal(count(at->store, "бусел"), 0);
    assert_finds(at->store, "жораў", "Жораў common");
    assert_int_equal(count(at->store, "common"), 2);
    sk_test_reopen(at);
    assert_int_equal(count(at->store, "бусел"), 0);
}

static void add_others(struct sk_store *store, unsigned number)
{
    char title[40];
    struct sk_store *txn = NULL;
    EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
    for (unsigned i = 0; i < number; i++) {
        struct sk_id id;
        (void)snprintf(title, sizeof(title), "other%u words%u", i, i * 7);
        sk_auto_json fields = sk_test_fields(title);
        EXPECT_OK(sk_record_add(store, SK_TYPE_EVENT, fields, &id, &sk_test_err));
    }
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
}

static void test_withdraw(void **state)
{
    struct sk_test_store *at = *state;
    static const unsigned others[] = {0, 1, 50, 2000};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        struct sk_id id = sk_test_add(at->store, SK_TYPE_EVENT, "Zaporozhets nightingale");
        add_others(at->store, others[i]);
        sk_test_edit(at->store, &id, "Zaporozhets сакрэтны");
        add_others(at->store, others[i]);
        assert_true(anywhere(at->store, "nightingale"));
        assert_true(anywhere(at->store, "porozhets"));
        (void)sk_test_withdraw(at->store, &id);
        assert_false(anywhere(at->store, "nightingale"));
        assert_false(anywhere(at->store, "ightingale"));
        assert_false(anywhere(at->store, "porozhets"));
        assert_false(anywhere(at->store, "акрэтны"));
        assert_int_equal(count(at->store, "zaporozhets"), 0);
        if (others[i])
            assert_int_not_equal(count(at->store, "other0"), 0);
    }
    sk_test_sql(at->store, "INSERT INTO search(search) VALUES('integrity-check')");
}

/* The words also stand in pages that were replaced, in the write-ahead log: it must go too. */
static void test_withdraw_leaves_no_old_page(void **state)
{
    struct sk_test_store *at = *state;
    static const char word[] = "nightingale";
    struct sk_id id = sk_test_add(at->store, SK_TYPE_EVENT, word);
    assert_true(sk_seized_holds(at->path, word, strlen(word)));
    (void)sk_test_withdraw(at->store, &id);
    assert_false(sk_seized_holds(at->path, word, strlen(word)));
    assert_false(sk_seized_holds(at->path, word + 1, strlen(word) - 1)); /* as the index has it */
}

/* Added, edited and withdrawn in one transaction: no row was ever alone. */
static void test_withdraw_at_once(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_store *txn = NULL;
    struct sk_id id;
    unsigned number = 0;
    sk_auto_json fields = sk_test_fields("nightingale");
    EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
    EXPECT_OK(sk_record_add(at->store, SK_TYPE_EVENT, fields, &id, &sk_test_err));
    sk_auto_item item = sk_test_item(at->store, &id);
    EXPECT_OK(sk_record_withdraw(at->store, &item, &number, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    assert_false(anywhere(at->store, "ightingale"));
    sk_test_sql(at->store, "INSERT INTO search(search) VALUES('integrity-check')");
}

static void test_attachment_names(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_id id = sk_test_add(at->store, SK_TYPE_EVENT, "Record");
    struct sk_id file;
    sk_auto_item item = sk_test_item(at->store, &id);
    const char *path = sk_test_path(at, "Прысуд nightingale.pdf");
    sk_test_write(path, 10);
    EXPECT_OK(sk_attachment_add(at->store, &item, path, NULL, &file, &sk_test_err));
    assert_finds(at->store, "прысуд", "Record");
    assert_finds(at->store, "NIGHTINGALE pdf", "Record");
    assert_int_equal(count(at->store, "record nightingale"), 0); /* not in one text */
    assert_int_equal(sk_test_withdraw(at->store, &file), 1);
    assert_int_equal(count(at->store, "nightingale"), 0);
    assert_false(anywhere(at->store, "ightingale"));
    assert_finds(at->store, "record", "Record");
}

static void test_index_follows_rollback(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_store *txn = NULL;
    struct sk_id id;
    sk_auto_json fields = sk_test_fields("nightingale");
    EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
    EXPECT_OK(sk_record_add(at->store, SK_TYPE_EVENT, fields, &id, &sk_test_err));
    sk_store_rollback(txn);
    assert_int_equal(count(at->store, "nightingale"), 0);
    assert_false(anywhere(at->store, "ightingale"));
}

/* A statement that opens a savepoint makes FTS5 write out what it has gathered: a segment for each
 * record, which are merged again and again. */
static void test_one_segment_a_transaction(void **state)
{
    enum { RECORDS = 12 };
    static const char segments[] = "SELECT count(DISTINCT segid) FROM search_idx";
    struct sk_test_store *at = *state;
    struct sk_store *txn = NULL;
    struct sk_id ids[RECORDS];
    sk_auto_json fields = sk_test_fields("nightingale");
    EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
    for (unsigned i = 0; i < RECORDS; i++)
        EXPECT_OK(sk_record_add(at->store, SK_TYPE_EVENT, fields, &ids[i], &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    assert_int_equal(sk_test_sql_int(at->store, segments), 1);
    EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
    for (unsigned i = 0; i < RECORDS; i++) {
        sk_auto_item item = sk_test_item(at->store, &ids[i]);
        EXPECT_OK(sk_record_edit(at->store, &item, fields, &sk_test_err));
    }
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    assert_int_equal(sk_test_sql_int(at->store, segments), 2);
    assert_int_equal(count(at->store, "nightingale"), RECORDS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, sk_test_device, sk_test_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_scripts_and_case),
        TEST(test_prefixes_and_phrases),
        TEST(test_every_field),
        TEST(test_newest_first),
        TEST(test_hostile),
        TEST(test_no_word),
        TEST(test_long),
        TEST(test_edit),
        TEST(test_withdraw),
        TEST(test_withdraw_leaves_no_old_page),
        TEST(test_withdraw_at_once),
        TEST(test_attachment_names),
        TEST(test_index_follows_rollback),
        TEST(test_one_segment_a_transaction),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}

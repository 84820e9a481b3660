/*
 * Goal of this test: a form of an organisation is checked as a whole before anything of it is used,
 * with limits on all that it can hold, and what is said of a broken one is safe to show; a device
 * puts it into its log once, before the first record that needs it; versions that are offered only
 * rise; and a store says so when what it notes of forms is not what its entries say.
 */
#include "core/form_log.h"
#include "core/form_offer.h"
#include "core/text.h"
#include "core/verify.h"
#include "tests/support/own_form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* ---- reading ---- */

static void refused(const char *text, const char *words)
{
    struct sk_own_form *own = NULL;
    struct sk_error err = SK_ERROR_INIT;
    assert_int_equal(sk_own_form_read(&own, text, strlen(text), &err), SK_REFUSED);
    assert_null(own);
    if (!strstr(err.text, words))
        fail_msg("%s, not %s", err.text, words);
    assert_true(sk_text_plain(err.text, strlen(err.text)));
}

#define TITLE                                                                                   \
    "{\"name\":\"title\",\"label\":\"T\",\"type\":\"text\",\"access\":\"public\",\"required\":" \
    "true}"
#define FORM(fields)                                                                     \
    "{\"form\":\"f\",\"type\":\"case\",\"version\":1,\"label\":\"F\",\"fields\":[" TITLE \
    "," fields "]}"

static void what_is_broken_is_told_by_its_place(void **state)
{
    (void)state;
    refused("", "ends too early");
    refused("{\"form\":\"f\"}", "a form has a form (its name)");
    refused("{\"form\":\"f\",\"type\":\"link\",\"version\":1,\"label\":\"F\",\"fields\":[]}",
            "the form's type is person");
    refused("{\"form\":\"case\",\"type\":\"case\",\"version\":1,\"label\":\"F\",\"fields\":[]}",
            "not that of a type");
    refused("{\"form\":\"f\",\"type\":\"case\",\"version\":4294967297,\"label\":\"F\","
            "\"fields\":[" TITLE "]}",
            "version is a whole number");
    refused("{\"form\":\"f\",\"type\":\"case\",\"version\":1,\"label\":\"\\u001b[2J\","
            "\"fields\":[" TITLE "]}",
            "label is too long, or cannot be shown");
    refused(FORM("{\"name\":\"a\",\"label\":\"L\",\"type\":\"x\",\"access\":\"public\"}"),
            "field a of the form: its name, type");
    refused(FORM("{\"name\":\"\\u001b[2J\",\"label\":\"L\",\"type\":\"text\","
                 "\"access\":\"public\"}"),
            "a field of the form: its name");
    refused(FORM("{\"name\":\"a\",\"label\":\"L\\u202e\",\"type\":\"text\","
                 "\"access\":\"public\"}"),
            "field a of the form: its label or hint");
    refused(FORM(TITLE), "field title of the form: there are two of this name");
    refused(
        FORM("{\"name\":\"c\",\"label\":\"L\",\"type\":\"choice\",\"access\":\"public\","
             "\"choices\":[{\"name\":\"x\",\"label\":\"A\"},{\"name\":\"y\",\"label\":\"a\"}]}"),
        "a choice is broken, or like another one");
    refused("{\"form\":\"f\",\"type\":\"case\",\"version\":1,\"label\":\"F\",\"fields\":[{\"name\":"
            "\"a\",\"label\":\"L\",\"type\":\"text\",\"access\":\"public\"}]}",
            "needs a text field named title");
}

#define CHOICE_COUNT 500

/* The longest list of choices, of which one has that name and label. Errors: as of reading it. */
static enum sk_status read_choices(size_t at, const char *name, const char *label)
{
    sk_auto_buf text = SK_BUF_INIT;
    sk_auto_own_form own = NULL;
    EXPECT_OK(sk_buf_add_text(&text,
                              "{\"form\":\"f\",\"type\":\"case\",\"version\":1,\"label\":\"F\","
                              "\"fields\":[" TITLE ",{\"name\":\"c\",\"label\":\"L\",\"type\":"
                              "\"choice\",\"access\":\"public\",\"choices\":[",
                              &sk_test_err));
    for (size_t i = 0; i < CHOICE_COUNT; i++) {
        char choice[80];
        char number[2][16];
        (void)snprintf(number[0], sizeof(number[0]), "n%03zu", i);
        (void)snprintf(number[1], sizeof(number[1]), "W%03zu", i);
        (void)snprintf(choice, sizeof(choice), "%s{\"name\":\"%s\",\"label\":\"%s\"}", i ? "," : "",
                       i == at ? name : number[0], i == at ? label : number[1]);
        EXPECT_OK(sk_buf_add_text(&text, choice, &sk_test_err));
    }
    EXPECT_OK(sk_buf_add_text(&text, "]}]}", &sk_test_err));
    return sk_own_form_read(&own, sk_buf_text(&text), text.len, &sk_test_err);
}

/* Wherever the two stand in the list, and in either way round. */
static void no_two_choices_are_alike(void **state)
{
    static const size_t places[] = {0, 1, 250, 498, 499};
    (void)state;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        size_t at = places[i];
        const char *other = at == 250 ? "n251" : "n250";
        const char *label = at == 250 ? "w251" : "w250";
        assert_int_equal(read_choices(at, "own", "Own"), SK_OK);
        assert_int_equal(read_choices(at, "own", "own"), SK_OK);
        assert_int_equal(read_choices(at, "own", label), SK_REFUSED);
        assert_string_equal(sk_test_err.text,
                            "field c of the form: a choice is broken, or like another one");
        assert_int_equal(read_choices(at, label, "Own"), SK_REFUSED);
        assert_int_equal(read_choices(at, "own", at == 250 ? "N251" : "N250"), SK_REFUSED);
        assert_int_equal(read_choices(at, other, "Own"), SK_REFUSED);
        assert_int_equal(read_choices(at, "own", at == 250 ? "W2510" : "W2500"), SK_OK);
    }
}

static void names_are_of_few_letters(void **state)
{
    static const char *const good[] = {"a", "0", "detention-2", "a--b-",
                                       "0123456789012345678901234567890123456789"};
    static const char *const bad[] = {
        "",       "-a",   "A",
        "a_b",    "a b",  "a.b",
        "person", "form", "01234567890123456789012345678901234567890"};
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(sk_own_form_name_valid(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(sk_own_form_name_valid(bad[i]));
}

/* The longest texts of the worst kinds: refused, or read, in no time that a person would notice. */
static void hostile_forms_cost_little(void **state)
{
    static const char *const pieces[][3] = {
        {"[", "[],", "0]"},
        {"{\"form\":\"f\",\"type\":\"case\",\"version\":1,\"label\":\"F\",\"fields\":[", "{},",
         "0]}"},
        {"{\"form\":\"f\",\"type\":\"case\",\"version\":1,\"label\":\"F\",\"fields\":[" TITLE
         ",{\"name\":\"c\",\"label\":\"C\",\"type\":\"choice\",\"access\":\"public\",\"choices\":[",
         "{\"name\":\"a\",\"label\":\"b\"},", "0]}]}"},
        {"[", "[", ""},
        {"{\"", "\\u0041", "\":0}"},
    };
    struct timespec from;
    struct timespec to;
    (void)state;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        sk_auto_buf text = SK_BUF_INIT;
        struct sk_own_form *own = NULL;
        EXPECT_OK(sk_buf_add_text(&text, pieces[i][0], &sk_test_err));
        while (text.len + strlen(pieces[i][1]) + strlen(pieces[i][2]) <= SK_FORM_TEXT_MAX)
            EXPECT_OK(sk_buf_add_text(&text, pieces[i][1], &sk_test_err));
        EXPECT_OK(sk_buf_add_text(&text, pieces[i][2], &sk_test_err));
        EXPECT(SK_REFUSED, sk_own_form_read(&own, sk_buf_text(&text), text.len, &sk_test_err));
    }
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    assert_true(to.tv_sec - from.tv_sec < 5);
}

static void a_form_is_known_by_its_bytes(void **state)
{
    uint8_t a[SK_HASH_LEN];
    uint8_t b[SK_HASH_LEN];
    sk_auto_buf compact = SK_BUF_INIT;
    sk_auto_own_form own = sk_test_form("f", 1, "F");
    sk_auto_own_form spaced = NULL;
    static const char text[] =
        " {\"form\" : \"f\",\"type\":\"testimony\",\"version\":1,\"label\":\"F\",\"fields\":["
        "{\"name\":\"title\",\"label\":\"T\",\"type\":\"text\",\"access\":\"internal\","
        "\"required\":true}]}";
    (void)state;
    EXPECT_OK(sk_own_form_read(&spaced, text, strlen(text), &sk_test_err));
    sk_own_form_hash(a, text, strlen(text));
    assert_memory_equal(sk_own_form_of(spaced)->hash, a, sizeof(a));
    assert_memory_not_equal(sk_own_form_of(own)->hash, a, sizeof(a));
    EXPECT_OK(sk_own_form_compact(&compact, text, strlen(text), &sk_test_err));
    sk_own_form_hash(b, sk_buf_text(&compact), compact.len);
    assert_memory_equal(sk_own_form_of(own)->hash, b, sizeof(b));
    /* References. */
    struct sk_own_form *other = sk_own_form_ref(own);
    sk_own_form_unref(other);
    assert_string_equal(sk_own_form_of(own)->name, "f");
    sk_own_form_unref(NULL);
}

/* ---- in the log ---- */

static void told(void *context, const char *sentence)
{
    (void)snprintf(context, 400, "%s", sentence);
}

static const char *problem(struct sk_store *store)
{
    static char sentence[400];
    sentence[0] = '\0';
    EXPECT_OK(sk_verify(store, told, sentence, NULL, &sk_test_err));
    return sentence;
}

static uint64_t size_of(struct sk_store *store)
{
    struct sk_log log;
    EXPECT_OK(sk_log_get(store, SK_LOG_OWN, &log, &sk_test_err));
    return log.size;
}

static void a_form_goes_into_the_log_once(void **state)
{
    struct sk_test_store *at = *state;
    sk_auto_own_form one = sk_test_form("f", 1, "F");
    sk_auto_own_form two = sk_test_form("f", 2, "F");
    sk_auto_record record = {.fields = NULL};
    struct sk_id id = sk_test_add_under(at->store, one, "A");
    assert_int_equal(size_of(at->store), 2);
    (void)sk_test_add_under(at->store, one, "B");
    assert_int_equal(size_of(at->store), 3);
    (void)sk_test_add_under(at->store, two, "C");
    assert_int_equal(size_of(at->store), 5);
    sk_test_reopen(at);
    sk_test_edit(at->store, &id, "A again");
    assert_int_equal(size_of(at->store), 6);
    sk_auto_item item = sk_test_item(at->store, &id);
    EXPECT_OK(sk_record_load(at->store, &item, item.position, &record, &sk_test_err));
    assert_int_equal(record.form->version, 1);
    assert_false(record.formless);
    assert_string_equal(problem(at->store), "");
}

#define FORM_COUNT 40 /* more than are kept at hand */

/* The form of that version that the log holds, a reference. */
static struct sk_own_form *form_of_log(struct sk_store *store, unsigned version)
{
    sk_auto_own_form own = sk_test_form("f", version, "F");
    struct sk_own_form *found = NULL;
    EXPECT_OK(sk_log_form(store, SK_LOG_OWN, sk_own_form_of(own)->hash, &found, &sk_test_err));
    assert_non_null(found);
    assert_memory_equal(sk_own_form_of(found)->hash, sk_own_form_of(own)->hash, SK_HASH_LEN);
    assert_int_equal(sk_own_form_of(found)->version, version);
    return found;
}

/* Records may name some forms in turn, and very often: none is read again each time. */
static void forms_in_turn_are_read_once(void **state)
{
    struct sk_test_store *at = *state;
    for (unsigned i = 1; i <= FORM_COUNT; i++) {
        sk_auto_own_form own = sk_test_form("f", i, "F");
        (void)sk_test_add_under(at->store, own, "A");
    }
    sk_test_reopen(at);
    sk_auto_own_form one = form_of_log(at->store, 1);
    sk_auto_own_form two = form_of_log(at->store, 2);
    for (unsigned i = 0; i < 3; i++) {
        sk_auto_own_form one_again = form_of_log(at->store, 1);
        sk_auto_own_form two_again = form_of_log(at->store, 2);
        assert_ptr_equal(one_again, one);
        assert_ptr_equal(two_again, two);
    }
    /* Among very many each is still the right one, and what was needed last is at hand. */
    for (unsigned i = 1; i <= 2 * FORM_COUNT; i++) {
        sk_auto_own_form own = form_of_log(at->store, 1 + i * 7 % FORM_COUNT);
        sk_auto_own_form one_again = form_of_log(at->store, 1);
        assert_ptr_equal(one_again, one);
        sk_auto_own_form same = form_of_log(at->store, 1 + i * 7 % FORM_COUNT);
        assert_ptr_equal(same, own);
    }
    assert_string_equal(problem(at->store), "");
}

static void what_does_not_fit_leaves_no_form(void **state)
{
    struct sk_test_store *at = *state;
    sk_auto_own_form own = sk_test_form("f", 1, "F");
    sk_auto_json fields = json_pack("{s:s, s:i}", "title", "A", "days", 3);
    struct sk_store *txn = NULL;
    struct sk_id id;
    EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
    EXPECT(SK_REFUSED, sk_record_add_under(at->store, own, fields, &id, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    assert_int_equal(size_of(at->store), 0);
}

static void a_form_cannot_be_withdrawn(void **state)
{
    struct sk_test_store *at = *state;
    sk_auto_own_form own = sk_test_form("f", 1, "F");
    struct sk_store *txn = NULL;
    unsigned count = 0;
    (void)sk_test_add_under(at->store, own, "A");
    sk_auto_item item = {.title = NULL};
    sk_auto_stmt stmt = NULL;
    struct sk_id id;
    bool row = false;
    EXPECT_OK(sk_db_prepare(sk_store_db(at->store), &stmt, "SELECT uid FROM item WHERE type = 10",
                            &sk_test_err));
    EXPECT_OK(sk_step(stmt, &row, &sk_test_err));
    EXPECT_OK(sk_column_copy(stmt, 0, id.bytes, SK_ID_LEN, &sk_test_err));
    EXPECT_OK(sk_item_get(at->store, SK_LOG_OWN, &id, &item, &sk_test_err));
    EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
    EXPECT(SK_REFUSED, sk_record_withdraw(at->store, &item, &count, &sk_test_err));
    sk_store_rollback(at->store);
    assert_int_equal(size_of(at->store), 2);
}

static void what_is_noted_is_verified(void **state)
{
    static const char *const wrong[][2] = {
        {"DELETE FROM form_entry", "the form that it is is not noted"},
        {"UPDATE form_entry SET version = 7", "the form that it is is not noted"},
        {"DELETE FROM form_use", "it is not noted which form it needs"},
        {"INSERT INTO form_entry(entry, hash, name, version) VALUES(5, x'00', 'x', 1)",
         "no entry says so"},
        {"INSERT INTO form_use(entry, hash) VALUES(5, x'00')", "no entry says so"},
    };
    struct sk_test_store *at = *state;
    sk_auto_own_form own = sk_test_form("f", 1, "F");
    (void)sk_test_add_under(at->store, own, "A");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        sk_test_sql(at->store, "CREATE TABLE kept_e AS SELECT * FROM form_entry");
        sk_test_sql(at->store, "CREATE TABLE kept_u AS SELECT * FROM form_use");
        sk_test_sql(at->store, wrong[i][0]);
        if (!strstr(problem(at->store), wrong[i][1]))
            fail_msg("%s: %s", wrong[i][0], problem(at->store));
        sk_test_sql(at->store, "DELETE FROM form_entry");
        sk_test_sql(at->store, "DELETE FROM form_use");
        sk_test_sql(at->store, "INSERT INTO form_entry SELECT * FROM kept_e");
        sk_test_sql(at->store, "INSERT INTO form_use SELECT * FROM kept_u");
        sk_test_sql(at->store, "DROP TABLE kept_e");
        sk_test_sql(at->store, "DROP TABLE kept_u");
        assert_string_equal(problem(at->store), "");
    }
}

/* ---- offering ---- */

static enum sk_offer_outcome put(struct sk_store *archive, const char *name, unsigned version,
                                 const char *label)
{
    sk_auto_own_form own = sk_test_form(name, version, label);
    enum sk_offer_outcome outcome = SK_OFFER_KNOWN;
    struct sk_store *txn = NULL;
    EXPECT_OK(sk_store_begin(&txn, archive, &sk_test_err));
    EXPECT_OK(sk_offer_put(archive, 0, own, &outcome, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    return outcome;
}

static void stop(struct sk_store *archive, const char *name, enum sk_status expected)
{
    struct sk_store *txn = NULL;
    EXPECT_OK(sk_store_begin(&txn, archive, &sk_test_err));
    EXPECT(expected, sk_offer_stop(archive, 0, name, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
}

static void versions_only_rise(void **state)
{
    struct sk_test_store *at = *state;
    assert_int_equal(put(at->store, "f", 2, "A"), SK_OFFER_NEW);
    assert_int_equal(put(at->store, "f", 2, "A"), SK_OFFER_KNOWN);
    assert_int_equal(put(at->store, "f", 1, "A"), SK_OFFER_OLDER);
    assert_int_equal(put(at->store, "f", 2, "B"), SK_OFFER_OTHER);
    assert_int_equal(put(at->store, "f", 3, "B"), SK_OFFER_NEW);
    stop(at->store, "g", SK_MISSING);
    stop(at->store, "f", SK_OK);
    stop(at->store, "f", SK_MISSING);
    assert_int_equal(sk_test_sql_int(at->store, "SELECT length(text) FROM form"), 0);
    assert_int_equal(put(at->store, "f", 2, "A"), SK_OFFER_OLDER);
    assert_int_equal(put(at->store, "f", 3, "C"), SK_OFFER_OTHER);
    assert_int_equal(put(at->store, "f", 3, "B"), SK_OFFER_NEW);
}

static void no_more_than_32_are_offered(void **state)
{
    struct sk_test_store *at = *state;
    sk_auto_own_form own = sk_test_form("one-more", 1, "F");
    enum sk_offer_outcome outcome = SK_OFFER_KNOWN;
    struct sk_store *txn = NULL;
    char name[16];
    for (unsigned i = 0; i < SK_OFFERS_MAX; i++) {
        (void)snprintf(name, sizeof(name), "f%u", i);
        assert_int_equal(put(at->store, name, 1, "F"), SK_OFFER_NEW);
    }
    EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
    EXPECT(SK_LIMIT, sk_offer_put(at->store, 0, own, &outcome, &sk_test_err));
    sk_store_rollback(at->store);
    assert_int_equal(put(at->store, "f0", 2, "F"), SK_OFFER_NEW);
    stop(at->store, "f1", SK_OK);
    assert_int_equal(put(at->store, "one-more", 1, "F"), SK_OFFER_NEW);
}

int main(void)
{
#define DEVICE(name)  cmocka_unit_test_setup_teardown(name, sk_test_device, sk_test_remove)
#define ARCHIVE(name) cmocka_unit_test_setup_teardown(name, sk_test_archive, sk_test_remove)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_broken_is_told_by_its_place),
        cmocka_unit_test(no_two_choices_are_alike),
        cmocka_unit_test(names_are_of_few_letters),
        cmocka_unit_test(hostile_forms_cost_little),
        cmocka_unit_test(a_form_is_known_by_its_bytes),
        DEVICE(a_form_goes_into_the_log_once),
        DEVICE(forms_in_turn_are_read_once),
        DEVICE(what_does_not_fit_leaves_no_form),
        DEVICE(a_form_cannot_be_withdrawn),
        DEVICE(what_is_noted_is_verified),
        ARCHIVE(versions_only_rise),
        ARCHIVE(no_more_than_32_are_offered),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}

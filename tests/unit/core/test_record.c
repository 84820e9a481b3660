/*
 * Goal of this test: a documenter's work. Records of all six types are added, edited, linked and
 * withdrawn; what does not fit a form is refused; each revision is kept to the byte, with its
 * special answers, and says what came before it; a withdrawal leaves entries and nothing else.
 */
#include "core/entry.h"
#include "core/verify.h"
#include "crypto/secret.h"
#include "tests/support/stores.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static struct sk_store *begin(struct sk_store *store)
{
    struct sk_store *txn = NULL;
    EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
    return txn;
}

static void commit(struct sk_store *txn)
{
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
}

/* Expects that adding these fields gives `expected`, and leaves nothing. */
static void assert_add(struct sk_store *store, unsigned type, const char *json,
                       enum sk_status expected)
{
    sk_auto_json fields = NULL;
    struct sk_id id;
    EXPECT_OK(sk_json_parse(&fields, json, strlen(json), &sk_test_err));
    struct sk_store *txn = begin(store);
    EXPECT(expected, sk_record_add(store, type, fields, &id, &sk_test_err));
    sk_store_rollback(txn);
}

static void no_problem(void *context, const char *sentence)
{
    (void)context;
    print_error("%s\n", sentence);
    fail();
}

static void assert_clean(struct sk_store *store)
{
    EXPECT_OK(sk_verify(store, no_problem, NULL, NULL, &sk_test_err));
}

static const char *title_of(const struct sk_record *record)
{
    return json_string_value(json_object_get(record->fields, "title"));
}

static void test_all_types(void **state)
{
    struct sk_test_store *at = *state;
    static const char *const titles[] = {"",       "Ганна Прыклад", "Case 7", "Event",
                                         "Spoken", "An article",    "Agreed"};
    struct sk_id ids[SK_TYPE_RECORD_LAST + 1];
    for (unsigned type = SK_TYPE_PERSON; type <= SK_TYPE_RECORD_LAST; type++)
        ids[type] = sk_test_add(at->store, type, titles[type]);
    sk_test_reopen(at);
    for (unsigned type = SK_TYPE_PERSON; type <= SK_TYPE_RECORD_LAST; type++) {
        sk_auto_item item = sk_test_item(at->store, &ids[type]);
        sk_auto_record record = {.fields = NULL};
        assert_int_equal(item.type, type);
        assert_int_equal(item.revision, 1);
        assert_int_equal(item.position, type - 1);
        assert_false(item.erased);
        assert_string_equal(item.title, titles[type]);
        EXPECT_OK(sk_record_load(at->store, &item, item.position, &record, &sk_test_err));
        assert_string_equal(title_of(&record), titles[type]);
        assert_int_equal(record.revision, 1);
        assert_int_equal(record.position, type - 1);
        assert_int_equal(strlen(record.recorded), 25);
    }
    assert_clean(at->store);
}

static void test_refused(void **state)
{
    struct sk_test_store *at = *state;
    assert_add(at->store, SK_TYPE_EVENT, "{}", SK_REFUSED);
    assert_add(at->store, SK_TYPE_EVENT, "{\"title\": \"\"}", SK_REFUSED);
    assert_add(at->store, SK_TYPE_EVENT, "{\"title\": 7}", SK_REFUSED);
    assert_add(at->store, SK_TYPE_EVENT, "{\"title\": \"a\", \"colour\": \"b\"}", SK_REFUSED);
    assert_add(at->store, SK_TYPE_EVENT, "{\"title\": \"a\", \"start\": \"2024-13\"}", SK_REFUSED);
    assert_add(at->store, SK_TYPE_PERSON, "{\"title\": \"a\", \"sex\": \"b\"}", SK_REFUSED);
    assert_add(at->store, SK_TYPE_EVENT, "[]", SK_REFUSED);
    assert_add(at->store, SK_TYPE_LINK, "{\"title\": \"a\"}", SK_USAGE);
    assert_add(at->store, SK_TYPE_ERASURE, "{\"title\": \"a\"}", SK_USAGE);
    assert_add(at->store, 0, "{\"title\": \"a\"}", SK_USAGE);
    assert_int_equal(sk_test_sql_int(at->store, "SELECT count(*) FROM item"), 0);
}

static void test_an_archive_records_nothing(void **state)
{
    struct sk_test_store *at = *state;
    assert_add(at->store, SK_TYPE_EVENT, "{\"title\": \"a\"}", SK_CONFIG);
}

/* The longest record that fits, in several blocks, and one that is longer. */
static void test_long_texts(void **state)
{
    struct sk_test_store *at = *state;
    size_t len = SK_TEXT_MAX;
    char *text = malloc(len + 1);
    assert_non_null(text);
    memset(text, 'a', len);
    text[len] = '\0';
    sk_auto_json fields = json_pack("{s:s, s:s}", "title", "Long", "notes", text);
    struct sk_id id;
    struct sk_store *txn = begin(at->store);
    EXPECT(SK_LIMIT, sk_record_add(at->store, SK_TYPE_EVENT, fields, &id, &sk_test_err));
    sk_store_rollback(txn);

    text[SK_TEXT_MAX - 200] = '\0';
    id = sk_test_add_fields(at->store, SK_TYPE_EVENT,
                            json_pack("{s:s, s:s}", "title", "Long", "notes", text));
    sk_auto_item item = sk_test_item(at->store, &id);
    sk_auto_record record = {.fields = NULL};
    EXPECT_OK(sk_record_load(at->store, &item, item.position, &record, &sk_test_err));
    assert_string_equal(json_string_value(json_object_get(record.fields, "notes")), text);
    assert_int_equal(sk_test_sql_int(at->store, "SELECT length(hashes) FROM payload"), 8 * 32);
    assert_clean(at->store);
    free(text);
}

/* The bytes of a revision, and whether they are what the entry commits to. */
/* A record that the archive would put aside for the number of its values is not made. */
static void test_too_many_values(void **state)
{
    struct sk_store *store = ((struct sk_test_store *)*state)->store;
    sk_auto_json acts = json_array();
    struct sk_id id;
    struct sk_store *txn = begin(store);
    for (size_t i = 0; i < SK_JSON_VALUES_MAX / 2; i++)
        assert_int_equal(json_array_append_new(acts, json_object()), 0);
    sk_auto_json fields = json_pack("{s:s, s:O}", "title", "E", "acts", acts);
    assert_int_equal(sk_record_add(txn, SK_TYPE_EVENT, fields, &id, NULL), SK_REFUSED);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(json_array_remove(acts, 0), 0);
    assert_int_equal(sk_record_add(txn, SK_TYPE_EVENT, fields, &id, NULL), SK_OK);
    commit(txn);
    assert_clean(store);
}

static void assert_text(struct sk_store *store, const struct sk_item *item, uint64_t position,
                        const char *fields)
{
    sk_auto_payload payload = SK_PAYLOAD_INIT;
    sk_auto_record record = {.fields = NULL};
    uint8_t bytes[SK_ENTRY_LEN];
    uint8_t hash[SK_HASH_LEN];
    uint8_t commitment[SK_HASH_LEN];
    struct sk_entry entry;
    bool found = false;
    char expected[512];

    EXPECT_OK(sk_payload_load(store, SK_LOG_OWN, position, &payload, &found, &sk_test_err));
    assert_true(found);
    EXPECT_OK(sk_record_load(store, item, position, &record, &sk_test_err));
    (void)snprintf(expected, sizeof(expected),
                   "{\"form\":\"%s\",\"version\":1,\"recorded\":\"%s\",\"fields\":%s}",
                   sk_type_name(item->type), record.recorded, fields);
    assert_string_equal(sk_buf_text(&payload.text), expected);

    EXPECT_OK(sk_log_entry(store, SK_LOG_OWN, position, bytes, &found, &sk_test_err));
    assert_int_equal(sk_entry_decode(&entry, bytes), SK_OK);
    sk_block_hash(hash, payload.salt, 0, expected, strlen(expected));
    sk_commitment(commitment, &item->id, entry.revision, payload.salt, strlen(expected), 0, hash);
    assert_memory_equal(commitment, entry.commitment, SK_HASH_LEN);
}

static void test_text_to_the_byte(void **state)
{
    struct sk_test_store *at = *state;
    static const char first[] =
        "{\"title\":\"Łucja/\\\"Z\\\"\\n\",\"start\":{\"missing\":\"unknown\"},\"notes\":"
        "{\"missing\":\"refused\"},\"people_affected\":{\"missing\":\"not asked\"},\"place\":\"\"}";
    static const char second[] = "{\"notes\":\"\U0001F54A\u202e\",\"title\":\"Ягораў\"}";
    sk_auto_json fields = NULL;
    EXPECT_OK(sk_json_parse(&fields, first, strlen(first), &sk_test_err));
    struct sk_id id = sk_test_add_fields(at->store, SK_TYPE_EVENT, json_incref(fields));
    sk_auto_json edited = NULL;
    EXPECT_OK(sk_json_parse(&edited, second, strlen(second), &sk_test_err));
    sk_auto_item before = sk_test_item(at->store, &id);
    struct sk_store *txn = begin(at->store);
    EXPECT_OK(sk_record_edit(at->store, &before, edited, &sk_test_err));
    commit(txn);
    sk_test_reopen(at);
    sk_auto_item item = sk_test_item(at->store, &id);
    assert_int_equal(item.revision, 2);
    assert_int_equal(item.position, 1);
    assert_string_equal(item.title, "Ягораў");
    assert_text(at->store, &item, 0, first);
    assert_text(at->store, &item, 1, second);
    assert_clean(at->store);
}

/* History */

struct history {
    uint8_t leaf[SK_MERKLE_LEN]; /* of the entry before */
    uint32_t revision;
    uint64_t position[8];
    unsigned types[8];
};

static enum sk_status note_revision(void *context, uint64_t position, const struct sk_entry *entry,
                                    struct sk_error *err)
{
    struct history *history = context;
    uint8_t bytes[SK_ENTRY_LEN];
    (void)err;
    assert_memory_equal(entry->previous, history->leaf, SK_MERKLE_LEN);
    history->position[history->revision] = position;
    history->types[history->revision] = entry->type;
    assert_int_equal(entry->revision, ++history->revision);
    sk_entry_encode(bytes, entry);
    sk_merkle_leaf(history->leaf, bytes, SK_ENTRY_LEN);
    return history->revision == 7 ? SK_LIMIT : SK_OK;
}

static void test_history(void **state)
{
    struct sk_test_store *at = *state;
    struct history history = {.revision = 0};
    struct sk_id id = sk_test_add(at->store, SK_TYPE_CASE, "One");
    (void)sk_test_add(at->store, SK_TYPE_CASE, "Another");
    sk_test_edit(at->store, &id, "Two");
    sk_test_edit(at->store, &id, "Three");
    assert_int_equal(sk_test_withdraw(at->store, &id), 1);
    sk_auto_item item = sk_test_item(at->store, &id);
    assert_true(item.erased);
    assert_string_equal(item.title, "");
    assert_int_equal(item.type, SK_TYPE_CASE);
    assert_int_equal(item.revision, 4);
    EXPECT_OK(sk_item_history(at->store, &item, note_revision, &history, &sk_test_err));
    static const uint64_t positions[] = {0, 2, 3, 4};
    assert_int_equal(history.revision, 4);
    assert_memory_equal(history.position, positions, sizeof(positions));
    assert_int_equal(history.types[2], SK_TYPE_CASE);
    assert_int_equal(history.types[3], SK_TYPE_ERASURE);

    /* What is left of it has no words, whichever revision is asked for. */
    for (unsigned i = 0; i < 4; i++) {
        sk_auto_record record = {.fields = NULL};
        EXPECT_OK(sk_record_load(at->store, &item, positions[i], &record, &sk_test_err));
        assert_null(record.fields);
        assert_null(record.recorded);
        assert_false(record.malformed);
        assert_int_equal(record.revision, i + 1);
    }
    assert_clean(at->store);
}

static void test_load_what_is_not_there(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_id id = sk_test_add(at->store, SK_TYPE_CASE, "One");
    struct sk_id other = sk_test_add(at->store, SK_TYPE_CASE, "Another");
    sk_auto_item item = sk_test_item(at->store, &id);
    sk_auto_record record = {.fields = NULL};
    EXPECT(SK_DAMAGED, sk_record_load(at->store, &item, 9, &record, &sk_test_err));
    /* An entry of another record is none of this one. */
    EXPECT(SK_DAMAGED, sk_record_load(at->store, &item, 1, &record, &sk_test_err));
    sk_random(&other, sizeof(other));
    EXPECT(SK_MISSING, sk_item_get(at->store, SK_LOG_OWN, &other, &item, &sk_test_err));
    EXPECT(SK_MISSING, sk_item_get(at->store, 2, &id, &item, &sk_test_err));
}

static enum sk_status count_revision(void *context, uint64_t position, const struct sk_entry *entry,
                                     struct sk_error *err)
{
    (void)position, (void)entry, (void)err;
    ++*(unsigned *)context;
    return SK_OK;
}

/* What the database says of a record is not taken for what its log says. */
static void test_damaged_entries(void **state)
{
    struct sk_test_store *at = *state;
    static const char *const damages[] = {
        "UPDATE item SET entry = 7",
        "DELETE FROM entry",
        "UPDATE entry SET bytes = zeroblob(96)",
        "UPDATE entry SET bytes = x'00'",
    };
    struct sk_db *db = sk_store_db(at->store);
    struct sk_id id = sk_test_add(at->store, SK_TYPE_CASE, "One");
    sk_auto_item item = sk_test_item(at->store, &id);
    sk_auto_json fields = sk_test_fields("Two");
    unsigned count = 0;
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        sk_auto_record record = {.fields = NULL};
        EXPECT_OK(sk_db_begin(db, &sk_test_err));
        EXPECT_OK(sk_db_exec(db, damages[i], &sk_test_err));
        EXPECT(SK_DAMAGED, sk_record_edit(at->store, &item, fields, &sk_test_err));
        EXPECT(SK_DAMAGED, sk_record_withdraw(at->store, &item, &count, &sk_test_err));
        if (i > 0)
            EXPECT(SK_DAMAGED, sk_record_load(at->store, &item, 0, &record, &sk_test_err));
        if (i > 1)
            EXPECT(SK_DAMAGED,
                   sk_item_history(at->store, &item, count_revision, &count, &sk_test_err));
        sk_store_rollback(at->store);
    }
    assert_int_equal(count, 0);
}

/* Editing */

static void assert_edit(struct sk_store *store, const struct sk_item *item, const char *title,
                        enum sk_status expected)
{
    sk_auto_json fields = sk_test_fields(title);
    struct sk_store *txn = begin(store);
    EXPECT(expected, sk_record_edit(store, item, fields, &sk_test_err));
    sk_store_rollback(txn);
}

static void test_edit_refused(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_id id = sk_test_add(at->store, SK_TYPE_PERSON, "One");
    sk_auto_item before = sk_test_item(at->store, &id);
    assert_edit(at->store, &before, "", SK_REFUSED);
    sk_test_edit(at->store, &id, "Two");
    assert_edit(at->store, &before, "Three", SK_REFUSED); /* it was changed meanwhile */
    (void)sk_test_withdraw(at->store, &id);
    sk_auto_item after = sk_test_item(at->store, &id);
    assert_edit(at->store, &after, "Three", SK_REFUSED);
    struct sk_store *txn = begin(at->store);
    unsigned count = 0;
    EXPECT(SK_REFUSED, sk_record_withdraw(at->store, &after, &count, &sk_test_err));
    sk_store_rollback(txn);
    assert_clean(at->store);
}

/* Links */

static struct sk_id add_link(struct sk_store *store, const struct sk_id *source, const char *role,
                             const struct sk_id *target)
{
    struct sk_id id;
    sk_auto_item from = sk_test_item(store, source);
    sk_auto_item to = sk_test_item(store, target);
    struct sk_store *txn = begin(store);
    EXPECT_OK(sk_link_add(store, &from, role, &to, &id, &sk_test_err));
    commit(txn);
    return id;
}

struct links {
    unsigned count;
    char roles[8][48];
    struct sk_id ids[8], others[8];
};

static enum sk_status note_link(void *context, const struct sk_id *link, const char *role,
                                const struct sk_id *other, struct sk_error *err)
{
    struct links *links = context;
    (void)err;
    (void)snprintf(links->roles[links->count], sizeof(links->roles[0]), "%s", role);
    links->ids[links->count] = *link;
    links->others[links->count] = *other;
    links->count++;
    return SK_OK;
}

static struct links links_of(struct sk_store *store, const struct sk_id *id, bool incoming)
{
    struct links links = {.count = 0};
    sk_auto_item item = sk_test_item(store, id);
    EXPECT_OK(sk_link_each(store, &item, incoming, note_link, &links, &sk_test_err));
    return links;
}

static void test_links(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_id person = sk_test_add(at->store, SK_TYPE_PERSON, "Person");
    struct sk_id event = sk_test_add(at->store, SK_TYPE_EVENT, "Event");
    struct sk_id source = sk_test_add(at->store, SK_TYPE_SOURCE, "Source");
    struct sk_id victim = add_link(at->store, &person, "victim-of", &event);
    struct sk_id evidence = add_link(at->store, &source, "evidence-for", &event);
    struct sk_id self = add_link(at->store, &person, "same-as", &person);

    struct links in = links_of(at->store, &event, true);
    assert_int_equal(in.count, 2);
    assert_string_equal(in.roles[0], "victim-of");
    assert_string_equal(in.roles[1], "evidence-for");
    assert_memory_equal(&in.ids[0], &victim, SK_ID_LEN);
    assert_memory_equal(&in.ids[1], &evidence, SK_ID_LEN);
    assert_memory_equal(&in.others[0], &person, SK_ID_LEN);
    assert_int_equal(links_of(at->store, &event, false).count, 0);
    struct links out = links_of(at->store, &person, false);
    assert_int_equal(out.count, 2);
    assert_memory_equal(&out.others[0], &event, SK_ID_LEN);
    assert_memory_equal(&out.ids[1], &self, SK_ID_LEN);

    sk_auto_item link = sk_test_item(at->store, &victim);
    assert_int_equal(link.type, SK_TYPE_LINK);
    assert_string_equal(link.title, "victim-of");
    assert_edit(at->store, &link, "No record", SK_REFUSED);
    assert_int_equal(sk_test_withdraw(at->store, &victim), 1);
    assert_int_equal(links_of(at->store, &event, true).count, 1);
    assert_clean(at->store);
}

static void assert_link(struct sk_store *store, const struct sk_id *source, const char *role,
                        const struct sk_id *target, enum sk_status expected)
{
    struct sk_id id;
    sk_auto_item from = sk_test_item(store, source);
    sk_auto_item to = sk_test_item(store, target);
    struct sk_store *txn = begin(store);
    EXPECT(expected, sk_link_add(store, &from, role, &to, &id, &sk_test_err));
    sk_store_rollback(txn);
}

static void test_links_refused(void **state)
{
    struct sk_test_store *at = *state;
    static const char *const bad[] = {
        "",        "Victim-of", "victim of", "victim_of",
        "-victim", "роля",      "a\n",       "12345678901234567890123456789012345678901"};
    struct sk_id a = sk_test_add(at->store, SK_TYPE_PERSON, "A");
    struct sk_id b = sk_test_add(at->store, SK_TYPE_EVENT, "B");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_link(at->store, &a, bad[i], &b, SK_USAGE);
    assert_link(at->store, &a, "1234567890123456789012345678901234567890", &b, SK_OK);
    struct sk_id link = add_link(at->store, &a, "victim-of", &b);
    assert_link(at->store, &a, "victim-of", &link, SK_REFUSED);
    assert_link(at->store, &link, "victim-of", &a, SK_REFUSED);
    (void)sk_test_withdraw(at->store, &b);
    assert_link(at->store, &a, "victim-of", &b, SK_REFUSED);
    assert_link(at->store, &b, "victim-of", &a, SK_REFUSED);
}

/* Withdrawing */

static void test_withdraw_takes_what_hangs_on_it(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_id person = sk_test_add(at->store, SK_TYPE_PERSON, "Person");
    struct sk_id event = sk_test_add(at->store, SK_TYPE_EVENT, "Event");
    (void)add_link(at->store, &person, "victim-of", &event);
    (void)add_link(at->store, &event, "happened-to", &person);
    (void)add_link(at->store, &event, "same-as", &event);
    assert_int_equal(sk_test_withdraw(at->store, &person), 3);
    assert_int_equal(links_of(at->store, &event, true).count, 1);
    assert_int_equal(sk_test_withdraw(at->store, &event), 2);
    assert_int_equal(sk_test_sql_int(at->store, "SELECT count(*) FROM payload"), 0);
    assert_int_equal(sk_test_sql_int(at->store, "SELECT count(*) FROM link"), 0);
    assert_int_equal(sk_test_sql_int(at->store, "SELECT count(*) FROM entry"), 10);
    assert_clean(at->store);
    sk_test_reopen(at);
    assert_clean(at->store);
}

static void test_withdraw_rolled_back(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_id id = sk_test_add(at->store, SK_TYPE_PERSON, "Stays");
    sk_auto_item item = sk_test_item(at->store, &id);
    unsigned count = 0;
    struct sk_store *txn = begin(at->store);
    EXPECT_OK(sk_record_withdraw(at->store, &item, &count, &sk_test_err));
    sk_store_rollback(txn);
    sk_auto_item after = sk_test_item(at->store, &id);
    assert_false(after.erased);
    assert_string_equal(after.title, "Stays");
    assert_clean(at->store);
}

#define TEST(name)    cmocka_unit_test_setup_teardown(name, sk_test_device, sk_test_remove)
#define ARCHIVE(name) cmocka_unit_test_setup_teardown(name, sk_test_archive, sk_test_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_all_types),
        TEST(test_refused),
        ARCHIVE(test_an_archive_records_nothing),
        TEST(test_long_texts),
        TEST(test_too_many_values),
        TEST(test_text_to_the_byte),
        TEST(test_history),
        TEST(test_load_what_is_not_there),
        TEST(test_damaged_entries),
        TEST(test_edit_refused),
        TEST(test_links),
        TEST(test_links_refused),
        TEST(test_withdraw_takes_what_hangs_on_it),
        TEST(test_withdraw_rolled_back),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}

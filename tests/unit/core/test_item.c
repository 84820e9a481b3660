/*
 * Goal of this test: items are found and listed as a person expects, and what comes from other
 * devices, in any order and with gaps, ends in the same state: the newest well-formed revision is
 * shown, what is malformed is kept and marked, what was withdrawn is gone and stays gone.
 */
#include "core/item.h"
#include "core/media.h"
#include "core/record.h"
#include "crypto/secret.h"
#include "tests/support/stores.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

struct titles {
    unsigned count;
    char text[16][64];
};

static enum sk_status note_title(void *context, const struct sk_item *item, struct sk_error *err)
{
    struct titles *titles = context;
    (void)err;
    (void)snprintf(titles->text[titles->count++], sizeof(titles->text[0]), "%s", item->title);
    return SK_OK;
}

static struct titles list(struct sk_store *store, unsigned type)
{
    struct titles titles = {.count = 0};
    EXPECT_OK(sk_item_each(store, type, note_title, &titles, &sk_test_err));
    return titles;
}

static struct titles search(struct sk_store *store, const char *text)
{
    struct titles titles = {.count = 0};
    EXPECT_OK(sk_item_search(store, text, note_title, &titles, &sk_test_err));
    return titles;
}

/* Finding and listing */

static void assert_find(struct sk_store *store, const char *text, enum sk_status expected)
{
    sk_auto_item item = {.title = NULL};
    EXPECT(expected, sk_item_find(store, text, &item, &sk_test_err));
    if (expected != SK_OK)
        assert_null(item.title);
}

static void test_find(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_id id = sk_test_add(at->store, SK_TYPE_PERSON, "Found");
    char text[SK_ID_TEXT_LEN + 1];
    sk_id_format(text, &id);
    for (size_t len = SK_ID_TEXT_LEN - 1; len >= 4; len--) {
        text[len] = '\0';
        assert_find(at->store, text, SK_OK);
        for (char *c = text; *c; c++) {
            if (*c >= 'a')
                *c = (char)(*c - 'a' + 'A');
        }
        assert_find(at->store, text, SK_OK);
    }
    static const char *const wrong[] = {
        "", "a", "abc", "xyzw", "12 4", "ганна", "000000000000000000000000000000000"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_find(at->store, wrong[i], SK_USAGE);
    sk_id_format(text, &id);
    text[31] = text[31] == '0' ? '1' : '0';
    assert_find(at->store, text, SK_MISSING);
    text[30] = 'g';
    assert_find(at->store, text, SK_USAGE);
}

static void test_find_ambiguous(void **state)
{
    struct sk_test_store *at = *state;
    (void)sk_test_add(at->store, SK_TYPE_PERSON, "One");
    (void)sk_test_add(at->store, SK_TYPE_PERSON, "Two");
    sk_test_sql(at->store,
                "UPDATE item SET uid = x'abcdef00000000000000000000000000' WHERE id = 1;"
                "UPDATE item SET uid = x'abcdffffffffffffffffffffffffffff' WHERE id = 2");
    assert_find(at->store, "abcd", SK_USAGE);
    assert_find(at->store, "abcde", SK_OK);
    assert_find(at->store, "ABCDF", SK_OK);
    assert_find(at->store, "abcdefff", SK_MISSING);
}

static void test_find_what_was_withdrawn(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_id id = sk_test_add(at->store, SK_TYPE_PERSON, "Gone");
    char text[SK_ID_TEXT_LEN];
    sk_id_format(text, &id);
    (void)sk_test_withdraw(at->store, &id);
    sk_auto_item item = {.title = NULL};
    EXPECT_OK(sk_item_find(at->store, text, &item, &sk_test_err));
    assert_true(item.erased);
}

static void test_list(void **state)
{
    struct sk_test_store *at = *state;
    (void)sk_test_add(at->store, SK_TYPE_PERSON, "Person");
    struct sk_id first = sk_test_add(at->store, SK_TYPE_EVENT, "First");
    (void)sk_test_add(at->store, SK_TYPE_EVENT, "Second");
    struct sk_id gone = sk_test_add(at->store, SK_TYPE_EVENT, "Gone");
    (void)sk_test_withdraw(at->store, &gone);
    sk_test_edit(at->store, &first, "First again");

    struct titles titles = list(at->store, SK_TYPE_EVENT);
    assert_int_equal(titles.count, 2);
    assert_string_equal(titles.text[0], "Second");
    assert_string_equal(titles.text[1], "First again");
    titles = list(at->store, 0);
    assert_int_equal(titles.count, 3);
    assert_string_equal(titles.text[2], "Person");
    assert_int_equal(list(at->store, SK_TYPE_CASE).count, 0);
}

/* A person without a title is called by the name. */
static void test_title_falls_back(void **state)
{
    struct sk_test_store *at = *state;
    (void)sk_test_add_fields(at->store, SK_TYPE_PERSON, json_pack("{s:s}", "name", "Ганна"));
    (void)sk_test_add_fields(at->store, SK_TYPE_PERSON,
                             json_pack("{s:s, s:s}", "title", " ", "name", "Anna"));
    (void)sk_test_add_fields(
        at->store, SK_TYPE_PERSON,
        json_pack("{s:{s:s}, s:s}", "title", "missing", "unknown", "name", "Hanna"));
    (void)sk_test_add_fields(at->store, SK_TYPE_EVENT,
                             json_pack("{s:{s:s}}", "title", "missing", "refused"));
    struct titles titles = list(at->store, 0);
    assert_int_equal(titles.count, 4);
    assert_string_equal(titles.text[0], "");
    assert_string_equal(titles.text[1], "Hanna");
    assert_string_equal(titles.text[2], "Anna");
    assert_string_equal(titles.text[3], "Ганна");
}

static enum sk_status stop(void *context, const struct sk_item *item, struct sk_error *err)
{
    (void)item, (void)err;
    ++*(int *)context;
    return SK_LIMIT;
}

static void test_callback_stops(void **state)
{
    struct sk_test_store *at = *state;
    int count = 0;
    (void)sk_test_add(at->store, SK_TYPE_EVENT, "One");
    (void)sk_test_add(at->store, SK_TYPE_EVENT, "Two");
    assert_int_equal(sk_item_each(at->store, 0, stop, &count, NULL), SK_LIMIT);
    assert_int_equal(count, 1);
}

/* What comes from elsewhere: an archive with two logs, and a scripted device. */

static void begin_logs(struct sk_test_store *at)
{
    for (uint8_t number = 1; number <= 2; number++) {
        struct sk_log log = {.state = SK_LOG_STATE_ENROLLED, .alias = "Heron"};
        memset(log.log_id, number, sizeof(log.log_id));
        EXPECT_OK(sk_log_create(at->store, &log, &sk_test_err));
        assert_int_equal(log.id, number);
    }
}

static struct sk_id id_of(uint8_t number)
{
    struct sk_id id;
    memset(id.bytes, number, sizeof(id.bytes));
    return id;
}

static struct sk_entry entry_of(unsigned type, uint8_t id, uint32_t revision)
{
    struct sk_entry entry = {.type = (uint16_t)type, .revision = revision, .id = id_of(id)};
    memset(entry.commitment, 1, sizeof(entry.commitment));
    if (revision > 1)
        memset(entry.previous, 2, sizeof(entry.previous));
    return entry;
}

static struct sk_entry erasure_of(unsigned type, uint8_t id, uint32_t revision)
{
    struct sk_entry entry = entry_of(SK_TYPE_ERASURE, id, revision);
    entry.flags = type;
    memset(entry.commitment, 0, sizeof(entry.commitment));
    return entry;
}

#define RECORDED "\"recorded\":\"2024-07-14T14:30:05+03:00\""

/* The payload of an event with that title. */
static void payload_of(struct sk_payload *payload, const char *text)
{
    uint8_t hash[SK_HASH_LEN] = {0};
    sk_buf_reset(&payload->text);
    sk_buf_reset(&payload->hashes);
    EXPECT_OK(sk_buf_add_text(&payload->text, text, &sk_test_err));
    EXPECT_OK(sk_buf_add(&payload->hashes, hash, sizeof(hash), &sk_test_err));
}

static const char *event_text(const char *title)
{
    static char text[256];
    (void)snprintf(text, sizeof(text),
                   "{\"form\":\"event\",\"version\":1," RECORDED ",\"fields\":{\"title\":\"%s\"}}",
                   title);
    return text;
}

/* Puts with a text, or without when it is NULL; whether it was malformed. */
static bool put(struct sk_store *store, int64_t log, uint64_t position, struct sk_entry entry,
                const char *text)
{
    sk_auto_payload payload = SK_PAYLOAD_INIT;
    bool malformed = true;
    if (text)
        payload_of(&payload, text);
    EXPECT_OK(sk_item_put(store, log, position, &entry, text ? &payload : NULL, &malformed,
                          &sk_test_err));
    return malformed;
}

static bool fill(struct sk_store *store, int64_t log, uint64_t position, const char *text,
                 bool *malformed)
{
    sk_auto_payload payload = SK_PAYLOAD_INIT;
    bool kept = false;
    payload_of(&payload, text);
    EXPECT_OK(sk_item_fill(store, log, position, &payload, &kept, malformed, &sk_test_err));
    return kept;
}

static void assert_item(struct sk_store *store, int64_t log, uint8_t id, const char *title,
                        uint32_t revision, uint64_t position)
{
    struct sk_id wanted = id_of(id);
    sk_auto_item item = {.title = NULL};
    EXPECT_OK(sk_item_get(store, log, &wanted, &item, &sk_test_err));
    assert_string_equal(item.title, title);
    assert_int_equal(item.revision, revision);
    assert_int_equal(item.position, position);
}

/* One device's log: three events with three revisions each, one of them withdrawn at the end. */
#define STEPS 10
static void step(struct sk_store *store, unsigned number)
{
    static const char *const titles[] = {"heron one",   "stork one",   "crane one",
                                         "heron two",   "stork two",   "crane two",
                                         "heron three", "stork three", "crane three"};
    uint8_t id = (uint8_t)(number % 3 + 1);
    if (number == STEPS - 1)
        assert_false(put(store, 1, number, erasure_of(SK_TYPE_EVENT, 2, 4), NULL));
    else
        assert_false(put(store, 1, number, entry_of(SK_TYPE_EVENT, id, number / 3 + 1),
                         event_text(titles[number])));
}

static void assert_final(struct sk_store *store)
{
    assert_item(store, 1, 1, "heron three", 3, 6);
    assert_item(store, 1, 3, "crane three", 3, 8);
    assert_item(store, 1, 2, "", 4, 9);
    struct sk_id gone = id_of(2);
    sk_auto_item item = {.title = NULL};
    EXPECT_OK(sk_item_get(store, 1, &gone, &item, &sk_test_err));
    assert_true(item.erased);
    assert_int_equal(search(store, "three").count, 2);
    assert_int_equal(search(store, "one").count + search(store, "two").count, 0);
    assert_int_equal(search(store, "stork").count, 0);
    assert_int_equal(sk_test_sql_int(store, "SELECT count(*) FROM payload"), 6);
    assert_int_equal(list(store, 0).count, 2);
}

static void test_any_order(void **state)
{
    struct sk_test_store *at = *state;
    begin_logs(at);
    for (unsigned round = 0; round < 40; round++) {
        struct sk_store *txn = NULL;
        unsigned order[STEPS] = {0};
        EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
        for (unsigned i = 0; i < STEPS; i++) {
            unsigned j = sk_random_below(i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        for (unsigned i = 0; i < STEPS; i++)
            step(at->store, order[i]);
        assert_final(at->store);
        sk_store_rollback(txn);
    }
}

/* Entries first, all of them; payloads later, in another order, with some that never come. */
static void test_filled_later(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_store *txn = NULL;
    bool malformed = true;
    begin_logs(at);
    EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
    for (uint32_t i = 0; i < 3; i++)
        assert_false(put(at->store, 1, i, entry_of(SK_TYPE_EVENT, 1, i + 1), NULL));
    assert_item(at->store, 1, 1, "", 3, 2);
    assert_int_equal(list(at->store, 0).count, 0);

    assert_true(fill(at->store, 1, 1, event_text("second"), &malformed));
    assert_false(malformed);
    assert_item(at->store, 1, 1, "second", 3, 1);
    assert_false(fill(at->store, 1, 1, event_text("again"), &malformed));
    assert_true(fill(at->store, 1, 0, event_text("first"), &malformed));
    assert_item(at->store, 1, 1, "second", 3, 1);
    assert_true(fill(at->store, 1, 2, "no JSON", &malformed));
    assert_true(malformed);
    assert_item(at->store, 1, 1, "second", 3, 1);
    assert_int_equal(search(at->store, "first").count, 0);
    assert_int_equal(search(at->store, "second").count, 1);

    assert_false(put(at->store, 1, 9, erasure_of(SK_TYPE_EVENT, 1, 4), NULL));
    assert_int_equal(search(at->store, "second").count, 0);
    assert_false(fill(at->store, 1, 2, event_text("late"), &malformed));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    assert_int_equal(sk_test_sql_int(at->store, "SELECT count(*) FROM payload"), 0);
}

static void test_fill_refused(void **state)
{
    struct sk_test_store *at = *state;
    sk_auto_payload payload = SK_PAYLOAD_INIT;
    bool kept = false;
    begin_logs(at);
    payload_of(&payload, event_text("nowhere"));
    EXPECT(SK_REFUSED, sk_item_fill(at->store, 1, 0, &payload, &kept, NULL, &sk_test_err));
    assert_false(put(at->store, 1, 0, erasure_of(SK_TYPE_EVENT, 1, 2), NULL));
    EXPECT(SK_REFUSED, sk_item_fill(at->store, 1, 0, &payload, &kept, NULL, &sk_test_err));
    struct sk_entry entry = entry_of(SK_TYPE_EVENT, 2, 1);
    EXPECT(SK_REFUSED, sk_item_put(at->store, 1, 0, &entry, NULL, NULL, &sk_test_err));
}

static enum sk_status note_reason(void *context, int64_t log, uint64_t position, const char *reason,
                                  struct sk_error *err)
{
    unsigned *count = context;
    (void)err;
    assert_int_equal(log, 1);
    assert_int_equal(position, *count);
    assert_string_not_equal(reason, "");
    assert_null(strstr(reason, "SECRET"));
    ++*count;
    return SK_OK;
}

#define LINK       "{" RECORDED ",\"source\":\"0102030405060708090a0b0c0d0e0f10\","
#define LINK_END   ",\"target\":\"0102030405060708090a0b0c0d0e0f10\"}"
#define ATTACHMENT "{" RECORDED ",\"record\":\"0102030405060708090a0b0c0d0e0f10\",\"name\":"
#define DIGEST     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const struct {
    unsigned type;
    const char *text;
} malformed_rows[] = {
    {SK_TYPE_EVENT, ""},
    {SK_TYPE_EVENT, "SECRET"},
    {SK_TYPE_EVENT, "[]"},
    {SK_TYPE_EVENT, "{}"},
    {SK_TYPE_EVENT, "{\"form\":\"event\",\"version\":1," RECORDED "}"},
    {SK_TYPE_EVENT, "{\"form\":\"event\",\"version\":1," RECORDED ",\"SECRET\":1}"},
    {SK_TYPE_EVENT, "{\"form\":\"event\",\"version\":1," RECORDED ",\"fields\":\"SECRET\"}"},
    {SK_TYPE_EVENT, "{\"form\":\"event\",\"version\":1," RECORDED ",\"fields\":{\"SECRET\":1}}"},
    {SK_TYPE_EVENT, "{\"form\":\"event\",\"version\":1," RECORDED ",\"fields\":{}}"},
    {SK_TYPE_EVENT,
     "{\"form\":\"event\",\"version\":2," RECORDED ",\"fields\":{\"title\":\"SECRET\"}}"},
    {SK_TYPE_EVENT,
     "{\"form\":\"event\",\"version\":0," RECORDED ",\"fields\":{\"title\":\"SECRET\"}}"},
    {SK_TYPE_EVENT,
     "{\"form\":\"event\",\"version\":\"1\"," RECORDED ",\"fields\":{\"title\":\"SECRET\"}}"},
    {SK_TYPE_EVENT,
     "{\"form\":\"case\",\"version\":1," RECORDED ",\"fields\":{\"title\":\"SECRET\"}}"},
    {SK_TYPE_EVENT, "{\"form\":\"event\",\"version\":1,\"recorded\":\"SECRET\","
                    "\"fields\":{\"title\":\"SECRET\"}}"},
    {SK_TYPE_EVENT, "{\"form\":\"event\",\"version\":1," RECORDED
                    ",\"fields\":{\"title\":\"SECRET\"},\"more\":1}"},
    {SK_TYPE_LINK, "{}"},
    {SK_TYPE_LINK, LINK "\"role\":\"SECRET\"" LINK_END},
    {SK_TYPE_LINK, LINK "\"role\":7" LINK_END},
    {SK_TYPE_LINK, LINK "\"role\":\"a\",\"target\":\"01\"}"},
    {SK_TYPE_ATTACHMENT, "{}"},
    {SK_TYPE_ATTACHMENT,
     ATTACHMENT "\"../SECRET\",\"type\":\"a/b\",\"size\":0,\"sha256\":\"" DIGEST "\"}"},
    {SK_TYPE_ATTACHMENT, ATTACHMENT "\"\",\"type\":\"a/b\",\"size\":0,\"sha256\":\"" DIGEST "\"}"},
    {SK_TYPE_ATTACHMENT, ATTACHMENT "\"a\",\"type\":\"a/b\",\"size\":1,\"sha256\":\"" DIGEST "\"}"},
    {SK_TYPE_ATTACHMENT,
     ATTACHMENT "\"a\",\"type\":\"a/b\",\"size\":-1,\"sha256\":\"" DIGEST "\"}"},
    {SK_TYPE_ATTACHMENT, ATTACHMENT "\"a\",\"type\":\"a/b\",\"size\":0,\"sha256\":\"0x\"}"},
    {SK_TYPE_ATTACHMENT,
     ATTACHMENT "\"..\",\"type\":\"a/b\",\"size\":0,\"sha256\":\"" DIGEST "\"}"},
    {SK_TYPE_FORM, "{\"form\":\"event\",\"version\":1," RECORDED ",\"fields\":{}}"},
};
#define MALFORMED (sizeof(malformed_rows) / sizeof(malformed_rows[0]))

static void test_malformed(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_store *txn = NULL;
    unsigned count = 0;
    begin_logs(at);
    EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
    for (unsigned i = 0; i < MALFORMED; i++) {
        if (!put(at->store, 1, i, entry_of(malformed_rows[i].type, (uint8_t)(i + 1), 1),
                 malformed_rows[i].text)) {
            print_error("taken for well formed: %s\n", malformed_rows[i].text);
            fail();
        }
    }
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    EXPECT_OK(sk_malformed_each(at->store, 1, note_reason, &count, &sk_test_err));
    assert_int_equal(count, MALFORMED);
    count = 0;
    EXPECT_OK(sk_malformed_each(at->store, 2, note_reason, &count, &sk_test_err));
    assert_int_equal(count, 0);
    assert_int_equal(list(at->store, 0).count, 0);
    assert_int_equal(search(at->store, "SECRET").count, 0);
    assert_int_equal(sk_test_sql_int(at->store, "SELECT count(*) FROM payload"), MALFORMED);
}

/* Old revisions that are no records are said to be so, and do not keep from reading the others. */
static void test_load_malformed(void **state)
{
    struct sk_test_store *at = *state;
    static const char *const texts[] = {"", "SECRET", "[]", "{\"fields\":7," RECORDED "}",
                                        "{\"fields\":{\"title\":\"a\"}}"};
    struct sk_id id = id_of(1);
    begin_logs(at);
    assert_false(put(at->store, 1, 0, entry_of(SK_TYPE_EVENT, 1, 1), event_text("first")));
    for (uint32_t i = 0; i < 5; i++)
        assert_true(put(at->store, 1, i + 1, entry_of(SK_TYPE_EVENT, 1, i + 2), texts[i]));
    assert_false(put(at->store, 1, 6, entry_of(SK_TYPE_EVENT, 1, 7), NULL));
    sk_auto_item item = {.title = NULL};
    EXPECT_OK(sk_item_get(at->store, 1, &id, &item, &sk_test_err));
    assert_int_equal(item.position, 0);
    for (uint64_t position = 0; position < 7; position++) {
        sk_auto_record record = {.fields = NULL};
        EXPECT_OK(sk_record_load(at->store, &item, position, &record, &sk_test_err));
        assert_int_equal(record.revision, position + 1);
        assert_int_equal(record.malformed, position > 0 && position < 6);
        assert_int_equal(record.fields != NULL, position == 0);
    }
}

/* A later revision of another type is kept, but never changes what the record is. */
static void test_type_never_changes(void **state)
{
    struct sk_test_store *at = *state;
    begin_logs(at);
    assert_false(put(at->store, 1, 0, entry_of(SK_TYPE_EVENT, 1, 1), event_text("event")));
    assert_true(put(at->store, 1, 1, entry_of(SK_TYPE_CASE, 1, 2), event_text("case")));
    assert_item(at->store, 1, 1, "event", 2, 0);
}

/* A well-formed link and attachment of a foreign device, its edits, and a body that is missing. */
static void test_foreign_link_and_attachment(void **state)
{
    struct sk_test_store *at = *state;
    begin_logs(at);
    assert_false(
        put(at->store, 1, 0, entry_of(SK_TYPE_LINK, 1, 1), LINK "\"role\":\"same-as\"" LINK_END));
    assert_false(
        put(at->store, 1, 1, entry_of(SK_TYPE_LINK, 1, 2), LINK "\"role\":\"part-of\"" LINK_END));
    assert_false(put(at->store, 1, 2, entry_of(SK_TYPE_ATTACHMENT, 2, 1),
                     ATTACHMENT "\"a.txt\",\"type\":\"a/b\",\"size\":0,\"sha256\":\"" DIGEST
                                "\"}"));
    assert_int_equal(sk_test_sql_int(at->store, "SELECT count(*) FROM link"), 1);
    assert_int_equal(sk_test_sql_int(at->store, "SELECT count(*) FROM link WHERE role='part-of'"),
                     1);
    assert_int_equal(sk_test_sql_int(at->store, "SELECT count(*) FROM attachment"), 1);
    assert_false(put(at->store, 1, 3, erasure_of(SK_TYPE_LINK, 1, 3), NULL));
    assert_false(put(at->store, 1, 4, erasure_of(SK_TYPE_ATTACHMENT, 2, 2), NULL));
    assert_int_equal(sk_test_sql_int(at->store, "SELECT count(*) FROM link"), 0);
    assert_int_equal(sk_test_sql_int(at->store, "SELECT count(*) FROM attachment"), 0);
}

/* Two devices use the same id, by chance or on purpose: two things, none touches the other. */
static void test_same_id_in_two_logs(void **state)
{
    struct sk_test_store *at = *state;
    char text[SK_ID_TEXT_LEN];
    struct sk_id id = id_of(1);
    begin_logs(at);
    assert_false(put(at->store, 1, 0, entry_of(SK_TYPE_EVENT, 1, 1), event_text("mine")));
    assert_false(put(at->store, 2, 0, entry_of(SK_TYPE_EVENT, 1, 1), event_text("yours")));
    assert_item(at->store, 1, 1, "mine", 1, 0);
    assert_item(at->store, 2, 1, "yours", 1, 0);
    sk_id_format(text, &id);
    assert_find(at->store, text, SK_USAGE);
    assert_false(put(at->store, 2, 1, erasure_of(SK_TYPE_EVENT, 1, 2), NULL));
    assert_item(at->store, 1, 1, "mine", 1, 0);
    assert_int_equal(search(at->store, "mine").count, 1);
    assert_int_equal(search(at->store, "yours").count, 0);
}

/* A media file with one byte, and a payload that names it. */
static void payload_with_media(struct sk_store *store, struct sk_payload *payload)
{
    uint8_t hash[SK_HASH_LEN] = {0};
    sk_auto_media_writer writer = NULL;
    EXPECT_OK(sk_media_create(store, &writer, &sk_test_err));
    EXPECT_OK(sk_media_write(writer, "a", 1, &sk_test_err));
    EXPECT_OK(sk_media_finish(writer, &sk_test_err));
    EXPECT_OK(sk_media_keep(writer, &payload->media, &sk_test_err));
    payload_of(payload, ATTACHMENT "\"a\",\"type\":\"a/b\",\"size\":1,\"sha256\":\"" DIGEST "\"}");
    EXPECT_OK(sk_buf_add(&payload->hashes, hash, sizeof(hash), &sk_test_err));
    payload->body_len = 1;
}

static void assert_media(const struct sk_test_store *at, unsigned count)
{
    assert_int_equal(sk_test_sql_int(at->store, "SELECT count(*) FROM media"), count);
    assert_int_equal(sk_test_count_files(sk_test_path(at, "store/media")), count);
}

/* Bytes that came for something withdrawn do not stay behind under media/. */
static void test_media_of_what_was_withdrawn(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_store *txn = NULL;
    sk_auto_payload payload = SK_PAYLOAD_INIT;
    struct sk_entry entry = entry_of(SK_TYPE_ATTACHMENT, 1, 1);
    begin_logs(at);
    assert_false(put(at->store, 1, 1, erasure_of(SK_TYPE_ATTACHMENT, 1, 2), NULL));
    EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
    payload_with_media(at->store, &payload);
    EXPECT_OK(sk_item_put(at->store, 1, 0, &entry, &payload, NULL, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    assert_media(at, 0);
}

/* Nor do those that came a second time; those that came first go with the withdrawal. */
static void test_media_that_came_twice(void **state)
{
    struct sk_test_store *at = *state;
    bool kept = false;
    begin_logs(at);
    assert_false(put(at->store, 1, 0, entry_of(SK_TYPE_ATTACHMENT, 1, 1), NULL));
    for (int i = 0; i < 2; i++) {
        struct sk_store *txn = NULL;
        sk_auto_payload payload = SK_PAYLOAD_INIT;
        EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
        payload_with_media(at->store, &payload);
        EXPECT_OK(sk_item_fill(at->store, 1, 0, &payload, &kept, NULL, &sk_test_err));
        assert_int_equal(kept, i == 0);
        EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
        assert_media(at, 1);
    }
    struct sk_store *txn = NULL;
    EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
    assert_false(put(at->store, 1, 1, erasure_of(SK_TYPE_ATTACHMENT, 1, 2), NULL));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    assert_media(at, 0);
}

static void test_damaged_payload(void **state)
{
    struct sk_test_store *at = *state;
    sk_auto_payload payload = SK_PAYLOAD_INIT;
    bool found = true;
    (void)sk_test_add(at->store, SK_TYPE_EVENT, "One");
    EXPECT_OK(sk_payload_load(at->store, SK_LOG_OWN, 7, &payload, &found, &sk_test_err));
    assert_false(found);
    sk_test_sql(at->store, "UPDATE payload SET hashes = x''");
    EXPECT(SK_DAMAGED, sk_payload_load(at->store, SK_LOG_OWN, 0, &payload, &found, &sk_test_err));
    sk_test_sql(at->store, "UPDATE payload SET salt = x'01'");
    EXPECT(SK_DAMAGED, sk_payload_load(at->store, SK_LOG_OWN, 0, &payload, &found, &sk_test_err));
}

#define TEST(name)    cmocka_unit_test_setup_teardown(name, sk_test_device, sk_test_remove)
#define ARCHIVE(name) cmocka_unit_test_setup_teardown(name, sk_test_archive, sk_test_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_find),
        TEST(test_find_ambiguous),
        TEST(test_find_what_was_withdrawn),
        TEST(test_list),
        TEST(test_title_falls_back),
        TEST(test_callback_stops),
        ARCHIVE(test_any_order),
        ARCHIVE(test_filled_later),
        ARCHIVE(test_fill_refused),
        ARCHIVE(test_malformed),
        ARCHIVE(test_load_malformed),
        ARCHIVE(test_type_never_changes),
        ARCHIVE(test_foreign_link_and_attachment),
        ARCHIVE(test_same_id_in_two_logs),
        ARCHIVE(test_media_of_what_was_withdrawn),
        ARCHIVE(test_media_that_came_twice),
        TEST(test_damaged_payload),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}

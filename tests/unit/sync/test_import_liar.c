/*
 * Goal of this test: a device that holds its real keys and signs whatever it likes changes nothing
 * of what another device sent, whatever ids it takes; what an archive makes of it follows from what
 * is held, in whatever order and in whatever bundles it came, also where one log continues another;
 * and afterwards the archive verifies, answers every device, and takes what an honest one sends.
 *
 * Sequences are drawn from a seed, which a failure names.
 */
#include "core/file.h"
#include "tests/support/effort.h"
#include "tests/support/exchange.h"
#include "tests/support/liar.h"
#include "tests/support/lineage.h"
#include "tests/support/own_form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t random_state;

static uint32_t draw(uint32_t below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % below;
}

/* ---- what another device sent ---- */

/* What a log holds and what hangs on it, without what other logs have. */
static const char *const queries_of_log[] = {
    "SELECT hex(uid) || type || '/' || revision || '/' || entry || '/' || shown || '/' || erased "
    "|| "
    "title FROM item WHERE log = ?1 ORDER BY uid",
    "SELECT id || hex(text) FROM payload WHERE id >> 40 = ?1 ORDER BY id",
    "SELECT entry || reason FROM malformed WHERE entry >> 40 = ?1 ORDER BY entry",
    "SELECT hex(uid) || hex(source) || role || hex(target) FROM link JOIN item ON "
    "item.id = link.item WHERE log = ?1 ORDER BY uid",
    "SELECT hex(uid) || hex(record) || name FROM attachment JOIN item ON "
    "item.id = attachment.item WHERE log = ?1 ORDER BY uid",
    "SELECT size || hex(peaks) || note || state FROM log WHERE id = ?1",
};

static void hash_log(struct sk_store *store, int64_t log, uint8_t out[static SK_HASH_LEN])
{
    struct sk_hash hash;
    sk_hash_init(&hash, NULL, SK_LABEL_FILE);
    for (size_t i = 0; i < sizeof(queries_of_log) / sizeof(queries_of_log[0]); i++) {
        sk_auto_stmt stmt = NULL;
        bool row = true;
        EXPECT_OK(sk_db_prepare(sk_store_db(store), &stmt, queries_of_log[i], &sk_test_err));
        sk_bind_int(stmt, 1, log);
        while (row) {
            EXPECT_OK(sk_step(stmt, &row, &sk_test_err));
            const char *text = row ? sk_column_text(stmt, 0) : "";
            sk_hash_add(&hash, text, strlen(text) + 1);
        }
    }
    sk_hash_end(&hash, out);
}

static enum sk_status count_item(void *context, const struct sk_item *item, struct sk_error *err)
{
    (void)item, (void)err;
    ++*(unsigned *)context;
    return SK_OK;
}

static enum sk_status count_link(void *context, const struct sk_id *link, const char *role,
                                 const struct sk_id *other, struct sk_error *err)
{
    (void)link, (void)role, (void)other, (void)err;
    ++*(unsigned *)context;
    return SK_OK;
}

static enum sk_status count_attachment(void *context, const struct sk_attachment *attachment,
                                       struct sk_error *err)
{
    (void)attachment, (void)err;
    ++*(unsigned *)context;
    return SK_OK;
}

#define LINK_ON                                                                            \
    "{\"recorded\":\"2026-01-02T03:04:05Z\",\"source\":\"%s\",\"target\":\"%s\",\"role\":" \
    "\"accused-of\"}"
#define ATTACHED_TO                                                                     \
    "{\"recorded\":\"2026-01-02T03:04:05Z\",\"record\":\"%s\",\"name\":\"victim.txt\"," \
    "\"type\":\"text/plain\",\"size\":0,\"sha256\":"                                    \
    "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}"

/* What is shown of the record of device 0: its own attachment and link, nothing else. */
static void check_victim(struct sk_store *archive, const struct sk_id *id)
{
    sk_auto_item item = {.title = NULL};
    unsigned out = 0;
    unsigned in = 0;
    unsigned attached = 0;
    unsigned found = 0;
    EXPECT_OK(sk_item_get(archive, 1, id, &item, &sk_test_err));
    assert_string_equal(item.title, "victim");
    EXPECT_OK(sk_link_each(archive, &item, false, count_link, &out, &sk_test_err));
    EXPECT_OK(sk_link_each(archive, &item, true, count_link, &in, &sk_test_err));
    EXPECT_OK(sk_attachment_each(archive, &item, count_attachment, &attached, &sk_test_err));
    EXPECT_OK(sk_item_search(archive, "victim", count_item, &found, &sk_test_err));
    assert_int_equal(out, 1);
    assert_int_equal(in, 0);
    assert_int_equal(attached, 1);
    assert_true(found >= 1);
}

static struct sk_id make_victim(struct sk_world *world)
{
    struct sk_store *device = world->device[0].store;
    struct sk_id id = sk_test_add(device, SK_TYPE_SOURCE, "victim");
    struct sk_id other = sk_test_add(device, SK_TYPE_CASE, "other");
    sk_lineage_attach(world, 0, &id, "file", 100);
    sk_lineage_link(device, &id, "about", &other);
    (void)sk_world_export(world, 0, "victim");
    struct sk_import_result in = sk_world_import(world, 0, "victim");
    assert_int_equal(in.quarantined, 0);
    sk_import_result_clear(&in);
    return id;
}

static void begin(struct sk_world *world, unsigned devices, unsigned archives)
{
    static const char *const names[] = {"zero", "liar", "heir"};
    sk_world_devices(world, devices);
    sk_world_archives(world, archives);
    for (unsigned at = 0; at < archives; at++)
        for (unsigned i = 0; i < devices; i++) {
            sk_world_invite(world, at, names[i], "letter");
            sk_world_accept(world, i, "letter");
        }
}

/* One row for each way to get at what another device has. */
static void ids_of_another_device(void **state)
{
    struct sk_world *world = *state;
    char hex[SK_ID_TEXT_LEN];
    char text[2][400];
    uint8_t before[SK_HASH_LEN];
    uint8_t after[SK_HASH_LEN];
    begin(world, 2, 1);
    struct sk_store *archive = world->archive[0].store;
    struct sk_id id = make_victim(world);
    sk_id_format(hex, &id);
    (void)snprintf(text[0], sizeof(text[0]), LINK_ON, hex, hex);
    (void)snprintf(text[1], sizeof(text[1]), ATTACHED_TO, hex);
    hash_log(archive, 1, before);
    sk_auto_liar liar;
    sk_liar_init(&liar, world, 1);
    const struct {
        unsigned type;
        bool same_id;
        uint32_t revision;
        const char *text; /* NULL: an erasure */
    } rows[] = {
        {SK_TYPE_LINK, false, 1, text[0]},
        {SK_TYPE_ATTACHMENT, false, 1, text[1]},
        {SK_TYPE_SOURCE, true, 1, sk_liar_record(SK_TYPE_SOURCE, "victim")},
        {SK_TYPE_CASE, true, 2, sk_liar_record(SK_TYPE_CASE, "victim")},
        {SK_TYPE_SOURCE, true, UINT32_MAX, sk_liar_record(SK_TYPE_SOURCE, "victim, no more")},
        {SK_TYPE_ATTACHMENT, true, 4, text[1]},
        {SK_TYPE_FORM, true, 5, sk_test_form_text("visit", 1, "L")},
        {SK_TYPE_ERASURE, true, 6, NULL},
        {SK_TYPE_SOURCE, true, 7, sk_liar_record(SK_TYPE_SOURCE, "victim")},
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "l%u", i);
        struct sk_id own = sk_liar_id(100 + i);
        sk_liar_put_id(&liar, rows[i].type, rows[i].same_id ? &id : &own, rows[i].revision,
                       rows[i].text);
        if (rows[i].type == SK_TYPE_ERASURE) /* with the flags of one */
            liar.entries.bytes[liar.entries.len - SK_ENTRY_LEN + 4] = SK_TYPE_SOURCE;
        struct sk_import_result in = sk_liar_send(&liar, name, i, i + 1);
        assert_int_equal(in.entries_new, 1);
        sk_import_result_clear(&in);
        hash_log(archive, 1, after);
        assert_memory_equal(before, after, sizeof(before));
        check_victim(archive, &id);
        sk_world_verify(archive);
    }
    struct sk_receipt_result out = sk_world_receipt(world, 0, 1, 0, "answer");
    assert_int_equal(out.arrived, 4);
    assert_int_equal(out.wanted, 0);
    assert_string_equal(out.notes, "");
    sk_receipt_result_clear(&out);
}

/* Both are listed, and each can be had. */
static void one_id_of_two_devices(void **state)
{
    struct sk_world *world = *state;
    char hex[SK_ID_TEXT_LEN];
    unsigned count = 0;
    begin(world, 2, 1);
    struct sk_store *archive = world->archive[0].store;
    struct sk_id id = make_victim(world);
    sk_auto_liar liar;
    sk_liar_init(&liar, world, 1);
    sk_liar_put_id(&liar, SK_TYPE_SOURCE, &id, 1, sk_liar_record(SK_TYPE_SOURCE, "liar"));
    struct sk_import_result in = sk_liar_send(&liar, "lie", 0, 1);
    sk_import_result_clear(&in);
    EXPECT_OK(sk_item_each(archive, SK_TYPE_SOURCE, count_item, &count, &sk_test_err));
    assert_int_equal(count, 2);
    sk_id_format(hex, &id);
    sk_auto_item item = {.title = NULL};
    EXPECT(SK_USAGE, sk_item_find(archive, hex, &item, &sk_test_err));
    assert_non_null(strstr(sk_test_err.text, "ID@DEVICE"));
    EXPECT_OK(sk_item_find_in(archive, 1, hex, &item, &sk_test_err));
    assert_string_equal(item.title, "victim");
    sk_item_clear(&item);
    hex[6] = '\0';
    EXPECT_OK(sk_item_find_in(archive, 2, hex, &item, &sk_test_err));
    assert_string_equal(item.title, "liar");
    sk_item_clear(&item);
    EXPECT(SK_MISSING, sk_item_find_in(archive, 3, hex, &item, &sk_test_err));
}

/* ---- two logs, one of which continues the other ---- */

static void take(struct sk_liar *liar, const char *name, uint64_t n0, uint64_t n1)
{
    struct sk_import_result in = sk_liar_send(liar, name, n0, n1);
    assert_false(in.fork || in.waiting);
    sk_import_result_clear(&in);
    sk_world_verify(liar->world->archive[0].store);
}

static int64_t count(struct sk_world *world, const char *sql)
{
    return sk_test_sql_int(world->archive[0].store, sql);
}

#define HELD_OF_HEIR "SELECT count(*) FROM payload WHERE id >> 40 = 2 AND id & 1099511627775 > 0"

/* What stands between two revisions that the old log withdrew, and is malformed, is kept as long as
 * only the first of the two is there. That is nothing that `verify` has to tell. */
static void between_two_that_were_withdrawn(void **state)
{
    struct sk_world *world = *state;
    begin(world, 3, 1);
    sk_auto_liar liar;
    sk_auto_liar heir;
    sk_liar_init(&liar, world, 1);
    sk_liar_init(&heir, world, 2);
    sk_liar_put(&liar, SK_TYPE_SOURCE, 1, 1, sk_liar_record(SK_TYPE_SOURCE, "first"));
    sk_liar_put(&liar, SK_TYPE_SOURCE, 1, 2, sk_liar_record(SK_TYPE_SOURCE, "second"));
    sk_liar_erase(&liar, SK_TYPE_SOURCE, 1, 3);
    sk_liar_continue(&heir, sk_store_id(world->device[2].store), &liar, 2);
    sk_liar_copy(&heir, &liar, 0);
    sk_liar_put(&heir, SK_TYPE_CASE, 1, 7, sk_liar_record(SK_TYPE_CASE, "another type"));
    sk_liar_copy(&heir, &liar, 1);
    take(&liar, "old", 0, 3);
    take(&heir, "new", 0, 3);
    assert_int_equal(count(world, HELD_OF_HEIR), 1);
    take(&heir, "newer", 3, 4);
    assert_int_equal(count(world, HELD_OF_HEIR), 0);
}

/* A link hangs on what a later log withdrew; then it turns out that its id is that of a record. */
static void a_link_that_is_none(void **state)
{
    struct sk_world *world = *state;
    begin(world, 3, 1);
    sk_auto_liar liar;
    sk_auto_liar heir;
    sk_liar_init(&liar, world, 1);
    sk_liar_init(&heir, world, 2);
    sk_liar_put(&liar, SK_TYPE_SOURCE, 1, 1, sk_liar_record(SK_TYPE_SOURCE, "withdrawn"));
    sk_liar_put(&liar, SK_TYPE_SOURCE, 2, 1, sk_liar_record(SK_TYPE_SOURCE, "stays"));
    sk_liar_put(&liar, SK_TYPE_LINK, 2, 2,
                "{\"recorded\":\"2026-01-02T03:04:05Z\",\"source\":"
                "\"da7a0000000000000000000001000000\",\"target\":"
                "\"da7a0000000000000000000001000000\",\"role\":\"about\"}");
    sk_liar_continue(&heir, sk_store_id(world->device[2].store), &liar, 1);
    sk_liar_copy(&heir, &liar, 0);
    sk_liar_erase(&heir, SK_TYPE_SOURCE, 1, 2);
    take(&heir, "new", 0, 3);
    take(&liar, "link", 2, 3);
    assert_int_equal(count(world, "SELECT erased FROM item WHERE type = 7"), 2);
    take(&liar, "before", 0, 2);
    assert_int_equal(count(world, "SELECT erased FROM item WHERE title = 'stays'"), 0);
    assert_int_equal(count(world, "SELECT count(*) FROM item WHERE shown <> 0 AND type = 5"), 1);
}

/* ---- the end of what positions and numbers can be ---- */

static uint64_t last_position; /* of a bundle with the entry at position 0 of the liar */
static const uint8_t *last_entry;

/* As if the log had been that long: its peaks are whatever the device says. */
static void far_out(struct sk_store *store, struct sk_manifest *m)
{
    struct sk_merkle tree;
    uint8_t leaf[SK_MERKLE_LEN];
    m->number = INT64_MAX;
    m->day = UINT32_MAX;
    m->n0 = last_position;
    m->n1 = last_position + 1;
    memset(m->peaks, 0x11, sizeof(m->peaks));
    sk_merkle_from_peaks(&tree, m->n0, &m->peaks[0][0]);
    sk_merkle_leaf(leaf, last_entry, SK_ENTRY_LEN);
    sk_merkle_append(&tree, leaf);
    sk_merkle_root(&tree, m->root);
    EXPECT_OK(sk_log_sign_note(store, m->note, &tree, &sk_test_err));
}

/* The last number, day and position that a bundle can have, with a gap of all before it: it is told
 * and asked for like any other. */
static void numbers_to_the_last(void **state)
{
    struct sk_world *world = *state;
    char code[SK_CODE_LEN];
    begin(world, 2, 1);
    struct sk_id id = make_victim(world);
    struct sk_store *archive = world->archive[0].store;
    sk_auto_liar liar;
    sk_liar_init(&liar, world, 1);
    sk_liar_put(&liar, SK_TYPE_SOURCE, 1, 1, sk_liar_record(SK_TYPE_SOURCE, "far"));
    liar.change = far_out;
    last_entry = liar.entries.bytes;
    last_position = SK_POSITION_MAX - 2;
    struct sk_import_result in = sk_liar_send(&liar, "far", 0, 1);
    assert_int_equal(in.bundle, INT64_MAX);
    assert_int_equal(in.entries_new, 1);
    assert_string_equal(sk_world_ranges(&in.gaps), "0-1099511627774");
    sk_import_result_clear(&in);
    EXPECT_OK(sk_receipt_write(archive, 2, sk_world_path(world, "r"), code, &sk_test_err));
    liar.change = NULL;
    in = sk_liar_send(&liar, "near", 0, 1);
    assert_int_equal(in.entries_new, 1);
    assert_string_equal(sk_world_ranges(&in.gaps), "1-1099511627774");
    sk_import_result_clear(&in);
    EXPECT_OK(sk_receipt_write(archive, 2, sk_world_path(world, "r2"), code, &sk_test_err));
    sk_world_verify(archive);
    check_victim(archive, &id);
}

/* A device may sign any X25519 key as its own, also one with which every agreement is zero. That is
 * said of it, and nothing is called damaged that is at the archive. */
static void a_key_that_is_none(void **state)
{
    struct sk_world *world = *state;
    char code[SK_CODE_LEN];
    begin(world, 1, 1);
    (void)make_victim(world);
    struct sk_store *archive = world->archive[0].store;
    int64_t number = sk_test_sql_int(archive, "SELECT number FROM peer");
    sk_test_sql(archive, "UPDATE log SET dh_public = zeroblob(32)");
    EXPECT(SK_REFUSED, sk_receipt_write(archive, 1, sk_world_path(world, "r"), code, &sk_test_err));
    assert_non_null(strstr(sk_test_err.text, "\"zero\""));
    assert_int_equal(sk_test_sql_int(archive, "SELECT number FROM peer"), number);
    assert_false(sk_file_exists(sk_world_path(world, "r")));
}

/* ---- any order ---- */

static const char *hostile_text(unsigned n)
{
    static const char *const texts[] = {
        "",
        "{}",
        "[]",
        "null",
        "\"",
        "{\"recorded\":\"2026-01-02T03:04:05Z\",\"form\":\"source\",\"version\":1,\"fields\":{"
        "\"title\":\"a\",\"title\":\"b\"}}",
        "{\"recorded\":\"2026-01-02T03:04:05Z\",\"form\":\"source\",\"version\":99,\"fields\":{"
        "\"title\":\"a\"}}",
        "{\"recorded\":\"2299-01-02T03:04:05Z\",\"form\":\"source\",\"version\":1,\"fields\":{"
        "\"title\":\"a\"}}",
        "{\"recorded\":\"2026-01-02T03:04:05Z\",\"form\":\"source\",\"version\":1,\"fields\":{"
        "\"title\":\"\\u001b]0;x\\u0007\\u202e\"}}",
        "{\"recorded\":\"2026-01-02T03:04:05Z\",\"form\":\"source\",\"version\":1,\"fields\":{"
        "\"title\":{\"missing\":\"unknown\"}}}",
        "{\"recorded\":\"2026-01-02T03:04:05Z\",\"form\":\"source\",\"version\":1,\"fields\":null}",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
        "\xff\xfe",
    };
    return texts[n % (sizeof(texts) / sizeof(texts[0]))];
}

static const char *attachment_text(unsigned n)
{
    static char text[400];
    static const char *const names[] = {"a.txt", "..", "a/b", "\\u202egpj.exe", "-rf", "CON"};
    (void)snprintf(text, sizeof(text),
                   "{\"recorded\":\"2026-01-02T03:04:05Z\",\"record\":\"%s\",\"name\":\"%s\","
                   "\"type\":\"%s\",\"size\":%u,\"sha256\":\"%s\"}",
                   "da7a0000000000000000000001000000", names[n % 6], n % 5 ? "text/plain" : "",
                   n % 4 ? 5u : 6u,
                   n % 3 ? "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
                         : "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    return text;
}

static const char *link_text(unsigned n)
{
    static char text[300];
    (void)snprintf(text, sizeof(text),
                   "{\"recorded\":\"2026-01-02T03:04:05Z\",\"source\":"
                   "\"da7a000000000000000000000%u000000\",\"target\":"
                   "\"da7a000000000000000000000%u000000\","
                   "\"role\":\"%s\"}",
                   n % 3, n % 2, n % 7 ? "about" : "About!");
    return text;
}

/* What hangs on something has ids of its own: else it would be erased with that, or not, by which
 * of its types was known first. */
#define IDS         4u
#define ATTACHMENTS 16u
#define LINKS       32u

static void put_any_entry(struct sk_liar *liar)
{
    uint32_t id = draw(IDS);
    uint32_t revision = draw(12) == 0 ? UINT32_MAX : 1 + draw(4);
    const char *form = sk_test_form_text("visit", 1 + draw(3), "L");
    switch (draw(12)) {
    case 0:
        sk_liar_erase(liar, 1 + draw(8), id + 16 * draw(3), 1 + draw(4));
        break;
    case 1:
        sk_liar_put(liar, SK_TYPE_FORM, id, revision, form);
        break;
    case 2:
    case 3:
        sk_liar_put(liar, SK_TYPE_TESTIMONY, id, revision, sk_liar_under(form, "under"));
        break;
    case 4:
        sk_liar_put_body(liar, SK_TYPE_ATTACHMENT, ATTACHMENTS + id, revision,
                         attachment_text(draw(60)), "hello", 5);
        break;
    case 5:
        sk_liar_put(liar, SK_TYPE_LINK, LINKS + id, revision, link_text(draw(60)));
        break;
    case 6:
        sk_liar_put(liar, SK_TYPE_SOURCE, id, revision, hostile_text(draw(60)));
        break;
    case 7:
        sk_liar_put(liar, SK_TYPE_SOURCE, id, revision, NULL);
        break;
    case 8:
        sk_liar_put_body(liar, SK_TYPE_SOURCE, id, revision,
                         sk_liar_record(SK_TYPE_SOURCE, "with a body"), "hello", 5);
        break;
    default:
        sk_liar_put(liar, SK_TYPE_SOURCE, id, revision, sk_liar_record(SK_TYPE_SOURCE, "plain"));
    }
    if (draw(10) == 0) { /* a bit of the entry's head is another */
        uint8_t *bytes = liar->entries.bytes + liar->entries.len - SK_ENTRY_LEN;
        static const uint8_t at[] = {0, 2, 4, 7, 8, 11, 64};
        bytes[at[draw(sizeof(at))]] ^= (uint8_t)(1u << draw(8));
    }
}

/* The heir holds some of the old log's entries, and others. */
static void fill(struct sk_liar *liar, struct sk_liar *heir, unsigned count)
{
    const uint8_t *id = sk_store_id(heir->world->device[heir->device].store);
    for (unsigned i = 0; i < count; i++)
        put_any_entry(liar);
    if (draw(8) > 0)
        sk_liar_continue(heir, id, liar, draw(count + 1));
    for (unsigned i = 0; i < count; i++)
        if (draw(3) > 0)
            sk_liar_copy(heir, liar, i);
        else
            put_any_entry(heir);
}

struct piece {
    struct sk_liar *liar;
    uint64_t n0, n1;
    char name[8];
};
#define PIECES 24

/* Bundles of the whole log, some of which overlap. */
static unsigned cut(struct sk_liar *liar, struct piece *out, unsigned have)
{
    for (uint64_t at = 0; at < liar->count;) {
        struct piece *piece = &out[have++];
        uint64_t len = 1 + draw(5);
        assert_true(have <= PIECES);
        piece->liar = liar;
        piece->n0 = at > 1 && draw(4) == 0 ? at - 1 : at;
        piece->n1 = at + len < liar->count ? at + len : liar->count;
        (void)snprintf(piece->name, sizeof(piece->name), "p%u", have);
        sk_liar_bundle(liar, piece->name, piece->n0, piece->n1);
        at = piece->n1;
    }
    return have;
}

static const char *const meaning[] = {
    "SELECT alias || ' item ' || hex(uid) || ' ' || type || ' ' || revision || ' erased ' || "
    "erased || ' shown ' || (shown & 1099511627775) || title FROM item JOIN log ON log.id = log",
    "SELECT alias || ' payload ' || (payload.id & 1099511627775) || hex(text) || (media IS NULL) "
    "FROM payload JOIN log ON log.id = payload.id >> 40",
    "SELECT alias || ' malformed ' || (entry & 1099511627775) || reason FROM malformed JOIN log ON "
    "log.id = entry >> 40",
    "SELECT alias || ' attachment ' || hex(uid) || name FROM attachment JOIN item ON "
    "item.id = attachment.item JOIN log ON log.id = log",
    "SELECT alias || ' link ' || hex(uid) || role || hex(source) FROM link JOIN item ON "
    "item.id = link.item JOIN log ON log.id = log",
    "SELECT alias || ' form ' || (entry & 1099511627775) || name FROM form_entry JOIN log ON "
    "log.id = entry >> 40",
    "SELECT alias || ' use ' || (entry & 1099511627775) || hex(hash) FROM form_use JOIN log ON "
    "log.id = entry >> 40",
    "SELECT a.alias || ' kin ' || b.alias || relation || ' ' || kin.size FROM kin JOIN log AS a ON "
    "a.id = kin.log JOIN log AS b ON b.id = other",
    "SELECT alias || ' log ' || size || ' ' || state FROM log",
    "SELECT 'media ' || count(*) FROM media",
    "SELECT alias || ' entry ' || (entry.id & 1099511627775) || ' ' || hex(substr(bytes, 3, 6)) || "
    "' ' || hex(substr(bytes, 9)) FROM entry JOIN log ON log.id = entry.id >> 40",
};

/* Every row, sorted; owned by the caller. */
static char *meaning_of(struct sk_store *store)
{
    sk_auto_buf text = SK_BUF_INIT;
    for (size_t i = 0; i < sizeof(meaning) / sizeof(meaning[0]); i++) {
        sk_auto_stmt stmt = NULL;
        char sql[600];
        bool row = true;
        (void)snprintf(sql, sizeof(sql), "%s ORDER BY 1", meaning[i]);
        EXPECT_OK(sk_db_prepare(sk_store_db(store), &stmt, sql, &sk_test_err));
        while (row) {
            EXPECT_OK(sk_step(stmt, &row, &sk_test_err));
            if (row)
                EXPECT_OK(sk_buf_printf(&text, &sk_test_err, "%s\n", sk_column_text(stmt, 0)));
        }
    }
    char *copy = strdup(sk_buf_text(&text));
    assert_non_null(copy);
    return copy;
}

static void compare(uint64_t seed, struct sk_store *a, struct sk_store *b)
{
    char *x = meaning_of(a);
    char *y = meaning_of(b);
    size_t at = 0;
    while (x[at] && x[at] == y[at])
        at++;
    if (x[at] != y[at]) {
        while (at > 0 && x[at - 1] != '\n')
            at--;
        fail_msg("seed %" PRIu64 ": in order \"%.*s\", in another \"%.*s\"", seed,
                 (int)strcspn(x + at, "\n"), x + at, (int)strcspn(y + at, "\n"), y + at);
    }
    free(x);
    free(y);
}

static void import_at(struct sk_world *world, unsigned at, const char *name, uint64_t seed)
{
    struct sk_import_result in;
    if (sk_import(world->archive[at].store, sk_world_path(world, name), NULL, NULL, &in,
                  &sk_test_err) != SK_OK)
        fail_msg("seed %" PRIu64 ", %s: %s", seed, name, sk_test_err.text);
    assert_false(in.fork);
    sk_import_result_clear(&in);
}

static void answer_all(struct sk_world *world, unsigned at)
{
    struct sk_store *archive = world->archive[at].store;
    for (int64_t log = 1; log <= sk_test_sql_int(archive, "SELECT count(*) FROM log"); log++) {
        char name[16];
        char code[SK_CODE_LEN];
        (void)snprintf(name, sizeof(name), "r%u-%d", at, (int)log);
        EXPECT_OK(sk_receipt_write(archive, log, sk_world_path(world, name), code, &sk_test_err));
    }
}

static void one_sequence(struct sk_world *world, uint64_t seed)
{
    struct piece pieces[PIECES];
    unsigned order[PIECES] = {0};
    random_state = seed;
    begin(world, 3, 2);
    sk_auto_liar liar;
    sk_auto_liar heir;
    sk_liar_init(&liar, world, 1);
    sk_liar_init(&heir, world, 2);
    fill(&liar, &heir, 6 + draw(7));
    unsigned count = cut(&liar, pieces, 0);
    count = cut(&heir, pieces, count);
    for (unsigned i = 0; i < count; i++) {
        unsigned at = draw(i + 1);
        order[i] = order[at];
        order[at] = i;
    }
    for (unsigned i = 0; i < count; i++)
        import_at(world, 0, pieces[i].name, seed);
    for (unsigned i = 0; i < count; i++) {
        import_at(world, 1, pieces[order[i]].name, seed);
        if (draw(4) == 0)
            sk_world_verify(world->archive[1].store);
    }
    compare(seed, world->archive[0].store, world->archive[1].store);
    (void)sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "honest");
    (void)sk_world_export(world, 0, "honest");
    for (unsigned at = 0; at < 2; at++) {
        import_at(world, at, "honest", seed);
        sk_world_verify(world->archive[at].store);
        answer_all(world, at);
    }
}

static void any_order_means_the_same(void **state)
{
    const char *only = getenv("SK_SEED");
    unsigned from = only ? (unsigned)strtoul(only, NULL, 10) : 1;
    unsigned count = only ? 1 : sk_test_effort(1, 3, 400);
    (void)state;
    for (unsigned i = 0; i < count; i++) {
        void *world = NULL;
        assert_int_equal(sk_world_setup(&world), 0);
        one_sequence(world, from + i);
        assert_int_equal(sk_world_teardown(&world), 0);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sk_world_setup, sk_world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(ids_of_another_device),
        TEST(one_id_of_two_devices),
        TEST(between_two_that_were_withdrawn),
        TEST(a_link_that_is_none),
        TEST(numbers_to_the_last),
        TEST(a_key_that_is_none),
        cmocka_unit_test(any_order_means_the_same),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}

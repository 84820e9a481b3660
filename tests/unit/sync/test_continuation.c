/*
 * Goal of this test: at the archive, a record that stands in a log and in those that continue it is
 * shown once, in whatever order the bundles come; what is withdrawn in a later log is erased in the
 * earlier ones; a change that the later log does not know is not hidden, nor is an attachment or a
 * link; and who claims to continue a log without its key is not believed.
 */
#include "core/continuation.h"
#include "core/lacking.h"
#include "core/record.h"
#include "core/text.h"

#include "tests/support/exchange.h"
#include "tests/support/heir.h"
#include "tests/support/lineage.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum sk_status add_name(void *context, const struct sk_item *item, struct sk_error *err)
{
    char *out = context;
    (void)err;
    (void)snprintf(out + strlen(out), 512 - strlen(out), "%s ", item->title);
    return SK_OK;
}

static void each_record_is_shown_once(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    struct sk_id a = sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-a");
    struct sk_id b = sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-b");
    struct sk_id c = sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-c");
    sk_test_edit(world->device[0].store, &b, "rec-b2");
    (void)sk_world_export(world, 0, "old");
    sk_lineage_inherit(world, 0, 1, true);
    sk_test_withdraw(world->device[1].store, &a);
    sk_test_edit(world->device[1].store, &c, "rec-c2");
    (void)sk_test_add(world->device[1].store, SK_TYPE_SOURCE, "rec-d");
    (void)sk_world_export(world, 1, "new");

    sk_lineage_import(world, "old");
    sk_lineage_list(world, "rec-c@1 rec-b2@1 rec-a@1 ");
    sk_lineage_import(world, "new");
    sk_lineage_list(world, "rec-d@2 rec-c2@2 rec-b2@2 ");
    assert_int_equal(
        sk_test_sql_int(sk_lineage_archive(world), "SELECT count(*) FROM item WHERE erased"), 2);
    sk_auto_item item = {.title = NULL};
    char id[SK_ID_TEXT_LEN];
    sk_id_format(id, &c);
    EXPECT_OK(sk_item_find(sk_lineage_archive(world), id, &item, &sk_test_err));
    assert_string_equal(item.title, "rec-c2");
    sk_auto_item gone = {.title = NULL};
    sk_id_format(id, &a);
    EXPECT_OK(sk_item_find(sk_lineage_archive(world), id, &gone, &sk_test_err));
    assert_true(gone.erased);
    assert_int_equal(gone.log, 2);
}

static void the_order_of_bundles_does_not_matter(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    struct sk_id a = sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-a");
    (void)sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-b");
    (void)sk_world_export(world, 0, "old");
    sk_lineage_inherit(world, 0, 1, true);
    (void)sk_world_export(world, 1, "new");
    sk_test_withdraw(world->device[1].store, &a);
    (void)sk_world_export(world, 1, "newer");
    sk_lineage_import(world, "newer");
    sk_lineage_import(world, "new");
    sk_lineage_list(world, "rec-b@1 ");
    sk_lineage_import(world, "old");
    sk_lineage_list(world, "rec-b@1 ");
    assert_int_equal(
        sk_test_sql_int(sk_lineage_archive(world), "SELECT count(*) FROM item WHERE erased"), 2);
    assert_int_equal(sk_test_sql_int(sk_lineage_archive(world),
                                     "SELECT count(*) FROM payload JOIN entry "
                                     "USING(id) JOIN item ON item.id = entry.item "
                                     "WHERE item.erased"),
                     0);
}

static enum sk_status count_listed(void *context, const struct sk_item *item, struct sk_error *err)
{
    (void)item, (void)err;
    ++*(unsigned *)context;
    return SK_OK;
}

/* An heir of an heir comes first, then another heir of the oldest, then the heir between: of no two
 * of them may each give way to the next one. */
static void an_heir_that_comes_late_hides_nothing(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    (void)sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-a");
    (void)sk_world_export(world, 0, "oldest");
    sk_lineage_inherit(world, 0, 1, true);
    (void)sk_world_export(world, 1, "between");
    sk_lineage_inherit(world, 1, 2, true);
    (void)sk_world_export(world, 2, "last");
    sk_lineage_inherit(world, 0, 3, true);
    (void)sk_world_export(world, 3, "other");
    sk_lineage_import(world, "last");
    sk_lineage_list(world, "rec-a@1 ");
    sk_lineage_import(world, "other");
    sk_lineage_import(world, "between");
    sk_lineage_list(world, "rec-a@1 ");
    sk_lineage_import(world, "oldest");
    sk_lineage_list(world, "rec-a@1 ");

    /* An archive of before has that, and a statement that counts no more. */
    struct sk_store *archive = sk_lineage_archive(world);
    int64_t statements = sk_test_sql_int(archive, "SELECT count(*) FROM continuation");
    sk_test_sql(archive,
                "UPDATE kin SET prefer = other > log WHERE relation = 3;"
                "INSERT INTO continuation SELECT max(entry.id), log_id, old_id, size, root "
                "FROM continuation JOIN entry JOIN item ON item.id = entry.item "
                "WHERE item.type = 5;"
                "PRAGMA user_version = 5");
    unsigned listed = 0;
    EXPECT_OK(sk_item_each(archive, 0, count_listed, &listed, &sk_test_err));
    assert_int_equal(listed, 0);
    sk_test_close(&world->archive[0]);
    sk_test_open(&world->archive[0]);
    archive = sk_lineage_archive(world);
    assert_int_equal(sk_test_sql_int(archive, "SELECT count(*) FROM continuation"), statements);
    sk_lineage_list(world, "rec-a@1 ");
}

static void heirs_of_heirs_and_two_heirs(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    (void)sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-a");
    (void)sk_world_export(world, 0, "old");
    sk_lineage_inherit(world, 0, 1, false);
    sk_lineage_inherit(world, 1, 2, true);
    (void)sk_world_export(world, 2, "last");
    sk_lineage_import(world, "old");
    sk_lineage_import(world, "last");
    sk_lineage_list(world, "rec-a@2 "); /* the log between the two never came */
    sk_world_invite(world, 0, "between", "letter 2");
    sk_world_accept(world, 1, "letter 2");
    (void)sk_world_export(world, 1, "middle");
    sk_lineage_import(world, "middle");
    sk_lineage_list(world, "rec-a@2 ");

    /* A second heir of the same: shown once all the same. */
    free(world->device[2].path);
    sk_test_close(&world->device[2]);
    world->device[2].path = NULL;
    struct sk_test_heir heir;
    world->device[2].path = sk_temp_path(world->dir, "sibling");
    sk_test_inherit(&world->device[1], world->device[2].path, &heir);
    sk_test_open(&world->device[2]);
    sk_world_invite(world, 0, "sibling", "letter 3");
    sk_world_accept(world, 2, "letter 3");
    (void)sk_world_export(world, 2, "sibling bundle");
    sk_lineage_import(world, "sibling bundle");
    sk_lineage_list(world, "rec-a@4 ");
}

static void a_change_the_heir_does_not_know_stays(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    struct sk_id a = sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-a");
    sk_lineage_inherit(world, 0, 1, true);
    sk_test_edit(world->device[0].store, &a, "rec-a old");
    (void)sk_world_export(world, 0, "old");
    (void)sk_world_export(world, 1, "new");
    sk_lineage_import(world, "new");
    sk_lineage_import(world, "old");
    sk_lineage_list(world, "rec-a old@2 rec-a@1 ");
    sk_test_edit(world->device[1].store, &a, "rec-a new");
    (void)sk_world_export(world, 1, "newer");
    sk_lineage_import(world, "newer");
    sk_lineage_list(world, "rec-a old@2 rec-a new@1 ");
}

/* ---- what hangs on a record ---- */

/* What hangs on a record as it is shown, in words; and the newest attachment of that size. */
struct hung {
    struct sk_store *store;
    int64_t log; /* of the record */
    uint64_t size;
    struct sk_id sized;
    char words[512];
};

static void say(struct hung *hung, const char *words)
{
    size_t len = strlen(hung->words);
    (void)snprintf(hung->words + len, sizeof(hung->words) - len, "%s", words);
}

static enum sk_status add_attachment(void *context, const struct sk_attachment *attachment,
                                     struct sk_error *err)
{
    struct hung *hung = context;
    (void)err;
    if (attachment->size == hung->size)
        hung->sized = attachment->id;
    say(hung, attachment->name);
    say(hung, " ");
    return SK_OK;
}

static enum sk_status add_link(void *context, const struct sk_id *link, const char *role,
                               const struct sk_id *other, struct sk_error *err)
{
    struct hung *hung = context;
    sk_auto_item item = {.title = NULL};
    (void)link;
    SK_TRY(sk_item_related(hung->store, hung->log, other, &item, err));
    say(hung, role);
    say(hung, "=");
    say(hung, item.title);
    say(hung, " ");
    return SK_OK;
}

/* "title: attachments | links | links that point at it" */
static struct hung what_hangs(const struct sk_world *world, const struct sk_id *id, uint64_t size)
{
    struct hung hung = {.store = sk_lineage_archive(world), .size = size};
    sk_auto_item item = {.title = NULL};
    char text[SK_ID_TEXT_LEN];
    sk_id_format(text, id);
    EXPECT_OK(sk_item_find(sk_lineage_archive(world), text, &item, &sk_test_err));
    hung.log = item.log;
    (void)snprintf(hung.words, sizeof(hung.words), "%s: ", item.title);
    EXPECT_OK(
        sk_attachment_each(sk_lineage_archive(world), &item, add_attachment, &hung, &sk_test_err));
    say(&hung, "| ");
    EXPECT_OK(sk_link_each(sk_lineage_archive(world), &item, false, add_link, &hung, &sk_test_err));
    say(&hung, "| ");
    EXPECT_OK(sk_link_each(sk_lineage_archive(world), &item, true, add_link, &hung, &sk_test_err));
    return hung;
}

/* "title " of what is found, whichever log it is shown in. */
static void check_found(const struct sk_world *world, const char *word, const char *expected)
{
    char found[512] = "";
    EXPECT_OK(sk_item_search(sk_lineage_archive(world), word, add_name, found, &sk_test_err));
    assert_string_equal(found, expected);
}

static void check_extract(const struct sk_world *world, const struct sk_id *id, size_t size)
{
    sk_auto_item item = {.title = NULL};
    sk_auto_file file = NULL;
    uint64_t len = 0;
    bool regular = false;
    char text[SK_ID_TEXT_LEN];
    sk_id_format(text, id);
    EXPECT_OK(sk_item_find(sk_lineage_archive(world), text, &item, &sk_test_err));
    EXPECT_OK(sk_attachment_extract(sk_lineage_archive(world), &item,
                                    sk_world_path(world, "extracted"), NULL, &sk_test_err));
    EXPECT_OK(sk_file_open_regular(&file, sk_world_path(world, "extracted"), &sk_test_err));
    EXPECT_OK(sk_file_size(file, &len, &regular, &sk_test_err));
    assert_int_equal(len, size);
}

/* On Tuesday a file and links come to what Monday's backup holds; that is restored on Wednesday. */
static void restore_after_attach_and_link(struct sk_world *world, bool old_first)
{
    sk_world_pair(world);
    struct sk_store *old = world->device[0].store;
    struct sk_id a = sk_test_add(old, SK_TYPE_SOURCE, "rec-a");
    struct sk_id b = sk_test_add(old, SK_TYPE_SOURCE, "rec-b");
    sk_lineage_attach(world, 0, &a, "monday.txt", 10);
    sk_lineage_link(old, &a, "before", &b);
    sk_lineage_inherit(world, 0, 1, true);
    old = world->device[0].store; /* it was closed for that */
    struct sk_id c = sk_test_add(old, SK_TYPE_SOURCE, "rec-c");
    sk_lineage_attach(world, 0, &a, "tuesday.txt", 20);
    sk_lineage_link(old, &a, "witness", &c);
    sk_lineage_link(old, &c, "after", &a);
    (void)sk_world_export(world, 0, "old");
    sk_lineage_attach(world, 1, &a, "wednesday.txt", 30);
    (void)sk_world_export(world, 1, "new");
    sk_lineage_import(world, old_first ? "old" : "new");
    sk_lineage_import(world, old_first ? "new" : "old");

    struct hung hung = what_hangs(world, &a, 20);
    assert_int_equal(hung.log, old_first ? 2 : 1);
    assert_string_equal(hung.words, "rec-a: monday.txt wednesday.txt tuesday.txt "
                                    "| before=rec-b witness=rec-c | after=rec-c ");
    check_extract(world, &hung.sized, 20);
    assert_string_equal(what_hangs(world, &c, 0).words, "rec-c: | after=rec-a | witness=rec-a ");
    assert_string_equal(what_hangs(world, &b, 0).words, "rec-b: | | before=rec-a ");
    check_found(world, "monday", "rec-a ");
    check_found(world, "tuesday", "rec-a ");
    check_found(world, "wednesday", "rec-a ");
    check_found(world, "tuesday txt", "rec-a ");
    check_found(world, "rec", old_first ? "rec-b rec-a rec-c " : "rec-c rec-b rec-a ");
    sk_world_verify(sk_lineage_archive(world));

    /* A change that the old log gets is listed beside it, and takes no place of the restored one.
     */
    sk_test_edit(old, &a, "rec-a2");
    (void)sk_world_export(world, 0, "late");
    sk_lineage_import(world, "late");
    hung = what_hangs(world, &a, 30);
    assert_int_equal(hung.log, old_first ? 2 : 1);
    assert_string_equal(hung.words, "rec-a: monday.txt wednesday.txt tuesday.txt "
                                    "| before=rec-b witness=rec-c | after=rec-c ");
    check_found(world, "wednesday", old_first ? "rec-a rec-a2 " : "rec-a2 rec-a ");
    check_found(world, "tuesday", old_first ? "rec-a rec-a2 " : "rec-a2 rec-a ");
    sk_world_verify(sk_lineage_archive(world));
}

static void restore_after_attach_and_link_old_first(void **state)
{
    restore_after_attach_and_link(*state, true);
}

static void restore_after_attach_and_link_new_first(void **state)
{
    restore_after_attach_and_link(*state, false);
}

/* Two that were restored from one backup: what one withdraws is still the other's. */
static void what_a_sibling_withdrew_can_be_opened(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    struct sk_id a = sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-a");
    sk_lineage_inherit(world, 0, 1, true);
    sk_lineage_attach(world, 1, &a, "kept.txt", 10);
    sk_lineage_inherit(world, 0, 2, true);
    (void)sk_world_export(world, 1, "one bundle");
    sk_test_withdraw(world->device[2].store, &a);
    (void)sk_world_export(world, 2, "two bundle");
    sk_lineage_import(world, "one bundle");
    sk_lineage_import(world, "two bundle");
    sk_lineage_list(world, "rec-a@1 ");
    assert_string_equal(what_hangs(world, &a, 0).words, "rec-a: kept.txt | | ");
    check_found(world, "kept", "rec-a ");
}

/* ---- lies ---- */

/* Puts a continuation as the device's next entry, whatever it says. */
static void put_lie(struct sk_store *device, const struct sk_continuation *c, const char *more)
{
    char hex[6][129];
    char text[1200];
    struct sk_entry entry = {.type = SK_TYPE_CONTINUATION, .day = sk_day_now(), .revision = 1};
    sk_auto_payload payload = SK_PAYLOAD_INIT;
    struct sk_store *txn = NULL;
    struct sk_log log;
    uint8_t hash[SK_HASH_LEN];
    sk_hex(hex[0], c->log_id, 32);
    sk_hex(hex[1], c->old_id, 32);
    sk_hex(hex[2], c->sign_public, 32);
    sk_hex(hex[3], c->dh_public, 32);
    sk_hex(hex[4], c->root, 32);
    sk_hex(hex[5], c->signature, 64);
    (void)snprintf(
        text, sizeof(text),
        "{\"recorded\":\"2024-07-14T14:30:05+03:00\",\"log\":\"%s\",\"continues\":\"%s\","
        "\"sign\":\"%s\",\"dh\":\"%s\",\"size\":%llu,\"root\":\"%s\",\"signature\":\"%s\""
        "%s}",
        hex[0], hex[1], hex[2], hex[3], (unsigned long long)c->size, hex[4], hex[5], more);
    sk_id_random(&entry.id);
    sk_random(payload.salt, sizeof(payload.salt));
    EXPECT_OK(sk_buf_add_text(&payload.text, text, &sk_test_err));
    sk_block_hash(hash, payload.salt, 0, text, strlen(text));
    EXPECT_OK(sk_buf_add(&payload.hashes, hash, sizeof(hash), &sk_test_err));
    sk_commitment(entry.commitment, &entry.id, 1, payload.salt, strlen(text), 0, hash);
    EXPECT_OK(sk_log_get(device, SK_LOG_OWN, &log, &sk_test_err));
    EXPECT_OK(sk_store_begin(&txn, device, &sk_test_err));
    EXPECT_OK(sk_item_put(device, SK_LOG_OWN, log.size, &entry, &payload, NULL, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
}

/* What device 0 would have signed for device 1. */
static struct sk_continuation honest(const struct sk_world *world)
{
    struct sk_store *old = world->device[0].store;
    struct sk_continuation c = {.size = 0};
    struct sk_log log;
    struct sk_merkle tree;
    EXPECT_OK(sk_log_get(old, SK_LOG_OWN, &log, &sk_test_err));
    EXPECT_OK(sk_log_tree(old, SK_LOG_OWN, log.size, &tree, &sk_test_err));
    c.size = log.size;
    sk_merkle_root(&tree, c.root);
    memcpy(c.log_id, sk_store_id(world->device[1].store), SK_HASH_LEN);
    memcpy(c.old_id, sk_store_id(old), SK_HASH_LEN);
    memcpy(c.sign_public, sk_store_sign_public(old), SK_SIGN_PUBLIC_LEN);
    memcpy(c.dh_public, sk_store_dh_public(old), SK_DH_LEN);
    sk_continuation_sign(&c, sk_store_seed(old));
    return c;
}

enum lie {
    LIE_NONE,
    LIE_OWN_KEY,   /* signed by the liar */
    LIE_OWN_KEYS,  /* and with the liar's keys as those of the old log */
    LIE_SIZE,      /* another size than was signed */
    LIE_ROOT,      /* a root that the old log never had, signed by its key */
    LIE_PLACE,     /* not in the first entry */
    LIE_OTHER_LOG, /* the words for another log, copied */
    LIE_MORE,      /* a member too many */
    LIE_SELF,      /* continues itself */
    LIE_COUNT,
};

static void tell_lie(const struct sk_world *world, enum lie lie)
{
    struct sk_store *liar = world->device[1].store;
    struct sk_continuation c = honest(world);
    if (lie == LIE_OWN_KEY)
        sk_continuation_sign(&c, sk_store_seed(liar));
    if (lie == LIE_OWN_KEYS) {
        memcpy(c.sign_public, sk_store_sign_public(liar), SK_SIGN_PUBLIC_LEN);
        memcpy(c.dh_public, sk_store_dh_public(liar), SK_DH_LEN);
        sk_continuation_sign(&c, sk_store_seed(liar));
    }
    if (lie == LIE_SIZE)
        c.size--;
    if (lie == LIE_ROOT) {
        c.root[0] ^= 1;
        sk_continuation_sign(&c, sk_store_seed(world->device[0].store));
    }
    if (lie == LIE_PLACE)
        (void)sk_test_add(liar, SK_TYPE_SOURCE, "rec-x");
    if (lie == LIE_OTHER_LOG) {
        memset(c.log_id, 7, sizeof(c.log_id));
        sk_continuation_sign(&c, sk_store_seed(world->device[0].store));
    }
    if (lie == LIE_SELF) {
        memcpy(c.log_id, c.old_id, sizeof(c.log_id));
        sk_continuation_sign(&c, sk_store_seed(world->device[0].store));
    }
    put_lie(liar, &c, lie == LIE_MORE ? ",\"more\":1" : "");
}

/* The entries of the old log, as a liar who has seen them would copy them, and a withdrawal. */
static void copy_and_withdraw(const struct sk_world *world, const struct sk_id *id)
{
    struct sk_store *liar = world->device[1].store;
    struct sk_store *txn = NULL;
    sk_auto_payload payload = SK_PAYLOAD_INIT;
    uint8_t bytes[SK_ENTRY_LEN];
    struct sk_entry entry;
    struct sk_log log;
    bool found = false;
    EXPECT_OK(sk_log_entry(world->device[0].store, SK_LOG_OWN, 0, bytes, &found, &sk_test_err));
    EXPECT_OK(sk_entry_decode(&entry, bytes));
    EXPECT_OK(
        sk_payload_load(world->device[0].store, SK_LOG_OWN, 0, &payload, &found, &sk_test_err));
    EXPECT_OK(sk_log_get(liar, SK_LOG_OWN, &log, &sk_test_err));
    EXPECT_OK(sk_store_begin(&txn, liar, &sk_test_err));
    EXPECT_OK(sk_item_put(liar, SK_LOG_OWN, log.size, &entry, &payload, NULL, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    sk_test_withdraw(liar, id);
}

static void make_liar(struct sk_world *world)
{
    world->device[1].dir = world->dir;
    world->device[1].kind = SK_STORE_DEVICE;
    world->device[1].path = sk_temp_path(world->dir, "liar");
    world->device[1].store = sk_test_make(world->device[1].path, SK_STORE_DEVICE);
    sk_world_invite(world, 0, "liar", "liar invite");
    sk_world_accept(world, 1, "liar invite");
}

static void lie_once(struct sk_world *world, enum lie lie, bool old_first)
{
    sk_world_pair(world);
    struct sk_id id = sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-a");
    (void)sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-b");
    (void)sk_world_export(world, 0, "old");
    make_liar(world);
    tell_lie(world, lie);
    copy_and_withdraw(world, &id);
    (void)sk_world_export(world, 1, "lie");
    sk_lineage_import(world, old_first ? "old" : "lie");
    sk_lineage_import(world, old_first ? "lie" : "old");

    struct sk_log log;
    struct sk_continuation said;
    bool believed = false;
    bool found = false;
    EXPECT_OK(sk_log_find(sk_lineage_archive(world), sk_store_id(world->device[1].store), &log,
                          &found, &sk_test_err));
    EXPECT_OK(sk_continuation_of(sk_lineage_archive(world), &log, &said, &believed, &sk_test_err));
    int64_t erased =
        sk_test_sql_int(sk_lineage_archive(world), "SELECT count(*) FROM item WHERE erased");
    int64_t malformed =
        sk_test_sql_int(sk_lineage_archive(world), "SELECT count(*) FROM malformed");
    assert_int_equal(believed, lie == LIE_NONE);
    assert_int_equal(erased, lie == LIE_NONE ? 2 : 1);
    assert_int_equal(malformed, lie == LIE_NONE ? 0 : 1);
    assert_int_equal(sk_test_sql_int(sk_lineage_archive(world), "SELECT count(*) FROM kin"),
                     lie == LIE_NONE ? 2 : 0);
    sk_world_verify(sk_lineage_archive(world));
}

static void lies_are_not_believed(void **state)
{
    (void)state;
    for (enum lie lie = LIE_NONE; lie < LIE_COUNT; lie++) {
        for (int old_first = 0; old_first < 2; old_first++) {
            void *world = NULL;
            assert_int_equal(sk_world_setup(&world), 0);
            lie_once(world, lie, old_first != 0);
            assert_int_equal(sk_world_teardown(&world), 0);
        }
    }
}

/* The statement is found out when a gap closes: what its withdrawal kept away is asked for. */
static void what_a_lie_withdrew_comes_again(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    (void)sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-a");
    (void)sk_world_export(world, 0, "a");
    struct sk_id b = sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-b");
    (void)sk_world_export(world, 0, "b");
    sk_test_close(&world->device[0]);
    sk_world_copy(world->device[0].path, sk_world_path(world, "copy"));
    sk_test_open(&world->device[0]);
    (void)sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-c");
    (void)sk_world_export(world, 0, "c");
    struct sk_export_result out;
    EXPECT_OK(sk_export(world->device[0].store, sk_world_path(world, "again"), 0, NULL, &out,
                        &sk_test_err));
    sk_test_close(&world->device[0]);
    sk_world_copy(sk_world_path(world, "copy"), world->device[0].path);
    sk_test_open(&world->device[0]);
    sk_test_withdraw(world->device[0].store, &b);
    sk_lineage_inherit(world, 0, 1, true); /* names a root that the archive's log has not */
    (void)sk_world_export(world, 1, "heir");

    sk_lineage_import(world, "a");
    sk_lineage_import(world, "c");
    sk_lineage_import(world, "heir");
    sk_lineage_import(world, "b");
    struct sk_store *archive = sk_lineage_archive(world);
    assert_int_equal(sk_test_sql_int(archive, "SELECT count(*) FROM kin"), 0);
    assert_int_equal(sk_test_sql_int(archive, "SELECT count(*) FROM item WHERE log = 1 AND erased"),
                     0);
    sk_auto_ranges bare = SK_RANGES_INIT;
    sk_auto_ranges withdrawn = SK_RANGES_INIT;
    EXPECT_OK(sk_bare_ranges(archive, 1, &bare, &withdrawn, &sk_test_err));
    assert_string_equal(sk_world_ranges(&bare), "1-2");
    assert_string_equal(sk_world_ranges(&withdrawn), "");
    sk_lineage_import(world, "again");
    sk_lineage_list(world, "rec-b@1 rec-a@2 rec-c@1 rec-a@1 ");
}

/*
 * A device that continues a log which is nobody's may say of that log what it likes, and of no
 * other: the device whose records it names has not signed that it has an heir.
 */
static void a_stranger_ties_nothing(void **state)
{
    struct sk_world *world = *state;
    struct sk_continuation own = {.size = 1};
    uint8_t seed[SK_SIGN_SEED_LEN];
    uint8_t scalar[SK_DH_LEN];
    sk_world_pair(world);
    struct sk_id id = sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-a");
    (void)sk_world_export(world, 0, "old");
    make_liar(world);
    sk_random(seed, sizeof(seed));
    sk_random(scalar, sizeof(scalar));
    sk_sign_public(own.sign_public, seed);
    sk_dh_public(own.dh_public, scalar);
    sk_log_id(own.old_id, own.sign_public, own.dh_public);
    memcpy(own.log_id, sk_store_id(world->device[1].store), SK_HASH_LEN);
    sk_continuation_sign(&own, seed);
    put_lie(world->device[1].store, &own, "");
    struct sk_continuation other = own;
    memcpy(other.log_id, sk_store_id(world->device[0].store), SK_HASH_LEN);
    sk_continuation_sign(&other, seed);
    put_lie(world->device[1].store, &other, "");
    copy_and_withdraw(world, &id);
    (void)sk_world_export(world, 1, "lie");
    sk_lineage_import(world, "lie");
    sk_lineage_import(world, "old");
    assert_int_equal(
        sk_test_sql_int(sk_lineage_archive(world), "SELECT count(*) FROM continuation"), 2);
    assert_int_equal(sk_test_sql_int(sk_lineage_archive(world), "SELECT count(*) FROM kin"), 0);
    sk_lineage_list(world, "rec-a@2 ");
}

/* A log that says without end what continues what is not listened to any more. */
static void statements_are_counted(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    (void)sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-a");
    (void)sk_world_export(world, 0, "old");
    make_liar(world);
    struct sk_continuation c = honest(world);
    put_lie(world->device[1].store, &c, "");
    memset(c.log_id, 7, sizeof(c.log_id));
    sk_continuation_sign(&c, sk_store_seed(world->device[0].store));
    for (unsigned i = 0; i < 70; i++)
        put_lie(world->device[1].store, &c, "");
    (void)sk_world_export(world, 1, "lie");
    sk_lineage_import(world, "lie");
    assert_int_equal(
        sk_test_sql_int(sk_lineage_archive(world), "SELECT count(*) FROM continuation"), 64);
    assert_int_equal(sk_test_sql_int(sk_lineage_archive(world), "SELECT count(*) FROM malformed"),
                     7);
}

/* A log that waits for approval is here, and what continues it is related to it at once. */
static void a_log_that_waits_is_related(void **state)
{
    struct sk_world *world = *state;
    sk_world_pair(world);
    (void)sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "rec-a");
    (void)sk_world_export(world, 0, "old");
    sk_lineage_inherit(world, 0, 1, true);
    (void)sk_world_export(world, 1, "new");
    sk_lineage_import(world, "new");
    sk_test_sql(sk_lineage_archive(world), "UPDATE peer SET log = 1 WHERE log IS NULL");
    struct sk_import_result result = sk_world_import(world, 0, "old");
    assert_true(result.waiting);
    sk_import_result_clear(&result);
    assert_int_equal(sk_test_sql_int(sk_lineage_archive(world), "SELECT count(*) FROM kin"), 2);
    sk_lineage_list(world, "rec-a@1 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_log_that_waits_is_related, sk_world_setup,
                                        sk_world_teardown),
        cmocka_unit_test_setup_teardown(each_record_is_shown_once, sk_world_setup,
                                        sk_world_teardown),
        cmocka_unit_test_setup_teardown(the_order_of_bundles_does_not_matter, sk_world_setup,
                                        sk_world_teardown),
        cmocka_unit_test_setup_teardown(an_heir_that_comes_late_hides_nothing, sk_world_setup,
                                        sk_world_teardown),
        cmocka_unit_test_setup_teardown(heirs_of_heirs_and_two_heirs, sk_world_setup,
                                        sk_world_teardown),
        cmocka_unit_test_setup_teardown(a_change_the_heir_does_not_know_stays, sk_world_setup,
                                        sk_world_teardown),
        cmocka_unit_test_setup_teardown(restore_after_attach_and_link_old_first, sk_world_setup,
                                        sk_world_teardown),
        cmocka_unit_test_setup_teardown(restore_after_attach_and_link_new_first, sk_world_setup,
                                        sk_world_teardown),
        cmocka_unit_test_setup_teardown(what_a_sibling_withdrew_can_be_opened, sk_world_setup,
                                        sk_world_teardown),
        cmocka_unit_test(lies_are_not_believed),
        cmocka_unit_test_setup_teardown(what_a_lie_withdrew_comes_again, sk_world_setup,
                                        sk_world_teardown),
        cmocka_unit_test_setup_teardown(a_stranger_ties_nothing, sk_world_setup, sk_world_teardown),
        cmocka_unit_test_setup_teardown(statements_are_counted, sk_world_setup, sk_world_teardown),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}

/*
 * Goal of this test: a receipt acknowledges only what its archive signed for this store and what
 * this store's own log bears out; it never goes backwards; and whatever else comes in its place
 * changes nothing.
 */
#include "crypto/bytes.h"
#include "sync/deliver.h"
#include "sync/import_parts.h"
#include "sync/receipt_note.h"
#include "tests/support/exchange.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static struct sk_store *device(const struct sk_world *world)
{
    return world->device[0].store;
}

static struct sk_store *archive(const struct sk_world *world)
{
    return world->archive[0].store;
}

/* A pair whose archive holds `count` entries of the device, each from a bundle of its own. */
static void make_pair(struct sk_world *world, unsigned count)
{
    sk_world_pair(world);
    for (unsigned i = 0; i < count; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "bundle%u", i);
        (void)sk_test_add(device(world), SK_TYPE_SOURCE, name);
        (void)sk_world_export(world, 0, name);
        (void)sk_world_import(world, 0, name);
    }
}

static void write_receipt(struct sk_world *world, const char *name)
{
    char code[SK_CODE_LEN];
    EXPECT_OK(sk_receipt_write(archive(world), 1, sk_world_path(world, name), code, &sk_test_err));
    assert_true(sk_code_valid(code));
}

static struct sk_receipt_result take(struct sk_world *world, const char *name)
{
    struct sk_receipt_result result;
    EXPECT_OK(sk_receipt_take(device(world), sk_world_path(world, name), &result, &sk_test_err));
    return result;
}

/* Fails with that status and words, and the device stays as it is. */
static void take_fails(struct sk_world *world, unsigned n, const char *name, enum sk_status status,
                       const char *words)
{
    struct sk_store *store = world->device[n].store;
    struct sk_receipt_result result = {.number = 77};
    uint8_t before[32], after[32];
    sk_world_dump(store, before);
    EXPECT(status, sk_receipt_take(store, sk_world_path(world, name), &result, &sk_test_err));
    if (!strstr(sk_test_err.text, words))
        fail_msg("%s: \"%s\" does not say \"%s\"", name, sk_test_err.text, words);
    assert_int_equal(result.number, 77);
    sk_world_dump(store, after);
    assert_memory_equal(before, after, sizeof(before));
}

/* ---- an archive that lies ---- */

struct forged {
    struct sk_receipt receipt;
    struct sk_buf note;       /* signed; made of `receipt` unless it is there */
    struct sk_buf checkpoint; /* cosigned */
    uint32_t note_len;        /* announced; 0: as it is */
    const uint8_t *seed;      /* of who signs */
};
typedef void change_fn(struct sk_world *world, struct forged *forged);

static void sign(struct forged *f, const uint8_t *archive_id)
{
    char name[SK_ARCHIVE_KEY_NAME_LEN];
    char line[SK_NOTE_LINE_MAX];
    sk_receipt_key_name(name, archive_id);
    if (f->note.len == 0)
        EXPECT_OK(sk_receipt_format(&f->note, &f->receipt, &sk_test_err));
    assert_int_equal(sk_note_sign(line, sk_buf_text(&f->note), f->note.len, name, f->seed), SK_OK);
    EXPECT_OK(sk_buf_printf(&f->note, &sk_test_err, "\n%s", line));
}

/* Makes f->checkpoint of a signed checkpoint. */
static void cosign(struct sk_world *world, struct forged *f, const char *note)
{
    char name[SK_ARCHIVE_KEY_NAME_LEN];
    char line[SK_NOTE_LINE_MAX];
    const char *end = strstr(note, "\n\n");
    assert_non_null(end);
    sk_receipt_key_name(name, sk_store_id(archive(world)));
    assert_int_equal(sk_note_cosign(line, note, (size_t)(end - note) + 1, name, 1000000,
                                    sk_store_seed(archive(world))),
                     SK_OK);
    sk_buf_reset(&f->checkpoint);
    EXPECT_OK(sk_buf_printf(&f->checkpoint, &sk_test_err, "%s%s", note, line));
}

static void put_part(struct sk_envelope_writer *writer, const struct sk_buf *part, uint32_t len)
{
    uint8_t bytes[4];
    sk_put_u32(bytes, len);
    EXPECT_OK(sk_envelope_write(writer, bytes, sizeof(bytes), &sk_test_err));
    EXPECT_OK(sk_envelope_write(writer, sk_buf_text(part), part->len, &sk_test_err));
}

static void seal(struct sk_world *world, const char *name, const struct forged *f)
{
    sk_auto_envelope_writer writer = NULL;
    struct sk_file *file = NULL;
    struct sk_recipient recipient;
    struct sk_store *txn = NULL;
    uint8_t hash[32];
    uint64_t number = 0;
    struct sk_delivered delivered;
    EXPECT_OK(sk_store_begin(&txn, archive(world), &sk_test_err));
    EXPECT_OK(sk_chain_take(archive(world), 1, &number, &recipient.keys, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    memcpy(recipient.dh_public, sk_store_dh_public(device(world)), SK_DH_LEN);
    EXPECT_OK(sk_file_create_beside(&file, sk_world_path(world, name), &sk_test_err));
    EXPECT_OK(sk_envelope_create(&writer, file, &recipient, 1, &sk_test_err));
    put_part(writer, &f->note, f->note_len ? f->note_len : (uint32_t)f->note.len);
    put_part(writer, &f->checkpoint, (uint32_t)f->checkpoint.len);
    EXPECT_OK(
        sk_deliver(writer, &file, sk_world_path(world, name), hash, &delivered, &sk_test_err));
}

/* A receipt of the archive's key and chain, right but for what `change` does to it. */
static void forge(struct sk_world *world, const char *name, uint64_t number, change_fn *change)
{
    struct forged f = {.seed = sk_store_seed(archive(world))};
    sk_auto_buf note = SK_BUF_INIT;
    struct sk_merkle tree;
    struct sk_log log;
    EXPECT_OK(sk_log_get(archive(world), 1, &log, &sk_test_err));
    EXPECT_OK(sk_log_tree(archive(world), 1, log.size, &tree, &sk_test_err));
    memcpy(f.receipt.archive_id, sk_store_id(archive(world)), SK_HASH_LEN);
    memcpy(f.receipt.log_id, log.log_id, SK_HASH_LEN);
    f.receipt.number = number;
    f.receipt.size = log.size;
    sk_merkle_root(&tree, f.receipt.root);
    EXPECT_OK(sk_receipt_add_stored(&f.receipt, 0, log.size, f.receipt.root, &sk_test_err));
    EXPECT_OK(sk_segment_note(archive(world), 1, log.size, &note, &sk_test_err));
    cosign(world, &f, sk_buf_text(&note));
    if (change)
        change(world, &f);
    sign(&f, sk_store_id(archive(world)));
    seal(world, name, &f);
    sk_receipt_clear(&f.receipt);
    sk_buf_clear(&f.note);
    sk_buf_clear(&f.checkpoint);
}

static void other_seed(struct sk_world *world, struct forged *f)
{
    static const uint8_t seed[SK_SIGN_SEED_LEN] = {9};
    (void)world;
    f->seed = seed;
}

static void device_seed(struct sk_world *world, struct forged *f)
{
    f->seed = sk_store_seed(device(world));
}

static void other_archive(struct sk_world *world, struct forged *f)
{
    (void)world;
    f->receipt.archive_id[0] ^= 1;
}

static void other_log(struct sk_world *world, struct forged *f)
{
    (void)world;
    f->receipt.log_id[31] ^= 1;
}

static void other_text(struct sk_world *world, struct forged *f)
{
    (void)world;
    EXPECT_OK(sk_buf_add_text(&f->note, "skrynia receipt 2\n", &sk_test_err));
}

/* What the device signs itself, and what an archive cosigns, is no receipt. */
static void a_checkpoint(struct sk_world *world, struct forged *f)
{
    sk_auto_buf note = SK_BUF_INIT;
    EXPECT_OK(sk_log_note(device(world), SK_LOG_OWN, &note, &sk_test_err));
    const char *end = strstr(sk_buf_text(&note), "\n\n");
    EXPECT_OK(sk_buf_add(&f->note, sk_buf_text(&note), (size_t)(end - sk_buf_text(&note)) + 1,
                         &sk_test_err));
}

static void endless(struct sk_world *world, struct forged *f)
{
    (void)world;
    f->note_len = SK_RECEIPT_MAX + 1;
}

static void longer_than_it_is(struct sk_world *world, struct forged *f)
{
    (void)world;
    f->note_len = SK_RECEIPT_MAX;
}

static void not_cosigned(struct sk_world *world, struct forged *f)
{
    (void)world;
    char *second = strstr(sk_buf_text(&f->checkpoint), "\n\n");
    second = strchr(second + 2, '\n');
    f->checkpoint.len = (size_t)(second + 1 - (const char *)f->checkpoint.bytes);
    f->checkpoint.bytes[f->checkpoint.len] = 0;
}

static void cut_by_a_nul(struct sk_world *world, struct forged *f)
{
    (void)world;
    EXPECT_OK(sk_buf_add_byte(&f->checkpoint, 0, &sk_test_err));
}

/* A right cosignature under the head of a log that is not this one. */
static void cosigned_for_another(struct sk_world *world, struct forged *f)
{
    static const uint8_t seed[SK_SIGN_SEED_LEN] = {8};
    char origin[SK_ORIGIN_LEN];
    char line[SK_NOTE_LINE_MAX];
    char text[SK_CHECKPOINT_TEXT_MAX];
    char note[SK_CHECKPOINT_NOTE_MAX];
    struct sk_checkpoint checkpoint = {.size = 1};
    sk_log_origin(origin, sk_store_id(archive(world)));
    memcpy(checkpoint.origin, origin, sizeof(origin));
    assert_int_equal(sk_checkpoint_format(text, &checkpoint), SK_OK);
    assert_int_equal(sk_note_sign(line, text, strlen(text), origin, seed), SK_OK);
    (void)snprintf(note, sizeof(note), "%s\n%s", text, line);
    cosign(world, f, note);
}

static void lies_change_nothing(void **state)
{
    struct sk_world *world = *state;
    static const struct {
        const char *name;
        change_fn *change;
        enum sk_status status;
        const char *words;
    } lies[] = {
        {"l1", other_seed, SK_DAMAGED, "not signed by its archive"},
        {"l2", device_seed, SK_DAMAGED, "not signed by its archive"},
        {"l3", other_archive, SK_REFUSED, "another store"},
        {"l4", other_log, SK_REFUSED, "another store"},
        {"l5", other_text, SK_DAMAGED, "not the text of a receipt"},
        {"l6", a_checkpoint, SK_DAMAGED, "not the text of a receipt"},
        {"l7", endless, SK_LIMIT, "too long"},
        {"l8", longer_than_it_is, SK_DAMAGED, ""},
        {"l9", not_cosigned, SK_DAMAGED, "not cosigned"},
        {"l10", cut_by_a_nul, SK_DAMAGED, "not cosigned"},
        {"l11", cosigned_for_another, SK_DAMAGED, ""},
    };
    make_pair(world, 2);
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        forge(world, lies[i].name, 500, lies[i].change);
        take_fails(world, 0, lies[i].name, lies[i].status, lies[i].words);
    }
    assert_string_equal(sk_world_status(device(world), 0), "|0-2||");
    forge(world, "honest", 1, NULL);
    struct sk_receipt_result got = take(world, "honest");
    assert_false(got.older || got.rollback);
    sk_receipt_result_clear(&got);
    assert_string_equal(sk_world_status(device(world), 0), "0-2|||");
}

/* ---- what the log does not bear out ---- */

static void other_root(struct sk_world *world, struct forged *f)
{
    (void)world;
    f->receipt.root[0] ^= 1;
}

static void more_than_there_is(struct sk_world *world, struct forged *f)
{
    (void)world;
    f->receipt.size = 3;
}

static void stored_with_another_root(struct sk_world *world, struct forged *f)
{
    (void)world;
    f->receipt.stored[0].root[31] ^= 1;
}

static void stored_beyond(struct sk_world *world, struct forged *f)
{
    (void)world;
    EXPECT_OK(sk_receipt_add_stored(&f->receipt, 3, 4, f->receipt.root, &sk_test_err));
}

static void stored_for_ever(struct sk_world *world, struct forged *f)
{
    (void)world;
    f->receipt.stored[0].to = INT64_MAX;
}

static void other_roots_acknowledge_nothing(void **state)
{
    struct sk_world *world = *state;
    static const struct {
        const char *name;
        change_fn *change;
    } lies[] = {
        {"l1", other_root},    {"l2", more_than_there_is}, {"l3", stored_with_another_root},
        {"l4", stored_beyond}, {"l5", stored_for_ever},
    };
    make_pair(world, 2);
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        uint8_t before[32], after[32];
        forge(world, lies[i].name, 500, lies[i].change);
        sk_world_dump(device(world), before);
        struct sk_receipt_result got = take(world, lies[i].name);
        sk_world_dump(device(world), after);
        assert_memory_equal(before, after, sizeof(before));
        assert_true(got.rollback);
        assert_false(got.older);
        assert_non_null(strstr(got.notes, "put back from an older copy"));
        sk_receipt_result_clear(&got);
    }
    assert_string_equal(sk_world_status(device(world), 0), "|0-2||");
    write_receipt(world, "honest");
    struct sk_receipt_result got = take(world, "honest");
    assert_false(got.rollback);
    sk_receipt_result_clear(&got);
    assert_string_equal(sk_world_status(device(world), 0), "0-2|||");
}

/* Asking is not limited to what is missing, but to what there is. */
static void asks_for_everything(struct sk_world *world, struct forged *f)
{
    (void)world;
    EXPECT_OK(sk_ranges_add(&f->receipt.wanted, 1, INT64_MAX, &sk_test_err));
}

static void what_is_asked_for_ends_with_the_log(void **state)
{
    struct sk_world *world = *state;
    make_pair(world, 3);
    forge(world, "r", 1, asks_for_everything);
    struct sk_receipt_result got = take(world, "r");
    sk_receipt_result_clear(&got);
    assert_string_equal(sk_world_status(device(world), 0), "0-3|||1-3");
    struct sk_export_result sent = sk_world_export(world, 0, "again");
    assert_int_equal(sent.n0, 1);
    assert_int_equal(sent.n1, 3);
}

static void stores_less(struct sk_world *world, struct forged *f)
{
    struct sk_merkle tree;
    EXPECT_OK(sk_log_tree(device(world), SK_LOG_OWN, 1, &tree, &sk_test_err));
    f->receipt.size = 1;
    f->receipt.stored[0].to = 1;
    sk_merkle_root(&tree, f->receipt.root);
    sk_merkle_root(&tree, f->receipt.stored[0].root);
}

/* ---- never backwards ---- */

static void receipts_never_go_backwards(void **state)
{
    struct sk_world *world = *state;
    uint8_t before[32], after[32];
    make_pair(world, 2);
    write_receipt(world, "r1");
    write_receipt(world, "r2");
    struct sk_receipt_result got = take(world, "r2");
    assert_int_equal(got.number, 2);
    assert_false(got.older);
    sk_receipt_result_clear(&got);

    /* Late, twice, or with a number that was there: nothing changes, and that is no error. */
    forge(world, "same", 2, stores_less);
    static const char *const late[] = {"r1", "r2", "r1", "same"};
    sk_world_dump(device(world), before);
    for (size_t i = 0; i < 4; i++) {
        got = take(world, late[i]);
        assert_true(got.older);
        assert_false(got.rollback);
        assert_string_equal(got.archive, "Archive of tests");
        sk_receipt_result_clear(&got);
    }
    sk_world_dump(device(world), after);
    assert_memory_equal(before, after, sizeof(before));

    /* A later one that stores less takes nothing back. */
    forge(world, "less", 3, stores_less);
    got = take(world, "less");
    assert_int_equal(got.size, 1);
    assert_false(got.older || got.rollback);
    sk_receipt_result_clear(&got);
    assert_string_equal(sk_world_status(device(world), 0), "0-2|||");
}

/* ---- other files, other ends ---- */

static void a_receipt_is_for_one_device(void **state)
{
    struct sk_world *world = *state;
    sk_world_devices(world, 2);
    sk_world_archives(world, 1);
    for (unsigned i = 0; i < 2; i++) {
        const char *name = i ? "b1" : "b0";
        sk_world_invite(world, 0, i ? "stork" : "lark", i ? "i1" : "i0");
        sk_world_accept(world, i, i ? "i1" : "i0");
        (void)sk_test_add(world->device[i].store, SK_TYPE_SOURCE, name);
        (void)sk_world_export(world, i, name);
        (void)sk_world_import(world, 0, name);
    }
    write_receipt(world, "r");
    take_fails(world, 1, "r", SK_REFUSED, "no receipt for this store");
    take_fails(world, 0, "b0", SK_REFUSED, "no receipt for this store");
    take_fails(world, 0, "nothing", SK_MISSING, "");
    take_fails(world, 0, "i0", SK_DAMAGED, "");
    sk_world_import_fails(world, 0, "r", SK_REFUSED, "no bundle for this archive", true);
    struct sk_receipt_result got = take(world, "r");
    assert_false(got.older);
    sk_receipt_result_clear(&got);
}

static void damage_changes_nothing(void **state)
{
    struct sk_world *world = *state;
    static const size_t spots[] = {0,     31,    40,    1000,   2000,   65503,
                                   65535, 65536, 70000, 131071, 200000, 262143};
    size_t len = 0;
    make_pair(world, 1);
    write_receipt(world, "r");
    uint8_t *bytes = sk_test_read(sk_world_path(world, "r"), &len);
    assert_int_equal(len, 262144);
    for (unsigned taken = 0; taken < 2; taken++) {
        for (size_t i = 0; i < sizeof(spots) / sizeof(spots[0]); i++) {
            enum sk_status status;
            struct sk_receipt_result got;
            uint8_t before[32], after[32];
            sk_world_dump(device(world), before);
            bytes[spots[i]] ^= 0x10;
            sk_temp_write(sk_world_path(world, "bad"), bytes, len);
            bytes[spots[i]] ^= 0x10;
            status =
                sk_receipt_take(device(world), sk_world_path(world, "bad"), &got, &sk_test_err);
            assert_true(status == SK_DAMAGED || status == SK_REFUSED);
            if (taken && spots[i] > 2000)
                assert_int_equal(status, SK_REFUSED); /* a damaged copy of what is known */
            sk_temp_write(sk_world_path(world, "bad"), bytes, spots[i]);
            assert_int_equal(
                sk_receipt_take(device(world), sk_world_path(world, "bad"), &got, &sk_test_err),
                SK_DAMAGED);
            sk_world_dump(device(world), after);
            assert_memory_equal(before, after, sizeof(before));
        }
        struct sk_receipt_result got = take(world, "r");
        assert_int_equal(got.older, taken);
        sk_receipt_result_clear(&got);
    }
    free(bytes);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sk_world_setup, sk_world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(lies_change_nothing),
        TEST(other_roots_acknowledge_nothing),
        TEST(what_is_asked_for_ends_with_the_log),
        TEST(receipts_never_go_backwards),
        TEST(a_receipt_is_for_one_device),
        TEST(damage_changes_nothing),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}

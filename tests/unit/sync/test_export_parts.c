/*
 * Goal of this test: a log that no bundle can carry whole leaves in several. Each is signed for the
 * size it ends at, says what remains, and is as good as any other: in every order, and with losses.
 *
 * This program has a plan of its own in place of sync/export_plan.c: a bundle carries at most three
 * entries.
 */
#include "core/file.h"
#include "tests/support/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define MOST 3

enum sk_status sk_export_plan(struct sk_store *store, uint64_t n0, uint64_t size,
                              struct sk_export_plan *out, struct sk_error *err)
{
    struct sk_export_plan plan = {.n0 = n0, .n1 = size - n0 > MOST ? n0 + MOST : size};
    sk_auto_stmt stmt = NULL;
    struct sk_hash indices;
    bool row = true;
    plan.left = size - plan.n1;
    sk_hash_init(&indices, NULL, SK_LABEL_INDICES);
    SK_TRY(sk_db_prepare(sk_store_db(store), &stmt,
                         "SELECT id, length(text) + body_len FROM payload "
                         "WHERE id >= ?1 AND id < ?2 ORDER BY id",
                         err));
    sk_bind_int(stmt, 1, sk_entry_row(SK_LOG_OWN, plan.n0));
    sk_bind_int(stmt, 2, sk_entry_row(SK_LOG_OWN, plan.n1));
    for (;;) {
        SK_TRY(sk_step(stmt, &row, err));
        if (!row)
            break;
        sk_hash_add_u32(&indices,
                        (uint32_t)(sk_entry_row_position(sk_column_int(stmt, 0)) - plan.n0));
        plan.plain_bytes += (uint64_t)sk_column_int(stmt, 1);
        plan.payloads++;
    }
    sk_hash_end(&indices, plan.indices_hash);
    *out = plan;
    return SK_OK;
}

static struct sk_store *device(const struct sk_world *world)
{
    return world->device[0].store;
}

static struct sk_store *archive(const struct sk_world *world)
{
    return world->archive[0].store;
}

/* Eight entries, of which two have no payload, in bundles "p0" to "p2". */
static void make_parts(struct sk_world *world)
{
    static const uint64_t left[] = {5, 2, 0};
    struct sk_export_result sent;
    sk_world_pair(world);
    for (unsigned i = 0; i < 5; i++)
        (void)sk_test_add(device(world), SK_TYPE_SOURCE, "entry");
    struct sk_id id = sk_test_add(device(world), SK_TYPE_SOURCE, "withdrawn");
    (void)sk_test_withdraw(device(world), &id);
    (void)sk_test_add(device(world), SK_TYPE_SOURCE, "entry");
    for (unsigned i = 0; i < 3; i++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "p%u", i % 10);
        sent = sk_world_export(world, 0, name);
        assert_int_equal(sent.n0, 3 * i);
        assert_int_equal(sent.n1, i < 2 ? 3 * i + 3 : 8);
        assert_int_equal(sent.left, left[i]);
        assert_int_equal(sent.number, i + 1);
    }
    assert_string_equal(sk_world_status(device(world), 0), "|0-8||");
    EXPECT_OK(sk_export(device(world), sk_world_path(world, "p3"), SK_EXPORT_NEW, NULL, &sent,
                        &sk_test_err));
    assert_true(sent.nothing);
}

/* The head that the archive holds is the one that was signed for its size. */
static void check_head(struct sk_world *world, uint64_t size)
{
    sk_auto_buf note = SK_BUF_INIT;
    struct sk_checkpoint head;
    struct sk_merkle tree;
    uint8_t root[SK_MERKLE_LEN];
    EXPECT_OK(sk_log_note(archive(world), 1, &note, &sk_test_err));
    EXPECT_OK(sk_log_check_note(sk_store_id(device(world)), sk_store_sign_public(device(world)),
                                sk_buf_text(&note), &head, &sk_test_err));
    assert_int_equal(head.size, size);
    EXPECT_OK(sk_log_tree(device(world), SK_LOG_OWN, size, &tree, &sk_test_err));
    sk_merkle_root(&tree, root);
    assert_memory_equal(head.root, root, sizeof(root));
}

static void one_part_after_the_other(void **state)
{
    struct sk_world *world = *state;
    static const uint64_t ends[] = {3, 6, 8};
    make_parts(world);
    for (unsigned i = 0; i < 3; i++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "p%u", i % 10);
        struct sk_import_result got = sk_world_import(world, 0, name);
        assert_int_equal(got.entries_new, i < 2 ? 3 : 2);
        assert_int_equal(got.gaps.count, 0);
        check_head(world, ends[i]);
        (void)snprintf(name, sizeof(name), "r%u", i % 10);
        struct sk_receipt_result receipt = sk_world_receipt(world, 0, 1, 0, name);
        assert_int_equal(receipt.size, ends[i]);
        assert_false(receipt.rollback);
        sk_receipt_result_clear(&receipt);
    }
    assert_string_equal(sk_world_status(device(world), 0), "0-8|||");
    sk_world_verify(archive(world));
}

/* The middle one is lost: what comes first is asked for, and goes out again in parts. */
static void a_lost_part_is_sent_again(void **state)
{
    struct sk_world *world = *state;
    make_parts(world);
    struct sk_import_result got = sk_world_import(world, 0, "p2");
    assert_string_equal(sk_world_ranges(&got.gaps), "0-6");
    sk_import_result_clear(&got);
    struct sk_receipt_result receipt = sk_world_receipt(world, 0, 1, 0, "r1");
    sk_receipt_result_clear(&receipt);
    assert_string_equal(sk_world_status(device(world), 0), "6-8||0-6|0-6");
    for (unsigned i = 0; i < 2; i++) {
        struct sk_export_result sent = sk_world_export(world, 0, i ? "again1" : "again0");
        assert_int_equal(sent.n0, 3 * i);
        assert_int_equal(sent.left, i ? 0 : 3); /* to the end of what is asked for */
    }
    got = sk_world_import(world, 0, "again1");
    assert_string_equal(sk_world_ranges(&got.gaps), "0-3");
    sk_import_result_clear(&got);
    got = sk_world_import(world, 0, "p0"); /* late, and as good as the other */
    assert_int_equal(got.gaps.count, 0);
    check_head(world, 8);
    got = sk_world_import(world, 0, "again0");
    assert_int_equal(got.entries_known, 3);
    sk_world_verify(archive(world));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sk_world_setup, sk_world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(one_part_after_the_other),
        TEST(a_lost_part_is_sent_again),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}

#include "tests/support/damaged_bundle.h"

#include "core/lacking.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static struct sk_store *device(const struct sk_world *world)
{
    return world->device[0].store;
}

static struct sk_store *archive(const struct sk_world *world)
{
    return world->archive[0].store;
}

/* ---- the archive as it was, again and again ---- */

void sk_damaged_save(struct sk_world *world)
{
    sk_test_close(&world->archive[0]);
    sk_world_copy(world->archive[0].path, sk_world_path(world, "saved"));
    sk_test_open(&world->archive[0]);
}

void sk_damaged_put_back(struct sk_world *world)
{
    sk_test_close(&world->archive[0]);
    sk_world_copy(sk_world_path(world, "saved"), world->archive[0].path);
    sk_test_open(&world->archive[0]);
}

/* ---- bundles ---- */

void sk_damaged_attach(struct sk_world *world, const struct sk_id *id, size_t len)
{
    struct sk_id attachment;
    sk_auto_item item = sk_test_item(device(world), id);
    sk_test_write(sk_world_path(world, "picture"), len);
    EXPECT_OK(sk_attachment_add(device(world), &item, sk_world_path(world, "picture"), NULL,
                                &attachment, &sk_test_err));
}

/* A bundle "good" of everything that a log can hold. */
void sk_damaged_make(struct sk_world *world)
{
    struct sk_store *txn = NULL;
    struct sk_id link;
    sk_world_pair(world);
    struct sk_id one = sk_test_add(device(world), SK_TYPE_SOURCE, "with a picture");
    sk_damaged_attach(world, &one, 150000);
    struct sk_id two = sk_test_add(device(world), SK_TYPE_EVENT, "with two of them");
    sk_damaged_attach(world, &two, 1300000);
    (void)sk_world_put_text(device(world), "{\"this is\": [\"no record\"");
    sk_test_edit(device(world), &one, "with another title");
    sk_damaged_attach(world, &two, 90000);
    struct sk_id gone = sk_test_add(device(world), SK_TYPE_SOURCE, "withdrawn before it was sent");
    sk_damaged_attach(world, &gone, 5000);
    (void)sk_test_withdraw(device(world), &gone);
    sk_auto_item from = sk_test_item(device(world), &one);
    sk_auto_item to = sk_test_item(device(world), &two);
    EXPECT_OK(sk_store_begin(&txn, device(world), &sk_test_err));
    EXPECT_OK(sk_link_add(device(world), &from, "tells-of", &to, &link, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    (void)sk_test_add(device(world), SK_TYPE_PERSON, "the last one");
    (void)sk_world_export(world, 0, "good");
}

/* What an archive holds that got "good" as it is. */
void sk_damaged_reference(struct sk_world *world, uint8_t out[static 32])
{
    sk_damaged_save(world);
    struct sk_import_result result = sk_world_import(world, 0, "good");
    sk_import_result_clear(&result);
    sk_world_meaning(archive(world), out);
    sk_damaged_put_back(world);
}

/* ---- salvaging ---- */

void sk_damaged_write(struct sk_world *world, const char *name, const size_t *chunks, size_t count)
{
    size_t len = 0;
    uint8_t *bytes = sk_test_read(sk_world_path(world, "good"), &len);
    for (size_t i = 0; i < count; i++)
        bytes[chunks[i] * SK_DAMAGED_CHUNK + 5] ^= 4;
    sk_temp_write(sk_world_path(world, name), bytes, len);
    free(bytes);
}

enum sk_status sk_damaged_salvage(struct sk_world *world, const char *name,
                                  const struct sk_worker *worker, struct sk_import_result *result)
{
    sk_error_clear(&sk_test_err);
    *result = (struct sk_import_result){.log = 0};
    return sk_import_salvage(archive(world), sk_world_path(world, name), worker, NULL, result,
                             &sk_test_err);
}

uint64_t sk_damaged_lacking(struct sk_world *world)
{
    uint64_t count = 0;
    EXPECT_OK(sk_lacking_count(archive(world), &count, &sk_test_err));
    return count;
}

uint64_t sk_damaged_payloads(struct sk_store *store)
{
    return (uint64_t)sk_test_sql_int(store, "SELECT count(*) FROM payload");
}

void sk_damaged_complete(struct sk_world *world, const uint8_t expected[static 32])
{
    uint8_t now[32];
    struct sk_import_result result = sk_world_import(world, 0, "good");
    assert_false(result.salvaged || result.known_file);
    sk_import_result_clear(&result);
    assert_int_equal(sk_damaged_lacking(world), 0);
    sk_world_meaning(archive(world), now);
    assert_memory_equal(now, expected, sizeof(now));
    sk_world_verify(archive(world));
}

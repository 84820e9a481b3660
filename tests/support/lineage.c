#include "tests/support/lineage.h"

#include "tests/support/heir.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

struct sk_store *sk_lineage_archive(const struct sk_world *world)
{
    return world->archive[0].store;
}

/* Makes device `into` the heir of device `from`, which the archive invites. */
void sk_lineage_inherit(struct sk_world *world, unsigned from, unsigned into, bool invited)
{
    static const char *const names[] = {"zero", "one", "two", "three"};
    struct sk_test_heir heir;
    world->device[into] = (struct sk_test_store){world->dir, sk_temp_path(world->dir, names[into]),
                                                 SK_STORE_DEVICE, NULL};
    sk_test_inherit(&world->device[from], world->device[into].path, &heir);
    assert_true(heir.result.continues);
    assert_string_equal(heir.losses, "");
    sk_test_open(&world->device[into]);
    sk_world_verify(world->device[into].store);
    if (!invited)
        return;
    sk_world_invite(world, 0, names[into], "letter");
    sk_world_accept(world, into, "letter");
}

static enum sk_status add_title(void *context, const struct sk_item *item, struct sk_error *err)
{
    char *out = context;
    (void)err;
    (void)snprintf(out + strlen(out), 512 - strlen(out), "%s@%lld ", item->title,
                   (long long)item->log);
    return SK_OK;
}

/* "title@log " of what is listed, newest first. */
void sk_lineage_list(const struct sk_world *world, const char *expected)
{
    char list[512] = "";
    EXPECT_OK(sk_item_each(sk_lineage_archive(world), 0, add_title, list, &sk_test_err));
    assert_string_equal(list, expected);
    char found[512] = "";
    EXPECT_OK(sk_item_search(sk_lineage_archive(world), "rec", add_title, found, &sk_test_err));
    assert_string_equal(found, expected);
    sk_world_verify(sk_lineage_archive(world));
}

void sk_lineage_import(struct sk_world *world, const char *name)
{
    struct sk_import_result result = sk_world_import(world, 0, name);
    assert_false(result.fork);
    sk_import_result_clear(&result);
}

void sk_lineage_attach(const struct sk_world *world, unsigned device, const struct sk_id *to,
                       const char *name, size_t size)
{
    struct sk_id id;
    sk_auto_item item = {.title = NULL};
    sk_test_write(sk_world_path(world, name), size);
    EXPECT_OK(sk_item_get(world->device[device].store, SK_LOG_OWN, to, &item, &sk_test_err));
    EXPECT_OK(sk_attachment_add(world->device[device].store, &item, sk_world_path(world, name),
                                NULL, &id, &sk_test_err));
}

void sk_lineage_link(struct sk_store *device, const struct sk_id *from, const char *role,
                     const struct sk_id *to)
{
    struct sk_id id;
    struct sk_store *txn = NULL;
    sk_auto_item source = {.title = NULL};
    sk_auto_item target = {.title = NULL};
    EXPECT_OK(sk_item_get(device, SK_LOG_OWN, from, &source, &sk_test_err));
    EXPECT_OK(sk_item_get(device, SK_LOG_OWN, to, &target, &sk_test_err));
    EXPECT_OK(sk_store_begin(&txn, device, &sk_test_err));
    EXPECT_OK(sk_link_add(device, &source, role, &target, &id, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
}

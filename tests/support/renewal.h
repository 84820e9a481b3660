/*
 * The first device and the first archive of a world (tests/support/exchange.h), while the archive
 * renews its keys.
 */
#ifndef SK_TESTS_RENEWAL_H
#define SK_TESTS_RENEWAL_H

#include "core/renew.h"
#include "sync/renew.h"
#include "tests/support/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static inline struct sk_store *archive(const struct sk_world *world)
{
    return world->archive[0].store;
}

static inline struct sk_store *device(const struct sk_world *world)
{
    return world->device[0].store;
}

static inline void renew(struct sk_world *world)
{
    EXPECT_OK(sk_archive_renew(archive(world), &sk_test_err));
    sk_test_reopen(&world->archive[0]);
}

static inline void forget(struct sk_world *world)
{
    EXPECT_OK(sk_keys_forget(archive(world), false, &sk_test_err));
    sk_test_reopen(&world->archive[0]);
    sk_world_verify(archive(world));
}

static inline void send(struct sk_world *world, const char *name)
{
    (void)sk_test_add(device(world), SK_TYPE_SOURCE, name);
    (void)sk_world_export(world, 0, name);
}

static inline void import(struct sk_world *world, const char *name)
{
    struct sk_import_result in = sk_world_import(world, 0, name);
    assert_false(in.waiting || in.fork || in.known_file);
    sk_import_result_clear(&in);
}

static inline void write_receipt(struct sk_store *store, const struct sk_world *world,
                                 const char *name)
{
    char code[SK_CODE_LEN];
    EXPECT_OK(sk_receipt_write(store, 1, sk_world_path(world, name), code, &sk_test_err));
}

/* Takes a receipt; whether it announced new keys. */
static inline bool take(struct sk_world *world, const char *name)
{
    struct sk_receipt_result out;
    EXPECT_OK(sk_receipt_take(device(world), sk_world_path(world, name), &out, &sk_test_err));
    assert_false(out.older || out.rollback);
    bool announced = out.new_keys;
    sk_receipt_result_clear(&out);
    return announced;
}

static inline bool answer(struct sk_world *world, const char *name)
{
    write_receipt(archive(world), world, name);
    return take(world, name);
}

/* It is refused with these words, and no row of the device changes. */
static inline void take_fails(struct sk_world *world, const char *name, enum sk_status status,
                              const char *words)
{
    struct sk_receipt_result out;
    uint8_t before[32], after[32];
    sk_world_dump(device(world), before);
    EXPECT(status, sk_receipt_take(device(world), sk_world_path(world, name), &out, &sk_test_err));
    if (!strstr(sk_test_err.text, words))
        fail_msg("\"%s\" does not say \"%s\"", sk_test_err.text, words);
    sk_world_dump(device(world), after);
    assert_memory_equal(before, after, sizeof(before));
}

static inline uint64_t known(struct sk_world *world, int64_t log)
{
    uint64_t number = 77;
    EXPECT_OK(sk_keys_known(archive(world), 1, log, &number, &sk_test_err));
    return number;
}

#endif

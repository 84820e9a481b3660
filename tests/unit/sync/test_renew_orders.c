/*
 * Goal of this test: whatever comes early, late, twice or never while an archive renews its keys
 * again and again, each bundle and receipt is taken or refused as sync/FORMAT.md says, held against
 * a plain model of which side has which keys; and as long as no device is left behind, the next
 * plain round brings everything there and acknowledged.
 *
 * Sequences are drawn from a seed, which a failure names.
 */
#include "core/renew.h"
#include "sync/peer.h"
#include "sync/renew.h"
#include "tests/support/effort.h"
#include "tests/support/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES     80
#define STEPS     60
#define SEQUENCES 6
#define NONE      (-1)

/* What travels: the numbers of the archive's keys that it was made with. */
struct file {
    bool receipt;
    int key;    /* sealed to, or signed by */
    int next;   /* a receipt's line, NONE without one */
    int number; /* of a receipt */
    bool known; /* it was taken */
};

static struct {
    struct sk_world *world;
    uint64_t seed, random;
    struct file files[FILES];
    int file_count;
    int now, next;                     /* of the archive; next NONE without one */
    int has;                           /* the newest that the archive knows the device to have */
    int number;                        /* of the newest receipt written */
    int in_force, announced, before;   /* of the device */
    int taken;                         /* number of the newest receipt taken */
    bool left_behind;                  /* keys were forgotten that the device may need */
    unsigned refused, promoted, again; /* how often */
} s;

static uint32_t draw(uint32_t below)
{
    s.random = s.random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(s.random >> 33) % below;
}

static const char *path_of(int file)
{
    char name[16];
    (void)snprintf(name, sizeof(name), "f%d", file);
    return sk_world_path(s.world, name);
}

static void expect(enum sk_status expected, enum sk_status got, const char *what, int file)
{
    if (got != expected)
        fail_msg("seed %llu, %s of file %d (key %d): %s and not %s: %s", (unsigned long long)s.seed,
                 what, file, s.files[file].key, sk_status_name(got), sk_status_name(expected),
                 sk_test_err.text);
    s.refused += got != SK_OK;
}

/* ---- the steps ---- */

static void export(bool everything)
{
    struct sk_export_result out;
    (void)sk_test_add(s.world->device[0].store, SK_TYPE_SOURCE, "x");
    EXPECT_OK(sk_export(s.world->device[0].store, path_of(s.file_count),
                        everything ? 0 : SK_EXPORT_NEW, NULL, &out, &sk_test_err));
    s.files[s.file_count++] =
        (struct file){.key = s.announced != NONE ? s.announced : s.in_force, .next = NONE};
}

static void import(int file)
{
    struct file *f = &s.files[file];
    struct sk_import_result in;
    enum sk_status expected = f->known || f->key == s.now || f->key == s.next ? SK_OK : SK_REFUSED;
    sk_error_clear(&sk_test_err);
    expect(expected,
           sk_import(s.world->archive[0].store, path_of(file), NULL, NULL, &in, &sk_test_err),
           "import", file);
    if (expected != SK_OK)
        return;
    assert_int_equal(in.known_file, f->known);
    s.again += f->known;
    sk_import_result_clear(&in);
    f->known = true;
    s.has = f->key > s.has ? f->key : s.has;
}

/* Nothing has come yet, or only keys that were forgotten are known: there is none. */
static bool answer(void)
{
    char code[SK_CODE_LEN];
    bool can = s.has == s.now || s.has == s.next;
    bool came = false;
    struct sk_log log;
    for (int i = 0; i < s.file_count; i++)
        came = came || (!s.files[i].receipt && s.files[i].known);
    if (!came)
        return false;
    EXPECT_OK(sk_log_get(s.world->archive[0].store, 1, &log, &sk_test_err));
    EXPECT(can ? SK_OK : SK_REFUSED, sk_receipt_write(s.world->archive[0].store, 1,
                                                      path_of(s.file_count), code, &sk_test_err));
    if (can)
        s.files[s.file_count++] = (struct file){.receipt = true,
                                                .key = s.has,
                                                .next = s.has == s.now ? s.next : NONE,
                                                .number = ++s.number};
    return can;
}

static enum sk_status expect_take(const struct file *f)
{
    if (f->known)
        return SK_OK;
    if (f->key != s.announced && f->key != s.in_force)
        return f->key == s.before ? SK_REFUSED : SK_DAMAGED;
    if (f->key == s.in_force && s.announced != NONE && f->number > s.taken)
        return f->next == s.announced ? SK_OK : SK_REFUSED;
    return SK_OK;
}

static void take(int file)
{
    struct file *f = &s.files[file];
    struct sk_receipt_result out;
    enum sk_status expected = expect_take(f);
    sk_error_clear(&sk_test_err);
    expect(expected, sk_receipt_take(s.world->device[0].store, path_of(file), &out, &sk_test_err),
           "receive", file);
    if (expected != SK_OK)
        return;
    assert_false(out.rollback);
    assert_int_equal(out.older, f->known || f->number <= s.taken);
    if (!out.older) {
        if (f->key == s.announced) {
            s.before = s.in_force;
            s.in_force = s.announced;
            s.announced = NONE;
            s.promoted++;
        }
        assert_int_equal(out.new_keys, f->next != NONE && s.announced == NONE);
        s.announced = s.announced == NONE ? f->next : s.announced;
        s.taken = f->number;
        f->known = true;
    }
    sk_receipt_result_clear(&out);
}

static void forget(bool force)
{
    struct sk_store *archive = s.world->archive[0].store;
    struct sk_log log;
    bool waits = s.has < s.next && sk_log_get(archive, 1, &log, NULL) == SK_OK && s.has == s.now;
    if (s.next == NONE) {
        EXPECT(SK_REFUSED, sk_keys_forget(archive, force, &sk_test_err));
        return;
    }
    if (sk_log_get(archive, 1, &log, NULL) != SK_OK) /* only invited: with the keys of then */
        waits = s.has == s.now;
    EXPECT(waits && !force ? SK_REFUSED : SK_OK, sk_keys_forget(archive, force, &sk_test_err));
    if (waits && !force)
        return;
    s.left_behind = s.left_behind || waits;
    s.now = s.next;
    s.next = NONE;
}

static void renew(void)
{
    EXPECT(s.next == NONE ? SK_OK : SK_REFUSED,
           sk_archive_renew(s.world->archive[0].store, &sk_test_err));
    if (s.next == NONE)
        s.next = s.now + 1;
}

/* Any file goes where it belongs: mostly a new one, often an old one, some never. */
static void deliver(void)
{
    if (s.file_count == 0)
        return;
    uint32_t back = draw(draw(3) ? 3 : FILES);
    int file = s.file_count - 1 - (int)(back % (uint32_t)s.file_count);
    if (s.files[file].receipt)
        take(file);
    else
        import(file);
}

static void step(bool force)
{
    switch (draw(12)) {
    case 0:
    case 1:
    case 2:
        export(draw(4) == 0);
        break;
    case 3:
    case 4:
        (void)answer();
        break;
    case 5:
        renew();
        break;
    case 6:
        forget(force && draw(2));
        break;
    default:
        deliver();
        break;
    }
}

/* ---- the end ---- */

/* Two rounds: the first may be what shows the archive which keys the device has. */
static void check_complete(void)
{
    char all[64];
    struct sk_log log;
    for (int round = 0; round < 3; round++) {
        export(true);
        import(s.file_count - 1);
        assert_true(answer());
        take(s.file_count - 1);
    }
    EXPECT_OK(sk_log_get(s.world->device[0].store, SK_LOG_OWN, &log, &sk_test_err));
    (void)snprintf(all, sizeof(all), "0-%llu|||", (unsigned long long)log.size);
    if (strcmp(sk_world_status(s.world->device[0].store, 0), all) != 0)
        fail_msg("seed %llu ends with %s", (unsigned long long)s.seed,
                 sk_world_status(s.world->device[0].store, 0));
    sk_world_verify(s.world->archive[0].store);
    sk_world_verify(s.world->device[0].store);
}

static unsigned refused, promoted, again, behind;

static void run(uint64_t seed, bool force)
{
    void *state = NULL;
    memset(&s, 0, sizeof(s));
    s.seed = s.random = seed;
    s.next = s.announced = s.before = NONE;
    assert_int_equal(sk_world_setup(&state), 0);
    s.world = state;
    sk_world_pair(s.world);
    for (int i = 0; i < STEPS && s.file_count < FILES - 8; i++)
        step(force);
    if (!s.left_behind)
        check_complete();
    refused += s.refused;
    promoted += s.promoted;
    again += s.again;
    behind += s.left_behind;
    assert_int_equal(sk_world_teardown(&state), 0);
}

static uint64_t sequences(void)
{
    return sk_test_effort(SEQUENCES, SEQUENCES, 30 * SEQUENCES);
}

static void nothing_is_lost(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= sequences(); seed++)
        run(seed, false);
    print_message("%u refused, %u put in force, %u again\n", refused, promoted, again);
    assert_true(refused > 0 && promoted > 0 && again > 0 && behind == 0);
}

/* With devices that are left behind it is refused, and never taken wrongly. */
static void what_is_left_behind_is_refused(void **state)
{
    (void)state;
    refused = promoted = 0;
    for (uint64_t seed = 1001; seed <= 1000 + sequences(); seed++)
        run(seed, true);
    print_message("%u refused, %u put in force, %u left behind\n", refused, promoted, behind);
    assert_true(refused > 0 && promoted > 0 && behind > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost),
        cmocka_unit_test(what_is_left_behind_is_refused),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}

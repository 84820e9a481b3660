/*
 * Goal of this test: an archive whose bundles are taken apart by a worker ends in the same state,
 * and says the same, as one that does it itself; and a worker in the hands of whoever wrote the
 * bundle ends, is believed in nothing, finds no key of the archive, and changes nothing.
 */
#include "core/store_internal.h"
#include "sync/unpack.h"
#include "tests/support/exchange.h"
#include "tests/support/hostile_worker.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define HERE 0 /* the archive that decodes in this process ... */
#define BY   1 /* ... and the one that has a worker */

#define PATIENCE_S 200

#define SPOTS 140 /* places in what a worker says of a bundle of one record */
#define STEP  7

static const struct sk_worker real = SK_WORKER_INIT;

/* So many devices, of which the first sends to both. */
static void make_twins(struct sk_world *world, unsigned devices)
{
    sk_world_devices(world, devices);
    sk_world_archives(world, 2);
    sk_world_invite(world, HERE, "lark", "i0");
    sk_world_invite(world, BY, "lark", "i1");
    sk_world_accept(world, 0, "i0");
    sk_world_accept(world, 0, "i1");
}

/* Records, an attachment of several blocks, something malformed. */
static void fill(struct sk_world *world, unsigned from)
{
    struct sk_store *device = world->device[from].store;
    struct sk_id attachment;
    sk_test_write(sk_world_path(world, "picture"), 2500000);
    struct sk_id id = sk_test_add(device, SK_TYPE_SOURCE, "with a picture");
    sk_auto_item item = sk_test_item(device, &id);
    EXPECT_OK(sk_attachment_add(device, &item, sk_world_path(world, "picture"), NULL, &attachment,
                                &sk_test_err));
    for (unsigned i = 0; i < 50; i++)
        (void)sk_test_add(device, SK_TYPE_SOURCE, "one of many");
    (void)sk_world_put_text(device, "{\"this is\": [\"no record\"");
    (void)sk_world_put_text(device, "");
}

static enum sk_status import_by(struct sk_world *world, const char *name,
                                const struct sk_worker *worker, struct sk_import_result *result)
{
    sk_error_clear(&sk_test_err);
    return sk_import(world->archive[BY].store, sk_world_path(world, name), worker, NULL, result,
                     &sk_test_err);
}

static void expect_same(struct sk_world *world)
{
    uint8_t here[32];
    uint8_t by[32];
    sk_world_meaning(world->archive[HERE].store, here);
    sk_world_meaning(world->archive[BY].store, by);
    assert_memory_equal(here, by, sizeof(here));
    sk_world_verify(world->archive[BY].store);
}

/* ---- the same with it and without ---- */

static void test_same(void **state)
{
    struct sk_world *world = *state;
    struct sk_import_result result;
    make_twins(world, 1);
    fill(world, 0);
    (void)sk_world_export(world, 0, "one");
    struct sk_import_result here = sk_world_import(world, HERE, "one");
    EXPECT_OK(import_by(world, "one", &real, &result));
    assert_int_equal(result.entries_new, here.entries_new);
    assert_int_equal(result.quarantined, 2);
    expect_same(world);
    EXPECT_OK(import_by(world, "one", &real, &result));
    assert_true(result.known_file);
}

static void tell_progress(void *context, uint64_t done, uint64_t total)
{
    uint64_t *last = context;
    assert_true(done >= *last && done <= total);
    *last = done;
}

static void test_progress(void **state)
{
    struct sk_world *world = *state;
    struct sk_import_result result;
    uint64_t last = 0;
    size_t len = 0;
    const struct sk_progress progress = {tell_progress, &last};
    make_twins(world, 1);
    fill(world, 0);
    (void)sk_world_export(world, 0, "one");
    EXPECT_OK(sk_import(world->archive[BY].store, sk_world_path(world, "one"), &real, &progress,
                        &result, &sk_test_err));
    free(sk_test_read(sk_world_path(world, "one"), &len));
    assert_int_equal(last, len);
}

/* A damaged copy is refused in the same words. */
static void expect_same_words(struct sk_world *world, const uint8_t *bytes, size_t len)
{
    struct sk_import_result result;
    struct sk_error here = SK_ERROR_INIT;
    const char *path = sk_world_path(world, "bad");
    sk_temp_write(path, bytes, len);
    enum sk_status status = sk_import(world->archive[HERE].store, path, NULL, NULL, &result, &here);
    assert_int_not_equal(status, SK_OK);
    assert_int_equal(import_by(world, "bad", &real, &result), status);
    /* Where it was read here, what found the fault in a frame does not know the file's name. */
    size_t skip = strncmp(here.text, path, strlen(path)) == 0 ? 0 : strlen(path) + 2;
    if (strncmp(sk_test_err.text, path, strlen(path)) != 0)
        skip = 0;
    assert_string_equal(sk_test_err.text + skip, here.text);
}

static void test_words(void **state)
{
    struct sk_world *world = *state;
    size_t len = 0;
    make_twins(world, 1);
    fill(world, 0);
    (void)sk_world_export(world, 0, "one");
    uint8_t *bytes = sk_test_read(sk_world_path(world, "one"), &len);
    for (size_t at = 65536 + 100; at < len; at += len / 9) {
        bytes[at] ^= 1;
        expect_same_words(world, bytes, len);
        bytes[at] ^= 1;
    }
    expect_same_words(world, bytes, len - 65536);
    expect_same_words(world, bytes, 65536);
    free(bytes);
}

/* Faults inside an envelope that is whole: the device's own lies. */
static void spoil_entry(uint64_t offset, uint8_t *bytes, size_t len)
{
    if (offset == 0 && len > 40)
        bytes[40] ^= 1;
}

static void spoil_frame(uint64_t offset, uint8_t *bytes, size_t len)
{
    if (len == 9 && offset > 96)
        bytes[0] = 7; /* a codec that is none */
}

static void spoil_length(uint64_t offset, uint8_t *bytes, size_t len)
{
    if (len == 9 && offset > 96)
        bytes[3] = 0xff;
}

static void many_bytes(struct sk_store *store, struct sk_manifest *m)
{
    (void)store;
    m->plain_bytes = 1;
}

static void test_lies(void **state)
{
    static const struct {
        sk_forge_manifest_fn *change;
        sk_forge_bytes_fn *spoil;
    } lies[] = {{NULL, spoil_entry}, {NULL, spoil_frame}, {NULL, spoil_length}, {many_bytes, NULL}};
    struct sk_world *world = *state;
    struct sk_import_result result;
    struct sk_error here = SK_ERROR_INIT;
    sk_world_pair(world);
    (void)sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "the only one");
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        struct sk_store *store = world->archive[0].store;
        const char *path = sk_world_path(world, "lie");
        (void)remove(path);
        sk_world_forge(world, 0, "lie", lies[i].change, lies[i].spoil);
        sk_error_clear(&here);
        enum sk_status status = sk_import(store, path, NULL, NULL, &result, &here);
        assert_int_not_equal(status, SK_OK);
        EXPECT(status, sk_import(store, path, &real, NULL, &result, &sk_test_err));
        if (!strstr(sk_test_err.text, here.text))
            fail_msg("\"%s\" does not say \"%s\"", sk_test_err.text, here.text);
    }
}

/* ---- quarantine ---- */

static enum sk_status count_new(void *context, const struct sk_import_result *result,
                                struct sk_error *err)
{
    uint64_t *count = context;
    (void)err;
    *count += result->entries_new;
    return SK_OK;
}

/* What waits is read again out of the archive, by a worker that asks for it piece by piece. */
static void test_quarantine(void **state)
{
    struct sk_world *world = *state;
    struct sk_import_result result;
    const struct sk_worker leaves = {"leaves", PATIENCE_S};
    uint64_t here = 0;
    uint64_t by = 0;
    make_twins(world, 2);
    sk_world_accept(world, 1, "i0");
    sk_world_accept(world, 1, "i1");
    for (unsigned i = 0; i < 2; i++)
        (void)sk_test_add(world->device[i].store, SK_TYPE_SOURCE, "first");
    (void)sk_world_export(world, 0, "first");
    (void)sk_world_export(world, 1, "lost"); /* under keys that the other one has spent */
    fill(world, 1);
    (void)sk_world_export(world, 1, "second");
    (void)sk_world_import(world, HERE, "first");
    EXPECT_OK(import_by(world, "first", &real, &result));
    result = sk_world_import(world, HERE, "second");
    sk_import_result_clear(&result);
    EXPECT_OK(import_by(world, "second", &real, &result));
    assert_true(result.waiting);
    sk_import_result_clear(&result);
    expect_same(world);

    struct sk_store *store = world->archive[BY].store;
    EXPECT(SK_REFUSED, sk_approve(store, 2, &leaves, count_new, &by, &sk_test_err));
    EXPECT_OK(sk_approve(store, 2, &real, count_new, &by, &sk_test_err));
    EXPECT_OK(sk_approve(world->archive[HERE].store, 2, NULL, count_new, &here, &sk_test_err));
    assert_int_equal(by, here);
    assert_int_equal(by, 54);
    expect_same(world);
}

/* ---- hostile workers ---- */

/* Imports "one" with it, which has to fail so, and to change nothing. */
static void expect_ends(struct sk_world *world, const char *name, enum sk_status status,
                        const char *words)
{
    const struct sk_worker worker = {name, strcmp(name, "silent") == 0 ? 1 : PATIENCE_S};
    struct sk_import_result result;
    uint8_t before[32];
    uint8_t after[32];
    char *media = sk_temp_path(world->archive[BY].path, "media");
    unsigned files = sk_test_count_files(media);
    sk_world_dump(world->archive[BY].store, before);
    enum sk_status got = import_by(world, "one", &worker, &result);
    if (got != status || (words && !strstr(sk_test_err.text, words)))
        fail_msg("%s: %s, \"%s\"", name, sk_status_name(got), sk_test_err.text);
    sk_world_dump(world->archive[BY].store, after);
    assert_memory_equal(before, after, sizeof(before));
    assert_int_equal(sk_test_count_files(media), files);
    free(media);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
    assert_int_equal(errno, ECHILD);
}

static void make_one(struct sk_world *world)
{
    make_twins(world, 1);
    (void)sk_test_add(world->device[0].store, SK_TYPE_SOURCE, "the only one");
    (void)sk_world_export(world, 0, "one");
}

/* And the intact archive still takes the bundle. */
static void expect_taken(struct sk_world *world)
{
    struct sk_import_result result;
    EXPECT_OK(import_by(world, "one", &real, &result));
    assert_int_equal(result.entries_new, 1);
}

static void test_calls(void **state)
{
    struct sk_world *world = *state;
    char name[64];
    make_one(world);
    for (size_t i = 0; i < sk_hostile_call_count(); i++) {
        (void)snprintf(name, sizeof(name), "call-%s", sk_hostile_call_name(i));
        expect_ends(world, name, SK_REFUSED, "a system call that it may not make");
    }
    expect_taken(world);
}

static void test_ends(void **state)
{
    struct sk_world *world = *state;
    make_one(world);
    expect_ends(world, "crash", SK_REFUSED, "crashed");
    expect_ends(world, "killed", SK_IO, "was killed (signal 9)");
    expect_ends(world, "leaves", SK_REFUSED, "ended before it was done");
    expect_ends(world, "silent", SK_IO, "too little for too long");
#if defined(__SANITIZE_ADDRESS__) /* has no limit of addresses, and finds mistakes */
    expect_ends(world, "overflow", SK_REFUSED, NULL);
#else
    expect_ends(world, "hungry", SK_NOMEM, NULL);
#endif
    expect_ends(world, "early", SK_CONFIG, "the process for it ended (code 12)");
    expect_ends(world, "other", SK_CONFIG, "another program");
    expect_taken(world);
}

static void test_nonsense(void **state)
{
    struct sk_world *world = *state;
    char name[64];
    make_one(world);
    for (unsigned i = 0; i < SK_HOSTILE_NONSENSE; i++) {
        (void)snprintf(name, sizeof(name), "say-%u", i);
        expect_ends(world, name, SK_REFUSED, i > 10 && i != 13 ? NULL : "makes no sense");
    }
    expect_ends(world, "flood", SK_REFUSED, "makes no sense");
    expect_taken(world);
}

static enum sk_status keep(void *context, const void *bytes, size_t len, struct sk_error *err)
{
    return sk_buf_add(context, bytes, len, err);
}

/* A worker that floods what is put aside is stopped where the bundle would have ended. */
static void test_flood(void **state)
{
    struct sk_world *world = *state;
    const struct sk_worker worker = {"flood", PATIENCE_S};
    sk_auto_unpack unpack = NULL;
    sk_auto_buf kept = SK_BUF_INIT;
    uint8_t byte;
    make_one(world);
    sk_auto_file file = NULL;
    EXPECT_OK(sk_file_open_regular(&file, sk_world_path(world, "one"), &sk_test_err));
    const struct sk_volume_unlocked unlocked = {.chunks = 3};
    const struct sk_unpack_from from = {.file = file, .unlocked = &unlocked, .raw = {keep, &kept}};
    EXPECT_OK(sk_unpack_open(&unpack, &from, &worker, &sk_test_err));
    struct sk_source source = sk_unpack_source(unpack);
    EXPECT(SK_REFUSED, sk_source_read(&source, &byte, 1, &sk_test_err));
    assert_true(kept.len > 65536 && kept.len <= 3 * (size_t)SK_CHUNK_PLAIN_LEN);
}

/* One byte changed in what it says, or nothing from there on: all is refused, or it did not matter.
 */
static void test_liar(void **state)
{
    struct sk_world *world = *state;
    struct sk_test_store *at = &world->archive[BY];
    char *pristine = sk_temp_path(world->dir, "pristine");
    unsigned taken = 0;
    make_one(world);
    (void)sk_world_import(world, HERE, "one");
    sk_test_close(at);
    sk_world_copy(at->path, pristine);
    sk_test_open(at);
    for (unsigned i = 0; i < SPOTS; i++) {
        char name[64];
        struct sk_import_result result;
        (void)snprintf(name, sizeof(name), "%s-%u", i % 4 ? "liar" : "cut", i * STEP);
        const struct sk_worker worker = {name, PATIENCE_S};
        enum sk_status status = import_by(world, "one", &worker, &result);
        if (status != SK_OK)
            continue;
        taken++;
        expect_same(world);
        sk_test_close(at);
        sk_world_copy(pristine, at->path);
        sk_test_open(at);
    }
    free(pristine);
    /* How far it was, and the hash of the file. */
    if (taken < 5 || taken > SPOTS / 3)
        fail_msg("%u of %u lies did no harm", taken, SPOTS);
    expect_taken(world);
    expect_same(world);
}

static void test_look(void **state)
{
    struct sk_world *world = *state;
    make_one(world);
    expect_ends(world, "look", SK_LIMIT, NULL);
}

static void hex_turned(char *out, const uint8_t *key, size_t len)
{
    uint8_t turned[32];
    for (size_t i = 0; i < len; i++)
        turned[i] = key[i] ^ SK_HOSTILE_TURN;
    sk_hex(out, turned, len);
}

/* What would be found in a plain child of the archive's process is not in its worker. */
static void test_keys(void **state)
{
    struct sk_world *world = *state;
    char name[64] = "find-";
    uint8_t turned[16];
    int how = 0;
    make_one(world);
    struct sk_store *store = world->archive[BY].store;
    const uint8_t *keys[] = {sk_secret_view(store->identity), sk_secret_view(store->identity) + 32,
                             sk_secret_view(store->store_key)};
    for (size_t k = 0; k < 3; k++) {
        hex_turned(name + 5, keys[k], sizeof(turned));
        for (size_t i = 0; i < sizeof(turned); i++)
            turned[i] = keys[k][i] ^ SK_HOSTILE_TURN;
        pid_t pid = fork();
        if (pid == 0)
            _exit(sk_hostile_finds(turned, sizeof(turned)));
        assert_int_equal(waitpid(pid, &how, 0), pid);
        assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 1);
        expect_ends(world, name, SK_LIMIT, NULL);
    }
}

/* ---- the receiver's end ---- */

static pid_t first_child(pid_t pid)
{
    char path[64];
    long child = 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
    FILE *file = fopen(path, "r");
    char text[32] = "";
    if (file && fgets(text, sizeof(text), file))
        child = strtol(text, NULL, 10);
    if (file)
        (void)fclose(file);
    return (pid_t)child;
}

/* A receiver with a worker that is at its job, which it tells through the pipe. */
static void receive(const char *path, int tell)
{
    const struct sk_worker silent = {"silent", 600};
    const struct sk_volume_unlocked unlocked = {.chunks = 3};
    struct sk_file *file = NULL;
    struct sk_unpack *unpack = NULL;
    uint8_t byte;
    if (sk_file_open_regular(&file, path, NULL) != SK_OK)
        return;
    const struct sk_unpack_from from = {.file = file, .unlocked = &unlocked};
    if (sk_unpack_open(&unpack, &from, &silent, NULL) != SK_OK || write(tell, "x", 1) != 1)
        return;
    struct sk_source source = sk_unpack_source(unpack);
    sk_ignore(sk_source_read(&source, &byte, 1, NULL));
}

/* The receiver is killed: its worker goes with it, whatever it does. */
static void test_receiver_killed(void **state)
{
    struct sk_world *world = *state;
    int how = 0;
    int told[2];
    char byte;
    make_one(world);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
    assert_int_equal(pipe(told), 0);
    pid_t receiver = fork();
    if (receiver == 0) {
        receive(sk_world_path(world, "one"), told[1]);
        _exit(1);
    }
    assert_int_equal(read(told[0], &byte, 1), 1);
    pid_t worker = first_child(receiver);
    assert_true(worker > 0);
    assert_int_equal(kill(receiver, SIGKILL), 0);
    assert_int_equal(waitpid(receiver, &how, 0), receiver);
    assert_int_equal(waitpid(worker, &how, 0), worker);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
    (void)close(told[0]);
    (void)close(told[1]);
}

int main(int argc, char **argv)
{
    sk_hostile_main(argc, argv);
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, sk_world_setup, sk_world_teardown)
        TEST(test_same),
        TEST(test_progress),
        TEST(test_words),
        TEST(test_lies),
        TEST(test_quarantine),
        TEST(test_calls),
        TEST(test_ends),
        TEST(test_nonsense),
        TEST(test_flood),
        TEST(test_liar),
        TEST(test_look),
        TEST(test_keys),
        TEST(test_receiver_killed),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}

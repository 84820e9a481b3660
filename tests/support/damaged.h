/*
 * A store at four moments, one of them after a crash, and another store: what tests damage. For one
 * source file a test.
 */
#ifndef SK_TESTS_DAMAGED_H
#define SK_TESTS_DAMAGED_H

#include "core/file.h"
#include "core/slots.h"
#include "core/store_internal.h"
#include "crypto/secret.h"
#include "tests/support/effort.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wreck.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PREAMBLE  8192
#define COPY      512
#define PAGE      4096
#define LOG_HEAD  88
#define LOG_START 4128
#define FRAME     4120
#define SAMPLES   100 /* of a file */
#define FEW       20
#define MANY      4000

static bool thorough; /* SK_LONG */
static unsigned samples;
static char *dir;
static char *path;

/* The same store at four moments, and another one. */
static struct sk_wreck old, closed, crashed, other;
static struct sk_wreck_story states[4]; /* old; closed; after the first commit in the log; newest */
static size_t first_commit;             /* length of the log then */

/* ---- making them ---- */

static inline void attach(struct sk_store *store, const struct sk_id *to, const char *name,
                          size_t len)
{
    struct sk_id id;
    sk_auto_item item = sk_test_item(store, to);
    char *file = sk_temp_path(dir, name);
    sk_test_write(file, len);
    EXPECT_OK(sk_attachment_add(store, &item, file, NULL, &id, &sk_test_err));
    free(file);
}

static inline void link_them(struct sk_store *store, const struct sk_id *from,
                             const struct sk_id *to)
{
    struct sk_id link;
    struct sk_store *txn = NULL;
    sk_auto_item source = sk_test_item(store, from);
    sk_auto_item target = sk_test_item(store, to);
    EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
    EXPECT_OK(sk_link_add(store, &source, "part-of", &target, &link, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
}

static inline struct sk_store *open_store(const char *at)
{
    struct sk_store_options options = sk_test_options(at, SK_STORE_DEVICE);
    struct sk_store *store = NULL;
    EXPECT_OK(sk_store_open(&store, &options, &sk_test_err));
    return store;
}

/* A child that saves two records, tells the log's length after the first, and dies. */
static inline void crash(void)
{
    int tell[2];
    char *log = sk_temp_path(path, "data-wal");
    assert_int_equal(pipe(tell), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct stat st;
        struct sk_store *store = open_store(path);
        (void)sk_test_add(store, SK_TYPE_EVENT, "epsilon of the first commit");
        if (stat(log, &st) != 0 || write(tell[1], &st.st_size, sizeof(st.st_size)) < 0)
            _exit(1);
        (void)sk_test_add(store, SK_TYPE_PERSON, "zeta of the second commit");
        (void)kill(getpid(), SIGKILL);
    }
    off_t len = 0;
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(read(tell[0], &len, sizeof(len)), sizeof(len));
    close(tell[0]);
    close(tell[1]);
    first_commit = (size_t)len;
    free(log);
}

/* What a store of these files shows. */
static inline struct sk_wreck_story story_of(const struct sk_wreck *wreck)
{
    struct sk_wreck_trial trial = {.path = path};
    sk_wreck_put(wreck, path);
    sk_wreck_learn(&trial);
    return trial.states[0];
}

static inline void make_other(void)
{
    char *at = sk_temp_path(dir, "other");
    struct sk_store *store = sk_test_make(at, SK_STORE_DEVICE);
    struct sk_id id = sk_test_add(store, SK_TYPE_EVENT, "omega of another store");
    attach(store, &id, "other.bin", 3000);
    EXPECT_OK(sk_store_close(store, &sk_test_err));
    other = sk_wreck_take(at);
    free(at);
}

static inline int make_all(void **state)
{
    if (sk_test_begin(state) != 0)
        return -1;
    thorough = getenv("SK_LONG") != NULL;
    samples = sk_test_effort(FEW, SAMPLES, MANY);
    sk_wreck_in_memory();
    dir = sk_temp_dir_make();
    path = sk_temp_path(dir, "store");
    struct sk_store *store = sk_test_make(path, SK_STORE_DEVICE);
    struct sk_id first = sk_test_add(store, SK_TYPE_EVENT, "alpha");
    struct sk_id second = sk_test_add(store, SK_TYPE_PERSON, "beta");
    link_them(store, &first, &second);
    attach(store, &first, "a.bin", 5000);
    EXPECT_OK(sk_store_close(store, &sk_test_err));
    old = sk_wreck_take(path);

    store = open_store(path);
    sk_test_edit(store, &first, "alpha edited");
    struct sk_id third = sk_test_add(store, SK_TYPE_CASE, "gamma");
    struct sk_id gone = sk_test_add(store, SK_TYPE_EVENT, "delta");
    (void)sk_test_withdraw(store, &gone);
    link_them(store, &second, &third);
    attach(store, &third, "b.bin", 70000);
    EXPECT_OK(sk_store_close(store, &sk_test_err));
    closed = sk_wreck_take(path);

    crash();
    crashed = sk_wreck_take(path);
    make_other();

    states[0] = story_of(&old);
    states[1] = story_of(&closed);
    struct sk_wreck cut = sk_wreck_copy(&crashed);
    sk_wreck_find(&cut, "data-wal")->len = first_commit;
    states[2] = story_of(&cut);
    sk_wreck_clear(&cut);
    states[3] = story_of(&crashed);
    return sk_secret_live_count() == 0 ? 0 : -1;
}

static inline int clear_all(void **state)
{
    struct sk_wreck_trial trial = {.state_count = 4};
    memcpy(trial.states, states, sizeof(states));
    sk_wreck_trial_clear(&trial);
    sk_wreck_clear(&old);
    sk_wreck_clear(&closed);
    sk_wreck_clear(&crashed);
    sk_wreck_clear(&other);
    free(path);
    sk_temp_dir_remove(dir);
    if (sk_secret_live_count() != 0)
        return -1;
    return sk_test_end(state);
}

/* A trial that may show the states first..last. */
static inline struct sk_wreck_trial trial_of(unsigned first, unsigned last)
{
    struct sk_wreck_trial trial = {.path = path, .state_count = last - first + 1};
    memcpy(trial.states, states + first, trial.state_count * sizeof(states[0]));
    return trial;
}

static inline const char *words(const char *format, ...) SK_PRINTF(1, 2);
static inline const char *words(const char *format, ...)
{
    static char text[200];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return text;
}

#endif

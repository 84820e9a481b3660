/*
 * Goal of this test: whatever happens to the files of a store - bits, cuts, additions, exchanges
 * with another store, old copies put back whole or in part, files that are gone or something else -
 * it is refused or named, with the file that is wrong, or the store shows exactly a state that was
 * committed. Nothing crashes, nothing hangs, nothing that was never recorded is shown.
 *
 * Whole stores are tried at places all over their files; with SK_LONG set, at forty times as many.
 * That every single bit and length is caught is shown one layer below, in test_damage_bits.c.
 */
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

static void attach(struct sk_store *store, const struct sk_id *to, const char *name, size_t len)
{
    struct sk_id id;
    sk_auto_item item = sk_test_item(store, to);
    char *file = sk_temp_path(dir, name);
    sk_test_write(file, len);
    EXPECT_OK(sk_attachment_add(store, &item, file, NULL, &id, &sk_test_err));
    free(file);
}

static void link_them(struct sk_store *store, const struct sk_id *from, const struct sk_id *to)
{
    struct sk_id link;
    struct sk_store *txn = NULL;
    sk_auto_item source = sk_test_item(store, from);
    sk_auto_item target = sk_test_item(store, to);
    EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
    EXPECT_OK(sk_link_add(store, &source, "part-of", &target, &link, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
}

static struct sk_store *open_store(const char *at)
{
    struct sk_store_options options = sk_test_options(at, SK_STORE_DEVICE);
    struct sk_store *store = NULL;
    EXPECT_OK(sk_store_open(&store, &options, &sk_test_err));
    return store;
}

/* A child that saves two records, tells the log's length after the first, and dies. */
static void crash(void)
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
static struct sk_wreck_story story_of(const struct sk_wreck *wreck)
{
    struct sk_wreck_trial trial = {.path = path};
    sk_wreck_put(wreck, path);
    sk_wreck_learn(&trial);
    return trial.states[0];
}

static void make_other(void)
{
    char *at = sk_temp_path(dir, "other");
    struct sk_store *store = sk_test_make(at, SK_STORE_DEVICE);
    struct sk_id id = sk_test_add(store, SK_TYPE_EVENT, "omega of another store");
    attach(store, &id, "other.bin", 3000);
    EXPECT_OK(sk_store_close(store, &sk_test_err));
    other = sk_wreck_take(at);
    free(at);
}

static int make_all(void **state)
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

static int clear_all(void **state)
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
static struct sk_wreck_trial trial_of(unsigned first, unsigned last)
{
    struct sk_wreck_trial trial = {.path = path, .state_count = last - first + 1};
    memcpy(trial.states, states + first, trial.state_count * sizeof(states[0]));
    return trial;
}

static const char *words(const char *format, ...) SK_PRINTF(1, 2);
static const char *words(const char *format, ...)
{
    static char text[200];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return text;
}

/* ---- bits ---- */

/*
 * Whether nothing depends on one byte alone: what is between the parts of the preamble, one of its
 * two copies, and after a crash the pages that the log has too.
 */
static bool may_be_harmless(const struct sk_wreck *wreck, const char *name, size_t at)
{
    if (strcmp(name, "data") == 0)
        return at < PREAMBLE || wreck == &crashed;
    return strcmp(name, "data-wal") == 0;
}

static void flip_in(const struct sk_wreck *whole, const char *name, const char *names,
                    struct sk_wreck_trial *trial)
{
    struct sk_wreck wreck = sk_wreck_copy(whole);
    struct sk_wreck_file *file = sk_wreck_find(&wreck, name);
    size_t step = file->len / (size_t)(samples) + 1;
    for (size_t at = 0; at < file->len; at += step) {
        uint8_t mask = (uint8_t)(1u << (at / step) % 8);
        file->bytes[at] ^= mask;
        enum sk_wreck_outcome outcome =
            sk_wreck_try(trial, &wreck, words("%s, byte %zu", name, at), names);
        file->bytes[at] ^= mask;
        if ((outcome == SK_WRECK_SAME || outcome == SK_WRECK_OLDER) &&
            !may_be_harmless(whole, name, at))
            fail_msg("%s, byte %zu: not noticed", name, at);
        if (outcome == SK_WRECK_OLDER && strcmp(name, "data-wal") != 0)
            fail_msg("%s, byte %zu: an older state", name, at);
    }
    sk_wreck_clear(&wreck);
}

static void flips_in_a_closed_store(void **state)
{
    struct sk_wreck_trial trial = trial_of(1, 1);
    (void)state;
    flip_in(&closed, "keys", "/keys: ", &trial);
    flip_in(&closed, "data", "data: ", &trial);
    for (unsigned i = 0; i < closed.count; i++)
        if (strncmp(closed.files[i].name, "media/", 6) == 0)
            flip_in(&closed, closed.files[i].name, closed.files[i].name, &trial);
    sk_wreck_print(&trial, "flips in a closed store");
}

static void flips_after_a_crash(void **state)
{
    struct sk_wreck_trial trial = trial_of(1, 3);
    (void)state;
    flip_in(&crashed, "keys", "/keys: ", &trial);
    flip_in(&crashed, "data", "data: |data-wal: ", &trial);
    flip_in(&crashed, "data-wal", "data: |data-wal: ", &trial);
    sk_wreck_print(&trial, "flips after a crash");
}

/* ---- cuts and additions ---- */

static void cut(const struct sk_wreck *whole, const char *name, const char *names,
                struct sk_wreck_trial *trial, bool may_open)
{
    struct sk_wreck wreck = sk_wreck_copy(whole);
    struct sk_wreck_file *file = sk_wreck_find(&wreck, name);
    size_t len = file->len;
    size_t step = len / (size_t)(samples) + 1;
    for (size_t cut_len = 0; cut_len < len; cut_len += step) {
        for (unsigned on_page = 0; on_page < 2; on_page++) {
            file->len = on_page ? cut_len - cut_len % PAGE : cut_len;
            enum sk_wreck_outcome outcome =
                sk_wreck_try(trial, &wreck, words("%s cut to %zu", name, file->len), names);
            if (outcome == SK_WRECK_REFUSED || outcome == SK_WRECK_TOLD || may_open)
                continue;
            /* The last page may stand in the log, too. */
            if (outcome != SK_WRECK_SAME || whole != &crashed || file->len + PAGE < len)
                fail_msg("%s cut to %zu: not noticed", name, file->len);
        }
    }
    sk_wreck_clear(&wreck);
}

static void cuts(void **state)
{
    struct sk_wreck_trial trial = trial_of(1, 1);
    struct sk_wreck_trial after = trial_of(1, 3);
    (void)state;
    cut(&closed, "keys", "/keys: ", &trial, false);
    cut(&closed, "data", "data: ", &trial, false);
    cut(&closed, "media", sk_wreck_find(&closed, "media")->name, &trial, false);
    sk_wreck_print(&trial, "cuts of a closed store");
    cut(&crashed, "data", "data: |data-wal: ", &after, false);
    cut(&crashed, "data-wal", "data-wal: |data: ", &after, true);
    sk_wreck_print(&after, "cuts after a crash");
}

static void append(const struct sk_wreck *whole, const char *name, struct sk_wreck_trial *trial)
{
    static const size_t more[] = {1, 16, 40, 512, COPY, 4096, FRAME, 65536, 3 * 65536};
    for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
        for (unsigned kind = 0; kind < 3; kind++) {
            struct sk_wreck wreck = sk_wreck_copy(whole);
            struct sk_wreck_file *file = sk_wreck_find(&wreck, name);
            const char *exact = words("%s", file->name);
            uint8_t *longer = calloc(1, file->len + more[i]);
            assert_non_null(longer);
            memcpy(longer, file->bytes, file->len);
            if (kind == 1)
                memset(longer + file->len, 0xa5, more[i]);
            else if (kind == 2 && more[i] <= file->len) /* bytes of its own */
                memcpy(longer + file->len, file->bytes + file->len - more[i], more[i]);
            sk_wreck_set(&wreck, exact, longer, file->len + more[i]);
            (void)sk_wreck_try(trial, &wreck, words("%s and %zu more, %u", name, more[i], kind),
                               strcmp(name, "media") == 0 ? "media/" : "keys: |data: |data-wal: ");
            free(longer);
            sk_wreck_clear(&wreck);
        }
}

static void additions(void **state)
{
    struct sk_wreck_trial trial = trial_of(1, 1);
    struct sk_wreck_trial after = trial_of(3, 3);
    (void)state;
    append(&closed, "keys", &trial);
    append(&closed, "media", &trial);
    assert_int_equal(trial.same + trial.older, 0);
    append(&closed, "data", &trial);
    append(&crashed, "data", &after);
    append(&crashed, "data-wal", &after); /* behind the end of the log nothing counts */
    assert_int_equal(after.older, 0);
    sk_wreck_print(&trial, "additions to a closed store");
    sk_wreck_print(&after, "additions after a crash");
}

/* ---- parts of other stores and other times ---- */

static void put_from(struct sk_wreck *to, struct sk_wreck *from, const char *name)
{
    const struct sk_wreck_file *file = sk_wreck_find(from, name);
    sk_wreck_set(to, name, file ? file->bytes : NULL, file ? file->len : 0);
}

static const char *const parts[] = {"keys", "data", "data-wal"};

/* Every way to take some of the three files from another store. */
static void files_of_another_store(void **state)
{
    struct sk_wreck_trial trial = trial_of(1, 3);
    (void)state;
    for (unsigned which = 1; which < 7; which++) {
        if (which == 3)
            continue; /* both of them are the other store, beside a log that is nothing to it */
        struct sk_wreck wreck = sk_wreck_copy(&crashed);
        for (unsigned i = 0; i < 3; i++)
            if (which & 1u << i)
                put_from(&wreck, &other, parts[i]);
        enum sk_wreck_outcome outcome = sk_wreck_try(
            &trial, &wreck, words("files %u of another store", which), "data: |data-wal: ");
        assert_int_equal(outcome, SK_WRECK_REFUSED);
        sk_wreck_clear(&wreck);
    }
    /* An attachment of another store under the name of one of ours, and ours exchanged. */
    struct sk_wreck wreck = sk_wreck_copy(&closed);
    struct sk_wreck_file *a = sk_wreck_find(&wreck, "media");
    struct sk_wreck_file *theirs = sk_wreck_find(&other, "media");
    char name[64];
    (void)snprintf(name, sizeof(name), "%s", a->name);
    sk_wreck_set(&wreck, name, theirs->bytes, theirs->len);
    assert_int_equal(sk_wreck_try(&trial, &wreck, "an attachment of another store", name),
                     SK_WRECK_TOLD);
    sk_wreck_clear(&wreck);
    sk_wreck_print(&trial, "files of another store");
}

static void old_files_put_back(void **state)
{
    struct sk_wreck_trial trial = trial_of(0, 3);
    (void)state;
    static const struct {
        unsigned which; /* bits: keys, data, data-wal are the old ones */
        bool after;     /* in the crashed store, not the closed one */
        bool refused;
    } ways[] = {
        {2, true, true},   /* an old database beside a newer log */
        {4, true, true},   /* no log, where one is needed */
        {6, true, false},  /* the whole old database */
        {2, false, false}, /* the same, closed */
        {1, false, false}, /* `keys` did not change */
    };
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        struct sk_wreck wreck = sk_wreck_copy(ways[i].after ? &crashed : &closed);
        for (unsigned part = 0; part < 3; part++)
            if (ways[i].which & 1u << part)
                put_from(&wreck, &old, parts[part]);
        enum sk_wreck_outcome outcome =
            sk_wreck_try(&trial, &wreck, words("old files %u, %d", ways[i].which, ways[i].after),
                         "data-wal: |'data' does not know this file");
        assert_int_equal(outcome == SK_WRECK_REFUSED, ways[i].refused);
        sk_wreck_clear(&wreck);
    }
    /* The log of the crash beside a database that has moved on, and beside one from before. */
    sk_wreck_put(&crashed, path);
    EXPECT_OK(sk_store_close(open_store(path), &sk_test_err));
    struct sk_wreck newer = sk_wreck_take(path);
    put_from(&newer, &crashed, "data-wal");
    assert_int_equal(sk_wreck_try(&trial, &newer, "an old log, a newer database", "data-wal: "),
                     SK_WRECK_REFUSED);
    sk_wreck_clear(&newer);
    newer = sk_wreck_copy(&closed);
    put_from(&newer, &crashed, "data-wal");
    assert_int_equal(sk_wreck_try(&trial, &newer, "a log from later", "data-wal: "),
                     SK_WRECK_REFUSED);
    sk_wreck_clear(&newer);
    sk_wreck_print(&trial, "old files put back");
}

/* With another passphrase since, old `keys` open with the old one: they hold the same store key. */
static void old_keys_put_back(void **state)
{
    static const uint8_t text[] = "a newer passphrase";
    static const struct sk_unlock with = {text, sizeof(text) - 1, NULL};
    struct sk_wreck_trial trial = trial_of(1, 1);
    (void)state;
    sk_wreck_put(&closed, path);
    struct sk_store *store = open_store(path);
    EXPECT_OK(sk_store_change_passphrase(store, &with, &sk_test_err));
    EXPECT_OK(sk_store_close(store, &sk_test_err));
    assert_int_equal(sk_wreck_look(&trial, "newer keys, old passphrase", "passphrase"),
                     SK_WRECK_REFUSED);
    struct sk_wreck wreck = sk_wreck_take(path);
    put_from(&wreck, &closed, "keys");
    assert_int_equal(sk_wreck_try(&trial, &wreck, "old keys", "-"), SK_WRECK_SAME);
    sk_wreck_clear(&wreck);
}

/* An attachment that was withdrawn is not taken back from an old copy of its file. */
static void an_old_attachment_put_back(void **state)
{
    struct sk_wreck_trial trial = trial_of(1, 1);
    char name[64];
    (void)state;
    (void)snprintf(name, sizeof(name), "media/%s", "00112233445566778899aabbccddeeff");
    struct sk_wreck wreck = sk_wreck_copy(&closed);
    struct sk_wreck_file *file = sk_wreck_find(&wreck, "media");
    sk_wreck_set(&wreck, name, file->bytes, file->len);
    assert_int_equal(sk_wreck_try(&trial, &wreck, "a file that no row names",
                                  "00112233445566778899aabbccddeeff: 'data' does not know"),
                     SK_WRECK_TOLD);
    char *kept = sk_temp_path(path, name); /* a newer `data` may name it */
    assert_true(sk_file_exists(kept));
    free(kept);
    sk_wreck_clear(&wreck);
}

/* ---- pages and frames ---- */

static void swap(uint8_t *a, uint8_t *b, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uint8_t byte = a[i];
        a[i] = b[i];
        b[i] = byte;
    }
}

static size_t pages_of(struct sk_wreck *wreck)
{
    return (sk_wreck_find(wreck, "data")->len - PREAMBLE) / PAGE;
}

static uint8_t *page_of(struct sk_wreck *wreck, size_t page)
{
    return sk_wreck_find(wreck, "data")->bytes + PREAMBLE + page * PAGE;
}

static void pages_swapped(void **state)
{
    struct sk_wreck_trial trial = trial_of(1, 1);
    struct sk_wreck wreck = sk_wreck_copy(&closed);
    (void)state;
    for (size_t a = 0; a < pages_of(&wreck); a++)
        for (size_t b = a + 1; b < pages_of(&wreck); b += thorough ? 1 : 1 + a % 5 + b % 7) {
            swap(page_of(&wreck, a), page_of(&wreck, b), PAGE);
            enum sk_wreck_outcome outcome =
                sk_wreck_try(&trial, &wreck, words("pages %zu and %zu", a + 1, b + 1), "data: ");
            assert_true(outcome == SK_WRECK_REFUSED || outcome == SK_WRECK_TOLD);
            swap(page_of(&wreck, a), page_of(&wreck, b), PAGE);
        }
    sk_wreck_clear(&wreck);
    sk_wreck_print(&trial, "pages swapped");
}

static void pages_of_another_store(void **state)
{
    struct sk_wreck_trial trial = trial_of(1, 1);
    struct sk_wreck wreck = sk_wreck_copy(&closed);
    (void)state;
    for (size_t page = 0; page < pages_of(&wreck) && page < pages_of(&other); page++) {
        memcpy(page_of(&wreck, page), page_of(&other, page), PAGE);
        enum sk_wreck_outcome outcome =
            sk_wreck_try(&trial, &wreck, words("page %zu of another store", page + 1), "data: ");
        assert_true(outcome == SK_WRECK_REFUSED || outcome == SK_WRECK_TOLD);
        memcpy(page_of(&wreck, page), page_of(&closed, page), PAGE);
    }
    sk_wreck_clear(&wreck);
    sk_wreck_print(&trial, "pages of another store");
}

/* Nobody needs the key for this, and SQLite would take zeros for the rest of a text: they are no
 * page. */
static void pages_of_zeros(void **state)
{
    struct sk_wreck_trial trial = trial_of(1, 1);
    struct sk_wreck wreck = sk_wreck_copy(&closed);
    (void)state;
    for (size_t page = 0; page < pages_of(&wreck); page++) {
        memset(page_of(&wreck, page), 0, PAGE);
        enum sk_wreck_outcome outcome =
            sk_wreck_try(&trial, &wreck, words("page %zu of zeros", page + 1), "data: ");
        assert_true(outcome == SK_WRECK_REFUSED || outcome == SK_WRECK_TOLD);
        memcpy(page_of(&wreck, page), page_of(&closed, page), PAGE);
    }
    sk_wreck_clear(&wreck);
    sk_wreck_print(&trial, "pages of zeros");
}

/* Genuine pages of an earlier moment, singly and in pairs: verifying compares them with the log. */
static void old_pages_put_back(void **state)
{
    struct sk_wreck_trial trial = trial_of(0, 1);
    struct sk_wreck wreck = sk_wreck_copy(&closed);
    (void)state;
    size_t pages = pages_of(&wreck) < pages_of(&old) ? pages_of(&wreck) : pages_of(&old);
    for (size_t a = 0; a < pages; a++)
        for (size_t b = a; b < pages; b += thorough ? 1 : 1 + b % 3) {
            memcpy(page_of(&wreck, a), page_of(&old, a), PAGE);
            memcpy(page_of(&wreck, b), page_of(&old, b), PAGE);
            enum sk_wreck_outcome outcome =
                sk_wreck_try(&trial, &wreck, words("old pages %zu and %zu", a + 1, b + 1),
                             "data: |data |entry |log |media ");
            assert_int_not_equal(outcome, SK_WRECK_OLDER);
            memcpy(page_of(&wreck, a), page_of(&closed, a), PAGE);
            memcpy(page_of(&wreck, b), page_of(&closed, b), PAGE);
        }
    assert_int_not_equal(trial.told, 0);
    sk_wreck_clear(&wreck);
    sk_wreck_print(&trial, "old pages put back");
}

static void frames_swapped(void **state)
{
    struct sk_wreck_trial trial = trial_of(1, 3);
    struct sk_wreck wreck = sk_wreck_copy(&crashed);
    const struct sk_wreck_file *log = sk_wreck_find(&wreck, "data-wal");
    size_t frames = (log->len - LOG_START) / FRAME;
    (void)state;
    for (size_t a = 0; a < frames; a++)
        for (size_t b = a + 1; b < frames; b += thorough ? 1 : 1 + a % 3) {
            swap(log->bytes + LOG_START + a * FRAME, log->bytes + LOG_START + b * FRAME, FRAME);
            assert_int_not_equal(
                sk_wreck_try(&trial, &wreck, words("frames %zu, %zu", a, b), "data-wal: |data: "),
                SK_WRECK_SAME);
            swap(log->bytes + LOG_START + a * FRAME, log->bytes + LOG_START + b * FRAME, FRAME);
        }
    sk_wreck_clear(&wreck);
    sk_wreck_print(&trial, "frames swapped");
}

/* ---- no file, or something else ---- */

static void empty_and_missing_files(void **state)
{
    struct sk_wreck_trial trial = trial_of(3, 3);
    (void)state;
    for (unsigned i = 0; i < crashed.count; i++)
        for (unsigned empty = 0; empty < 2; empty++) {
            struct sk_wreck wreck = sk_wreck_copy(&crashed);
            const char *name = crashed.files[i].name;
            sk_wreck_set(&wreck, name, empty ? (const uint8_t *)"" : NULL, 0);
            enum sk_wreck_outcome outcome =
                sk_wreck_try(&trial, &wreck, words("%s, %u", name, empty), name);
            assert_int_equal(outcome,
                             strncmp(name, "media/", 6) ? SK_WRECK_REFUSED : SK_WRECK_TOLD);
            sk_wreck_clear(&wreck);
        }
    sk_wreck_print(&trial, "missing and empty files");
}

enum thing { A_FOLDER, A_FIFO, A_LINK, A_LINK_TO_NOTHING, A_LINK_TO_A_DEVICE, THINGS };

/* Puts something else where a part of the store was; a link leads to that very part. */
static void replace(const char *name, enum thing thing)
{
    char *at = sk_temp_path(path, name);
    char *moved = sk_temp_path(dir, "moved");
    (void)unlink(moved);
    assert_int_equal(rename(at, moved), 0);
    if (thing == A_FOLDER)
        assert_int_equal(mkdir(at, 0700), 0);
    else if (thing == A_FIFO)
        assert_int_equal(mkfifo(at, 0600), 0);
    else
        assert_int_equal(symlink(thing == A_LINK              ? moved
                                 : thing == A_LINK_TO_NOTHING ? "/nonexistent/place"
                                                              : "/dev/zero",
                                 at),
                         0);
    free(moved);
    free(at);
}

static void other_things_in_their_place(void **state)
{
    struct sk_wreck_trial trial = trial_of(3, 3);
    (void)state;
    for (unsigned i = 0; i < crashed.count; i++)
        for (enum thing thing = A_FOLDER; thing < THINGS; thing++) {
            const char *name = crashed.files[i].name;
            sk_wreck_put(&crashed, path);
            replace(name, thing);
            enum sk_wreck_outcome outcome =
                sk_wreck_look(&trial, words("%s is something else, %u", name, thing), name);
            assert_int_equal(outcome,
                             strncmp(name, "media/", 6) ? SK_WRECK_REFUSED : SK_WRECK_TOLD);
        }
    sk_wreck_print(&trial, "something else in the place of a file");
}

/* A rekey that was interrupted leaves a second database, which is looked at before the first. */
static void a_pipe_for_the_next_database(void **state)
{
    struct sk_wreck_trial trial = trial_of(1, 1);
    char *next = sk_temp_path(path, SK_DATA_NEXT_FILE);
    (void)state;
    sk_wreck_put(&closed, path);
    assert_int_equal(mkfifo(next, 0600), 0);
    assert_int_equal(sk_wreck_look(&trial, "a pipe for the next database", "-"), SK_WRECK_SAME);
    assert_false(sk_file_exists(next)); /* swept */
    assert_int_equal(mkfifo(next, 0600), 0);
    replace("data", A_FIFO);
    assert_int_equal(sk_wreck_look(&trial, "a pipe for each database", "data: "), SK_WRECK_REFUSED);
    sk_wreck_put(&closed, path);
    assert_int_equal(mkfifo(next, 0600), 0);
    char *data = sk_temp_path(path, "data");
    sk_temp_write(data, sk_wreck_find(&other, "data")->bytes, sk_wreck_find(&other, "data")->len);
    assert_int_equal(sk_wreck_look(&trial, "another database and a pipe", "data"),
                     SK_WRECK_REFUSED);
    free(data);
    free(next);
}

static void other_things_for_the_media_folder(void **state)
{
    struct sk_wreck_trial trial = trial_of(1, 1);
    (void)state;
    for (unsigned kind = 0; kind < 3; kind++) {
        sk_wreck_put(&closed, path);
        char *media = sk_temp_path(path, "media");
        char *moved = sk_temp_path(dir, "moved-media");
        assert_int_equal(rename(media, moved), 0);
        if (kind == 0)
            sk_test_write(media, 10);
        else if (kind == 1)
            assert_int_equal(mkfifo(media, 0600), 0);
        else
            assert_int_equal(symlink(moved, media), 0);
        assert_int_equal(sk_wreck_look(&trial, words("media, %u", kind), "media"),
                         SK_WRECK_REFUSED);
        assert_int_equal(unlink(media), 0);
        assert_int_equal(rename(moved, media), 0);
        assert_int_equal(sk_wreck_look(&trial, "put back", "-"), SK_WRECK_SAME);
        free(media);
        free(moved);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flips_in_a_closed_store),
        cmocka_unit_test(flips_after_a_crash),
        cmocka_unit_test(cuts),
        cmocka_unit_test(additions),
        cmocka_unit_test(files_of_another_store),
        cmocka_unit_test(old_files_put_back),
        cmocka_unit_test(old_keys_put_back),
        cmocka_unit_test(an_old_attachment_put_back),
        cmocka_unit_test(pages_swapped),
        cmocka_unit_test(pages_of_another_store),
        cmocka_unit_test(pages_of_zeros),
        cmocka_unit_test(old_pages_put_back),
        cmocka_unit_test(frames_swapped),
        cmocka_unit_test(empty_and_missing_files),
        cmocka_unit_test(other_things_in_their_place),
        cmocka_unit_test(a_pipe_for_the_next_database),
        cmocka_unit_test(other_things_for_the_media_folder),
    };
    return cmocka_run_group_tests(tests, make_all, clear_all);
}

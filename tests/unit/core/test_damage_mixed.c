/*
 * Goal of this test: parts of another store, old copies put back, pages exchanged -
 * the store is refused, or what is wrong is named with its file, or it shows exactly a state that
 * was committed. Nothing crashes, nothing hangs, nothing that was never recorded is shown.
 *
 * Whole stores are tried at places all over their files; with SK_LONG set, at forty times as many.
 */
#include "tests/support/damaged.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_of_another_store), cmocka_unit_test(old_files_put_back),
        cmocka_unit_test(old_keys_put_back),      cmocka_unit_test(an_old_attachment_put_back),
        cmocka_unit_test(pages_swapped),          cmocka_unit_test(pages_of_another_store),
        cmocka_unit_test(pages_of_zeros),         cmocka_unit_test(old_pages_put_back),
        cmocka_unit_test(frames_swapped),
    };
    return cmocka_run_group_tests(tests, make_all, clear_all);
}

/*
 * Goal of this test: bits, cuts, additions, files that are gone or something else -
 * the store is refused, or what is wrong is named with its file, or it shows exactly a state that
 * was committed. Nothing crashes, nothing hangs, nothing that was never recorded is shown.
 *
 * Whole stores are tried at places all over their files; with SK_LONG set, at forty times as many.
 * That every single bit and length is caught is shown one layer below, in test_damage_bits.c; what
 * comes from elsewhere or from earlier is in test_damage_mixed.c.
 */
#include "tests/support/damaged.h"

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
        cmocka_unit_test(empty_and_missing_files),
        cmocka_unit_test(other_things_in_their_place),
        cmocka_unit_test(a_pipe_for_the_next_database),
        cmocka_unit_test(other_things_for_the_media_folder),
    };
    return cmocka_run_group_tests(tests, make_all, clear_all);
}

/*
 * A store with a copy of it, and what tests of core/rekey.h do with them. For one source file a
 * test.
 */
#ifndef SK_TESTS_REKEYED_H
#define SK_TESTS_REKEYED_H

#include "core/rekey.h"
#include "core/store_internal.h"
#include "core/verify.h"
#include "tests/support/stores.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/stat.h>

#define RECORDS  12
#define PAGE     4096
#define PREAMBLE 8192

static struct sk_test_store *at;

static inline const char *base(const char *name)
{
    static char path[512];
    (void)snprintf(path, sizeof(path), "%s/base/%s", at->dir, name);
    return path;
}

static inline const char *in_store(const char *name)
{
    static char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s", at->path, name);
    return path;
}

struct copying {
    const char *from, *to;
};

static inline enum sk_status copy_one(void *context, const char *name, struct sk_error *err)
{
    const struct copying *copying = context;
    sk_auto_free char *from = NULL;
    sk_auto_free char *to = NULL;
    struct stat st;
    SK_TRY(sk_path_join(&from, copying->from, name, err));
    SK_TRY(sk_path_join(&to, copying->to, name, err));
    if (stat(from, &st) == 0 && S_ISREG(st.st_mode))
        sk_temp_copy(from, to);
    return SK_OK;
}

/* Copies a closed store. */
static inline void copy_store(const char *from, const char *to)
{
    sk_auto_free char *from_media = sk_temp_path(from, "media");
    sk_auto_free char *to_media = sk_temp_path(to, "media");
    struct copying top = {from, to}, media = {from_media, to_media};
    sk_dir_discard(to);
    EXPECT_OK(sk_dir_create(to, &sk_test_err));
    EXPECT_OK(sk_dir_create(to_media, &sk_test_err));
    EXPECT_OK(sk_dir_each(from, copy_one, &top, &sk_test_err));
    EXPECT_OK(sk_dir_each(from_media, copy_one, &media, &sk_test_err));
}

static inline void attach(struct sk_id *record, size_t len)
{
    sk_auto_item item = sk_test_item(at->store, record);
    struct sk_id id;
    sk_test_write(sk_test_path(at, "photo"), len);
    EXPECT_OK(
        sk_attachment_add(at->store, &item, sk_test_path(at, "photo"), NULL, &id, &sk_test_err));
}

/* Records and four attachments, closed, and a copy of it all. */
static inline int make(void **state)
{
    struct sk_id id = {{0}};
    if (sk_test_device(state) != 0)
        return -1;
    at = *state;
    for (unsigned i = 0; i < RECORDS; i++)
        id = sk_test_add(at->store, SK_TYPE_EVENT, "Before the new keys");
    attach(&id, 0);
    attach(&id, 1);
    attach(&id, 70000);
    attach(&id, 200000);
    sk_test_close(at);
    sk_auto_free char *to = sk_temp_path(at->dir, "base");
    copy_store(at->path, to);
    return 0;
}

static inline void start_over(void)
{
    sk_auto_free char *from = sk_temp_path(at->dir, "base");
    copy_store(from, at->path);
}

static inline void no_problem(void *context, const char *sentence)
{
    (void)context;
    fail_msg("%s", sentence);
}

static inline void count_problem(void *context, const char *sentence)
{
    (void)sentence;
    ++*(unsigned *)context;
}

/* Open, with everything in it and nothing else in the folder. */
static inline void assert_whole(void)
{
    EXPECT_OK(sk_verify(at->store, no_problem, NULL, NULL, &sk_test_err));
    assert_int_equal(sk_test_sql_int(at->store, "SELECT count(*) FROM item"), RECORDS + 4);
    assert_int_equal(sk_test_sql_int(at->store, "SELECT count(*) FROM media"), 4);
    assert_int_equal(sk_test_count_files(in_store("media")), 4);
    assert_false(sk_file_exists(in_store(SK_DATA_NEXT_FILE)));
}

static inline enum sk_status rekey(struct sk_rekey *out, struct sk_error *err)
{
    struct sk_store_options options = sk_test_options(at->path, at->kind);
    return sk_rekey(at->store, options.unlock, NULL, NULL, out, err);
}

static inline uint64_t left(void)
{
    uint64_t files = 99;
    EXPECT_OK(sk_rekey_left(at->store, &files, &sk_test_err));
    return files;
}

static inline void assert_open_gives(enum sk_status expected, const char *words)
{
    struct sk_store_options options = sk_test_options(at->path, at->kind);
    struct sk_store *store = NULL;
    EXPECT(expected, sk_store_open(&store, &options, &sk_test_err));
    if (words && !strstr(sk_test_err.text, words))
        fail_msg("%s", sk_test_err.text);
    EXPECT_OK(sk_store_close(store, &sk_test_err));
}

/* A media file of before, which is gone. */
static inline enum sk_status same_name(void *context, const char *name, struct sk_error *err)
{
    (void)context, (void)err;
    sk_auto_free char *before = sk_temp_path(base("media"), name);
    if (sk_file_exists(before))
        fail_msg("media/%s is still there", name);
    return SK_OK;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, sk_test_remove)

#endif

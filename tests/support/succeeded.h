/*
 * A small store, and a look at its heir, for tests of core/succession.h. For one source file a
 * test.
 */
#ifndef SK_TESTS_SUCCEEDED_H
#define SK_TESTS_SUCCEEDED_H

#include "core/file.h"
#include "core/verify.h"
#include "tests/support/heir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

/* Positions in the log of the small store. */
enum { A, B, B2, GONE, ERASURE, LINK, PHOTO, POSITIONS };

struct small {
    struct sk_test_store *at;
    struct sk_id a, b, gone;
};

static inline void fill(struct sk_test_store *at, struct small *small)
{
    struct sk_store *store = at->store;
    struct sk_store *txn = NULL;
    struct sk_id id;
    small->at = at;
    small->a = sk_test_add(store, SK_TYPE_SOURCE, "alpha");
    small->b = sk_test_add(store, SK_TYPE_SOURCE, "beta");
    sk_test_edit(store, &small->b, "beta two");
    small->gone = sk_test_add(store, SK_TYPE_SOURCE, "withdrawn");
    assert_int_equal(sk_test_withdraw(store, &small->gone), 1);
    sk_auto_item a = sk_test_item(store, &small->a);
    sk_auto_item b = sk_test_item(store, &small->b);
    EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
    EXPECT_OK(sk_link_add(store, &a, "same-as", &b, &id, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    sk_test_write(sk_test_path(at, "photo"), 3000000);
    EXPECT_OK(sk_attachment_add(store, &a, sk_test_path(at, "photo"), NULL, &id, &sk_test_err));
}

static inline void count_problem(void *context, const char *sentence)
{
    print_error("verify: %s\n", sentence);
    ++*(unsigned *)context;
}

static inline enum sk_status add_title(void *context, const struct sk_item *item,
                                       struct sk_error *err)
{
    char *out = context;
    (void)err;
    (void)snprintf(out + strlen(out), 512 - strlen(out), "%s ", item->title);
    return SK_OK;
}

/* Looks at the heir: it verifies, and lists these titles. Removes it. */
static inline void check_heir(const char *path, const char *titles)
{
    struct sk_store_options options = sk_test_options(path, SK_STORE_DEVICE);
    struct sk_store *store = NULL;
    unsigned problems = 0;
    char list[512] = "";
    EXPECT_OK(sk_store_open(&store, &options, &sk_test_err));
    EXPECT_OK(sk_verify(store, count_problem, &problems, NULL, &sk_test_err));
    EXPECT_OK(sk_item_each(store, 0, add_title, list, &sk_test_err));
    if (titles)
        assert_string_equal(list, titles);
    assert_null(strstr(list, "withdrawn"));
    assert_int_equal(problems, 0);
    EXPECT_OK(sk_store_close(store, &sk_test_err));
    sk_dir_discard(path);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, sk_test_device, sk_test_remove)

#endif

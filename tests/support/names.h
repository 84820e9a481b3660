/*
 * A folder, and two names in it that are free at the start: for tests of core/file.h.
 */
#ifndef SK_TESTS_NAMES_H
#define SK_TESTS_NAMES_H

#include "core/file.h"
#include "core/file_calls.h"
#include "crypto/secret.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

static char *dir;
static char *path;  /* a name in dir, free at the start */
static char *other; /* another one */

static inline int begin(void **state)
{
    (void)state;
    if (sk_crypto_init() != SK_OK)
        return -1;
    dir = sk_temp_dir_make();
    path = sk_temp_path(dir, "name");
    other = sk_temp_path(dir, "other");
    return 0;
}

/* Gives the system its own calls back, too. */
static inline int end(void **state)
{
    (void)state;
    sk_file_use_calls(NULL);
    free(path);
    free(other);
    sk_temp_dir_remove(dir);
    return 0;
}

static inline enum sk_status count_entry(void *context, const char *name, struct sk_error *err)
{
    (void)name, (void)err;
    ++*(size_t *)context;
    return SK_OK;
}

static inline size_t entries(void)
{
    size_t count = 0;
    assert_int_equal(sk_dir_each(dir, count_entry, &count, NULL), SK_OK);
    return count;
}

static inline void assert_holds(const char *name, const char *text)
{
    sk_auto_buf buf = SK_BUF_INIT;
    assert_int_equal(sk_file_load(&buf, name, 1000, NULL), SK_OK);
    assert_string_equal(sk_buf_text(&buf), text);
}

#endif

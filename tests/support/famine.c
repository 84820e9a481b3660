#include "tests/support/famine.h"

#include <dlfcn.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static struct sk_famine famine; /* number 0 and no kinds: there is none */
static uint64_t counted;
static size_t longest;
static int64_t live;

void sk_famine_begin(const struct sk_famine *wanted)
{
    counted = 0;
    longest = 0;
    famine = *wanted;
}

void sk_famine_end(void)
{
    famine = (struct sk_famine){.kinds = 0};
}

uint64_t sk_famine_counted(void)
{
    return counted;
}

size_t sk_famine_longest(void)
{
    return longest;
}

int64_t sk_famine_live(void)
{
    return live;
}

/* A call for that many bytes. */
static bool fails(unsigned kind, size_t len)
{
    if (len > longest)
        longest = len;
    if (!(famine.kinds & kind))
        return false;
    counted++;
    if (famine.number == 0 || counted < famine.number ||
        (counted > famine.number && !famine.lasting))
        return false;
    errno = ENOMEM;
    return true;
}

static void *took(void *p)
{
    live += p != NULL;
    return p;
}

/* ---- the C library's ---- */

#if SANITIZED

void *sk_famine_malloc(size_t len)
{
    return malloc(len);
}

void *sk_famine_realloc(void *p, size_t len)
{
    return realloc(p, len);
}

void sk_famine_free(void *p)
{
    free(p);
}

#else

void *__libc_malloc(size_t len);
void *__libc_calloc(size_t count, size_t len);
void *__libc_realloc(void *p, size_t len);
void __libc_free(void *p);

void *sk_famine_malloc(size_t len)
{
    return __libc_malloc(len);
}

void *sk_famine_realloc(void *p, size_t len)
{
    return __libc_realloc(p, len);
}

void sk_famine_free(void *p)
{
    __libc_free(p);
}

void *malloc(size_t len)
{
    return fails(SK_FAMINE_HEAP, len) ? NULL : took(__libc_malloc(len));
}

void *calloc(size_t count, size_t len)
{
    return fails(SK_FAMINE_HEAP, count * len) ? NULL : took(__libc_calloc(count, len));
}

void *realloc(void *p, size_t len)
{
    if (fails(SK_FAMINE_HEAP, len))
        return NULL;
    return p ? __libc_realloc(p, len) : took(__libc_malloc(len));
}

void free(void *p)
{
    live -= p != NULL;
    __libc_free(p);
}

#endif

/* ---- libsodium's ---- */

static void *(*next_malloc)(size_t len);
static void (*next_free)(void *p);
static int (*next_mlock)(void *p, size_t len);

static void find(void *function, const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found)
        abort();
    memcpy(function, &found, sizeof(found));
}

/* Before the program begins, so that nothing is looked for in a famine. */
__attribute__((constructor)) static void find_all(void)
{
    find(&next_malloc, "sodium_malloc");
    find(&next_free, "sodium_free");
    find(&next_mlock, "sodium_mlock");
}

void *sodium_malloc(const size_t len)
{
    return fails(SK_FAMINE_SECRETS, len) ? NULL : took(next_malloc(len));
}

void sodium_free(void *p)
{
    live -= p != NULL;
    next_free(p);
}

int sodium_mlock(void *const p, const size_t len)
{
    return fails(SK_FAMINE_LOCKS, len) ? -1 : next_mlock(p, len);
}

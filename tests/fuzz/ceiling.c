#include "tests/fuzz/ceiling.h"

#include "tests/support/effort.h"

#if SANITIZED

void sk_ceiling_begin(void)
{
}

size_t sk_ceiling_taken(void)
{
    return 0;
}

#else

#include <malloc.h>
#include <stdint.h>

void *__libc_malloc(size_t len);
void *__libc_calloc(size_t count, size_t len);
void *__libc_realloc(void *p, size_t len);
void __libc_free(void *p);

/* Relative to the beginning of a run: what was there before may go as well. */
static ptrdiff_t in_use;
static ptrdiff_t most;

/* What is asked for counts whether it is there or not. */
static void asks(size_t len)
{
    ptrdiff_t with = len < PTRDIFF_MAX / 2 ? in_use + (ptrdiff_t)len : PTRDIFF_MAX;
    if (with > most)
        most = with;
}

static void *took(void *p)
{
    if (p)
        in_use += (ptrdiff_t)malloc_usable_size(p);
    return p;
}

static void gave(void *p)
{
    if (p)
        in_use -= (ptrdiff_t)malloc_usable_size(p);
}

void *malloc(size_t len)
{
    asks(len);
    return took(__libc_malloc(len));
}

void *calloc(size_t count, size_t len)
{
    asks(len > 0 && count > SIZE_MAX / len ? SIZE_MAX : count * len);
    return took(__libc_calloc(count, len));
}

void *realloc(void *p, size_t len)
{
    ptrdiff_t before = p ? (ptrdiff_t)malloc_usable_size(p) : 0;
    asks(len); /* what was there stays until it is copied */
    void *moved = __libc_realloc(p, len);
    if (moved || len == 0)
        in_use -= before;
    return took(moved);
}

void free(void *p)
{
    gave(p);
    __libc_free(p);
}

void sk_ceiling_begin(void)
{
    in_use = most = 0;
}

size_t sk_ceiling_taken(void)
{
    return (size_t)most;
}

#endif

/*
 * Large blocks of the project's own code are kept from run to run, where libFuzzer runs a target
 * that has a store: to map them, their shadow and their guards anew took AddressSanitizer a third
 * of each run. What is not lent, and what lies behind the end of what is, is poisoned, as by its
 * own malloc(); what was given back last is not lent at once, so that a use after the end of a life
 * shows. More of them at once than any run has is a leak. For one thread. (ld --wrap: what the
 * libraries take for themselves is not changed.)
 */
#include "tests/fuzz/fuzz.h"

#include <sanitizer/asan_interface.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LARGE  ((size_t)128 * 1024)
#define PAGE   ((size_t)4096)
#define BLOCKS 32

void *__real_malloc(size_t len);
void *__real_calloc(size_t count, size_t len);
void *__real_realloc(void *p, size_t len);
void __real_free(void *p);
size_t __real_malloc_usable_size(void *p);
void *__wrap_malloc(size_t len);
void *__wrap_calloc(size_t count, size_t len);
void *__wrap_realloc(void *p, size_t len);
void __wrap_free(void *p);
size_t __wrap_malloc_usable_size(void *p);

static struct block {
    uint8_t *bytes;
    size_t room; /* 0: there is none */
    size_t len;  /* 0: not lent */
} blocks[BLOCKS];
static const struct block *last; /* given back */

static struct block *find(const void *p)
{
    for (size_t i = 0; p && i < BLOCKS; i++)
        if (blocks[i].bytes == p)
            return &blocks[i];
    return NULL;
}

/* One that is not lent: with that much room, or else empty, or else of another size. */
static struct block *choose(size_t room)
{
    struct block *best = NULL;
    for (size_t i = 0; i < BLOCKS; i++) {
        struct block *block = &blocks[i];
        if (block->len || block == last)
            continue;
        if (block->room == room)
            return block;
        if (!best || !block->room)
            best = block;
    }
    SK_FUZZ_CHECK(best);
    return best;
}

void *__wrap_malloc(size_t len)
{
    if (len < LARGE || len > SIZE_MAX - PAGE)
        return __real_malloc(len);
    size_t room = (len + PAGE - 1) / PAGE * PAGE;
    struct block *block = choose(room);
    if (block->room != room) {
        uint8_t *bytes = __real_malloc(room);
        if (!bytes)
            return NULL;
        __real_free(block->bytes);
        __asan_poison_memory_region(bytes, room);
        *block = (struct block){.bytes = bytes, .room = room};
    }
    block->len = len;
    __asan_unpoison_memory_region(block->bytes, len);
    return block->bytes;
}

void *__wrap_calloc(size_t count, size_t len)
{
    if (!len || count < LARGE / len || count > SIZE_MAX / len)
        return __real_calloc(count, len);
    void *p = __wrap_malloc(count * len);
    if (p)
        memset(p, 0, count * len);
    return p;
}

void __wrap_free(void *p)
{
    struct block *block = find(p);
    if (!block) {
        __real_free(p);
        return;
    }
    SK_FUZZ_CHECK(block->len);
    __asan_poison_memory_region(block->bytes, block->room);
    block->len = 0;
    last = block;
}

size_t __wrap_malloc_usable_size(void *p)
{
    const struct block *block = find(p);
    return block ? block->len : __real_malloc_usable_size(p);
}

void *__wrap_realloc(void *p, size_t len)
{
    size_t had = __wrap_malloc_usable_size(p);
    if (!find(p) && len < LARGE)
        return __real_realloc(p, len);
    void *moved = __wrap_malloc(len);
    if (!moved)
        return NULL;
    if (p)
        memcpy(moved, p, had < len ? had : len);
    __wrap_free(p);
    return moved;
}

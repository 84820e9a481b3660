#include "tests/support/sim/content.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct sk_sim_block {
    unsigned refs;
    bool hashed;
    uint64_t hash;
    uint8_t bytes[SK_SIM_BLOCK];
};

/* ---- memory ---- */

struct sk_sim_memory sk_sim_memory = {malloc, realloc, free};

static void *must(void *p)
{
    if (!p)
        abort();
    return p;
}

void *sk_sim_alloc(size_t len)
{
    void *p = must(sk_sim_memory.malloc(len ? len : 1));
    memset(p, 0, len);
    return p;
}

void *sk_sim_grow(void *p, size_t len)
{
    return must(sk_sim_memory.realloc(p, len ? len : 1));
}

void sk_sim_free(void *p)
{
    sk_sim_memory.free(p);
}

/* ---- hashes ---- */

uint64_t sk_sim_mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9fb21c651e98df25);
    return hash ^ (hash >> 29);
}

/* Four lanes, so that a processor has work while it multiplies. */
uint64_t sk_sim_hash_bytes(uint64_t hash, const void *bytes, size_t len)
{
    const uint8_t *from = bytes;
    uint64_t lanes[4] = {hash, hash + 1, hash + 2, hash + 3};
    for (; len >= 32; len -= 32, from += 32)
        for (size_t i = 0; i < 4; i++) {
            uint64_t word;
            memcpy(&word, from + 8 * i, 8);
            lanes[i] = sk_sim_mix(lanes[i], word);
        }
    for (; len > 0; len--, from++)
        lanes[0] = sk_sim_mix(lanes[0], *from);
    return sk_sim_mix(sk_sim_mix(sk_sim_mix(lanes[0], lanes[1]), lanes[2]), lanes[3]);
}

/* ---- blocks ---- */

static void release(struct sk_sim_block *block)
{
    if (block && --block->refs == 0)
        sk_sim_free(block);
}

/* A block that only this content has. */
static struct sk_sim_block *own(struct sk_sim_content *content, size_t at)
{
    struct sk_sim_block *block = content->blocks[at];
    if (!block) {
        block = sk_sim_alloc(sizeof(*block));
        block->refs = 1;
    } else if (block->refs > 1) {
        struct sk_sim_block *copy = sk_sim_grow(NULL, sizeof(*copy));
        memcpy(copy->bytes, block->bytes, SK_SIM_BLOCK);
        copy->refs = 1;
        block->refs--;
        block = copy;
    }
    block->hashed = false;
    content->blocks[at] = block;
    return block;
}

static void set_count(struct sk_sim_content *content, size_t count)
{
    for (size_t i = count; i < content->count; i++)
        release(content->blocks[i]);
    if (count != content->count)
        content->blocks = sk_sim_grow(content->blocks, count * sizeof(struct sk_sim_block *));
    for (size_t i = content->count; i < count; i++)
        content->blocks[i] = NULL;
    content->count = count;
}

static size_t blocks_of(uint64_t len)
{
    return (size_t)((len + SK_SIM_BLOCK - 1) / SK_SIM_BLOCK);
}

void sk_sim_content_copy(struct sk_sim_content *out, const struct sk_sim_content *from)
{
    out->len = from->len;
    out->count = from->count;
    out->blocks = sk_sim_grow(NULL, from->count * sizeof(struct sk_sim_block *));
    for (size_t i = 0; i < from->count; i++) {
        out->blocks[i] = from->blocks[i];
        if (out->blocks[i])
            out->blocks[i]->refs++;
    }
}

void sk_sim_content_clear(struct sk_sim_content *content)
{
    for (size_t i = 0; i < content->count; i++)
        release(content->blocks[i]);
    sk_sim_free(content->blocks);
    *content = (struct sk_sim_content)SK_SIM_CONTENT_INIT;
}

void sk_sim_content_write(struct sk_sim_content *content, uint64_t offset, const void *bytes,
                          size_t len)
{
    const uint8_t *from = bytes;
    if (len == 0)
        return;
    if (offset + len > content->len)
        content->len = offset + len;
    if (blocks_of(content->len) > content->count)
        set_count(content, blocks_of(content->len));
    while (len > 0) {
        size_t within = (size_t)(offset % SK_SIM_BLOCK);
        size_t step = len < SK_SIM_BLOCK - within ? len : SK_SIM_BLOCK - within;
        memcpy(own(content, (size_t)(offset / SK_SIM_BLOCK))->bytes + within, from, step);
        offset += step;
        from += step;
        len -= step;
    }
}

size_t sk_sim_content_read(const struct sk_sim_content *content, uint64_t offset, void *out,
                           size_t len)
{
    uint8_t *to = out;
    if (offset >= content->len)
        return 0;
    if (len > content->len - offset)
        len = (size_t)(content->len - offset);
    for (size_t left = len; left > 0;) {
        size_t within = (size_t)(offset % SK_SIM_BLOCK);
        size_t step = left < SK_SIM_BLOCK - within ? left : SK_SIM_BLOCK - within;
        const struct sk_sim_block *block = content->blocks[offset / SK_SIM_BLOCK];
        if (block)
            memcpy(to, block->bytes + within, step);
        else
            memset(to, 0, step);
        offset += step;
        to += step;
        left -= step;
    }
    return len;
}

void sk_sim_content_truncate(struct sk_sim_content *content, uint64_t len)
{
    if (len < content->len && len % SK_SIM_BLOCK != 0 && content->blocks[len / SK_SIM_BLOCK]) {
        size_t within = (size_t)(len % SK_SIM_BLOCK);
        memset(own(content, (size_t)(len / SK_SIM_BLOCK))->bytes + within, 0,
               SK_SIM_BLOCK - within);
    }
    set_count(content, blocks_of(len));
    content->len = len;
}

static uint64_t hash_block(struct sk_sim_block *block)
{
    static uint64_t of_zeros;
    if (!block) {
        static const uint8_t zeros[SK_SIM_BLOCK];
        if (of_zeros == 0)
            of_zeros = sk_sim_hash_bytes(1, zeros, sizeof(zeros));
        return of_zeros;
    }
    if (!block->hashed) {
        block->hash = sk_sim_hash_bytes(1, block->bytes, SK_SIM_BLOCK);
        block->hashed = true;
    }
    return block->hash;
}

uint64_t sk_sim_content_hash(const struct sk_sim_content *content)
{
    uint64_t hash = sk_sim_mix(7, content->len);
    for (size_t i = 0; i < content->count; i++)
        hash = sk_sim_mix(hash, hash_block(content->blocks[i]));
    return hash;
}

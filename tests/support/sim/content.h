/*
 * The bytes of a file in memory, in blocks that copies share until one of them is written. So a
 * thousand states of a disk that differ in one block cost little more than one.
 */
#ifndef SK_TESTS_SIM_CONTENT_H
#define SK_TESTS_SIM_CONTENT_H

#include <stddef.h>
#include <stdint.h>

#define SK_SIM_BLOCK 4096

struct sk_sim_block;
struct sk_sim_content {
    uint64_t len;
    size_t count;                 /* of blocks */
    struct sk_sim_block **blocks; /* NULL: zeros */
};
#define SK_SIM_CONTENT_INIT \
    {                       \
        0, 0, NULL          \
    }

void sk_sim_content_copy(struct sk_sim_content *out, const struct sk_sim_content *from);
void sk_sim_content_clear(struct sk_sim_content *content);

/* Grows the file where it has to, with zeros in a gap. */
void sk_sim_content_write(struct sk_sim_content *content, uint64_t offset, const void *bytes,
                          size_t len);
/* How many bytes there were. */
size_t sk_sim_content_read(const struct sk_sim_content *content, uint64_t offset, void *out,
                           size_t len);
void sk_sim_content_truncate(struct sk_sim_content *content, uint64_t len);

/* Equal for equal bytes; of others it differs but by a chance that does not come. */
uint64_t sk_sim_content_hash(const struct sk_sim_content *content);
uint64_t sk_sim_mix(uint64_t hash, uint64_t value);
uint64_t sk_sim_hash_bytes(uint64_t hash, const void *bytes, size_t len);

/*
 * Memory of the simulation itself, which never runs out: a test that makes allocations fail sets
 * these so that they pass it by.
 */
struct sk_sim_memory {
    void *(*malloc)(size_t len);
    void *(*realloc)(void *p, size_t len);
    void (*free)(void *p);
};
extern struct sk_sim_memory sk_sim_memory;
void *sk_sim_alloc(size_t len); /* zeroed */
void *sk_sim_grow(void *p, size_t len);
void sk_sim_free(void *p);

#endif

/*
 * A sink into memory and a source from memory, for tests of what stands between them.
 */
#ifndef SK_TESTS_STREAM_H
#define SK_TESTS_STREAM_H

#include "core/buf.h"
#include "sync/stream.h"

#include <string.h>

static inline enum sk_status sk_memory_write(void *context, const void *bytes, size_t len,
                                             struct sk_error *err)
{
    return sk_buf_add((struct sk_buf *)context, bytes, len, err);
}

static inline struct sk_sink sk_memory_sink(struct sk_buf *buf)
{
    return (struct sk_sink){.write = sk_memory_write, .context = buf};
}

struct sk_memory {
    const uint8_t *bytes;
    size_t len;
    size_t at;
};

static inline enum sk_status sk_memory_read(void *context, void *out, size_t len,
                                            struct sk_error *err)
{
    struct sk_memory *memory = (struct sk_memory *)context;
    if (len > memory->len - memory->at)
        return sk_fail(err, SK_DAMAGED, "no more bytes");
    memcpy(out, memory->bytes + memory->at, len);
    memory->at += len;
    return SK_OK;
}

static inline struct sk_source sk_memory_source(struct sk_memory *memory)
{
    return (struct sk_source){.read = sk_memory_read, .context = memory};
}

#endif

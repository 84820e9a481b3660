/*
 * Little-endian integers at any address, and the cleanup that wipes a buffer on the stack.
 */
#ifndef SK_CRYPTO_BYTES_H
#define SK_CRYPTO_BYTES_H

#include <stddef.h>
#include <stdint.h>

static inline void sk_put_u16(uint8_t out[static 2], uint16_t v)
{
    out[0] = (uint8_t)v;
    out[1] = (uint8_t)(v >> 8);
}

static inline void sk_put_u32(uint8_t out[static 4], uint32_t v)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(v >> (8 * i));
}

static inline void sk_put_u64(uint8_t out[static 8], uint64_t v)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(v >> (8 * i));
}

static inline uint16_t sk_get_u16(const uint8_t in[static 2])
{
    return (uint16_t)(in[0] | in[1] << 8);
}

static inline uint32_t sk_get_u32(const uint8_t in[static 4])
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++)
        v |= (uint32_t)in[i] << (8 * i);
    return v;
}

static inline uint64_t sk_get_u64(const uint8_t in[static 8])
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++)
        v |= (uint64_t)in[i] << (8 * i);
    return v;
}

#endif

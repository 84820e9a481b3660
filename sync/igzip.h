/*
 * Compressing with ISA-L's igzip: about four times as fast as zlib's level 2, for about 3 in 100
 * more bytes (tests/bench/RESULTS.md). A part that a build can leave out (SK_ISAL in
 * CMakeLists.txt). Private to sync: for deflate.c, which says what the functions do.
 */
#ifndef SK_SYNC_IGZIP_H
#define SK_SYNC_IGZIP_H

#include <stddef.h>
#include <stdint.h>

struct sk_igzip;

/* NULL when there is no memory. */
struct sk_igzip *sk_igzip_new(void);
void sk_igzip_free(struct sk_igzip *igzip);

/* One raw deflate stream; its length, or 0 when it does not fit. Lengths up to UINT32_MAX. */
size_t sk_igzip_deflate(struct sk_igzip *igzip, uint8_t *out, size_t room, const uint8_t *bytes,
                        size_t len);

#endif

#include "sync/deflate.h"

#include "crypto/secret.h"
#include "sync/igzip.h"

#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

#define LEVEL_FAST   2 /* four times as fast as 6, for a tenth more bytes */
#define LEVEL_SMALL  6
#define RAW_BITS     (-15)
#define MEMORY_LEVEL 8

struct sk_deflater {
    struct sk_igzip *igzip; /* NULL: zlib does it */
    z_stream z;
};

struct sk_inflater {
    z_stream z;
};

/* ---- memory that is wiped ---- */

static void *block_new(void *context, unsigned items, unsigned size)
{
    (void)context;
    return calloc(items, size);
}

static void block_free(void *context, void *block)
{
    (void)context;
    sk_wipe_free(block);
}

static const z_stream fresh = {.zalloc = block_new, .zfree = block_free};

/* ---- compressing ---- */

static bool start(struct sk_deflater *deflater, enum sk_effort effort)
{
    int level = effort == SK_EFFORT_SMALL ? LEVEL_SMALL : LEVEL_FAST;
#ifdef SK_WITH_ISAL
    if (effort == SK_EFFORT_FAST)
        return (deflater->igzip = sk_igzip_new()) != NULL;
#endif
    deflater->z = fresh;
    return deflateInit2(&deflater->z, level, Z_DEFLATED, RAW_BITS, MEMORY_LEVEL,
                        Z_DEFAULT_STRATEGY) == Z_OK;
}

enum sk_status sk_deflater_new(struct sk_deflater **out, enum sk_effort effort,
                               struct sk_error *err)
{
    struct sk_deflater *deflater = calloc(1, sizeof(*deflater));
    if (!deflater)
        return sk_fail_status(err, SK_NOMEM);
    if (!start(deflater, effort)) {
        free(deflater);
        return sk_fail_status(err, SK_NOMEM);
    }
    *out = deflater;
    return SK_OK;
}

void sk_deflater_free(struct sk_deflater *deflater)
{
    if (!deflater)
        return;
#ifdef SK_WITH_ISAL
    if (deflater->igzip)
        sk_igzip_free(deflater->igzip);
    else
#endif
        (void)deflateEnd(&deflater->z);
    free(deflater);
}

static size_t deflate_by_zlib(z_stream *z, uint8_t *out, size_t room, const uint8_t *bytes,
                              size_t len)
{
    if (deflateReset(z) != Z_OK)
        return 0;
    z->next_in = bytes;
    z->avail_in = (uInt)len;
    z->next_out = out;
    z->avail_out = (uInt)room;
    return deflate(z, Z_FINISH) == Z_STREAM_END ? room - z->avail_out : 0;
}

size_t sk_deflate(struct sk_deflater *deflater, uint8_t *out, size_t room, const uint8_t *bytes,
                  size_t len)
{
    if (len > UINT_MAX || room > UINT_MAX)
        return 0;
#ifdef SK_WITH_ISAL
    if (deflater->igzip)
        return sk_igzip_deflate(deflater->igzip, out, room, bytes, len);
#endif
    return deflate_by_zlib(&deflater->z, out, room, bytes, len);
}

/* ---- decompressing ---- */

enum sk_status sk_inflater_new(struct sk_inflater **out, struct sk_error *err)
{
    struct sk_inflater *inflater = malloc(sizeof(*inflater));
    if (!inflater)
        return sk_fail_status(err, SK_NOMEM);
    inflater->z = fresh;
    if (inflateInit2(&inflater->z, RAW_BITS) != Z_OK) {
        free(inflater);
        return sk_fail_status(err, SK_NOMEM);
    }
    *out = inflater;
    return SK_OK;
}

void sk_inflater_free(struct sk_inflater *inflater)
{
    if (!inflater)
        return;
    (void)inflateEnd(&inflater->z);
    free(inflater);
}

bool sk_inflate(struct sk_inflater *inflater, uint8_t *out, size_t plain_len, const uint8_t *bytes,
                size_t len)
{
    z_stream *z = &inflater->z;
    if (len > UINT_MAX || plain_len > UINT_MAX || inflateReset(z) != Z_OK)
        return false;
    z->next_in = bytes;
    z->avail_in = (uInt)len;
    z->next_out = out;
    z->avail_out = (uInt)plain_len;
    return inflate(z, Z_FINISH) == Z_STREAM_END && z->avail_in == 0 && z->avail_out == 0;
}

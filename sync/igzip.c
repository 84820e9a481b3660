#include "sync/igzip.h"

#include "crypto/secret.h"

#include <isa-l/igzip_lib.h>
#include <stdlib.h>
#include <string.h>

#define LEVEL     2 /* twice as fast as 3, for a twenty-fifth more bytes of prose */
#define LEVEL_LEN ISAL_DEF_LVL2_DEFAULT

struct sk_igzip {
    struct isal_zstream z; /* first, since it is aligned to more than a pointer */
    uint8_t level[LEVEL_LEN];
};

struct sk_igzip *sk_igzip_new(void)
{
    return calloc(1, sizeof(struct sk_igzip));
}

void sk_igzip_free(struct sk_igzip *igzip)
{
    if (!igzip)
        return;
    sk_wipe(igzip, sizeof(*igzip));
    free(igzip);
}

/* igzip only reads what it compresses, but takes no pointer that says so. */
static uint8_t *unconst(const uint8_t *bytes)
{
    uint8_t *same;
    memcpy((void *)&same, (const void *)&bytes, sizeof(same));
    return same;
}

size_t sk_igzip_deflate(struct sk_igzip *igzip, uint8_t *out, size_t room, const uint8_t *bytes,
                        size_t len)
{
    struct isal_zstream *z = &igzip->z;
    isal_deflate_stateless_init(z);
    z->level = LEVEL;
    z->level_buf = igzip->level;
    z->level_buf_size = LEVEL_LEN;
    z->gzip_flag = IGZIP_DEFLATE;
    z->flush = NO_FLUSH;
    z->end_of_stream = 1;
    z->next_in = unconst(bytes);
    z->avail_in = (uint32_t)len;
    z->next_out = out;
    z->avail_out = (uint32_t)room;
    return isal_deflate_stateless(z) == COMP_OK && z->avail_in == 0 ? room - z->avail_out : 0;
}

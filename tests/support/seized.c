#include "tests/support/seized.h"

#include "crypto/aead.h"
#include "crypto/bytes.h"
#include "crypto/hash.h"
#include "crypto/secret.h"
#include "crypto/slot.h"
#include "tests/support/temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define PAGE         4096
#define PREAMBLE     8192 /* before page 1 */
#define COPY         512
#define LOG_ID       16
#define FRAME        (24 + PAGE)
#define FRAMES_AT    (32 + PAGE) /* of the first frame in the file */
#define KIND_FIRST   1
#define KIND_PAGE    2
#define KIND_HEAD    3
#define KIND_FRAME   4
#define AT_IDS       24 /* in a copy of the preamble: two of them */
#define AD           48
#define LOG_HEAD_LEN (32 + LOG_ID)

struct seized {
    uint8_t store_id[16];
    uint8_t first[32], page[32], frame[32]; /* keys */
    uint8_t ids[5][LOG_ID];                 /* of logs that are or were */
    const uint8_t *needle;
    size_t len;
};

static void derive(struct seized *s, const char *path)
{
    static const uint8_t passphrase[] = "correct horse";
    static const struct sk_unlock unlock = {passphrase, sizeof(passphrase) - 1, NULL};
    char *name = sk_temp_path(path, "keys");
    size_t len = 0;
    uint8_t *bytes = sk_temp_read(name, &len);
    struct sk_keys keys;
    struct sk_secret *secret = NULL;
    unsigned slot = 0;
    assert_int_equal(len, sizeof(keys.bytes));
    memcpy(keys.bytes, bytes, len);
    assert_int_equal(sk_keys_unlock(&keys, &unlock, &secret, &slot), SK_OK);
    memcpy(s->store_id, sk_keys_store_id(&keys), sizeof(s->store_id));
    sk_hash_of(s->first, sk_secret_view(secret), SK_LABEL_PREAMBLE, s->store_id, 16);
    sk_hash_of(s->page, sk_secret_view(secret), SK_LABEL_PAGE, s->store_id, 16);
    sk_hash_of(s->frame, sk_secret_view(secret), SK_LABEL_WAL, s->store_id, 16);
    sk_secret_free(secret);
    free(bytes);
    free(name);
}

static bool unseal(const struct seized *s, uint32_t kind, const uint8_t *log_id, uint64_t place,
                   uint8_t *plain, const uint8_t *sealed, size_t len)
{
    uint8_t ad[AD] = {0};
    sk_put_u32(ad, kind);
    sk_put_u32(ad + 4, 1);
    memcpy(ad + 8, s->store_id, 16);
    if (log_id)
        memcpy(ad + 24, log_id, LOG_ID);
    sk_put_u64(ad + 40, place);
    const uint8_t *key = kind == KIND_FIRST ? s->first : kind == KIND_PAGE ? s->page : s->frame;
    return sk_page_open(plain, sealed, len, ad, AD, key) == SK_OK;
}

static bool found(const struct seized *s, const uint8_t *plain, size_t len)
{
    return memmem(plain, len, s->needle, s->len) != NULL;
}

/* Of `data`; the ids that its preamble names are noted. */
static bool in_pages(struct seized *s, const uint8_t *bytes, size_t len)
{
    uint8_t plain[PAGE];
    bool any = false;
    unsigned opened = 0;
    assert_true(len >= PREAMBLE);
    for (unsigned i = 0; i < 2; i++)
        if (unseal(s, KIND_FIRST, NULL, i, plain, bytes + i * PAGE, COPY - SK_PAGE_OVERHEAD))
            memcpy(s->ids[2 * i], plain + AT_IDS, (size_t)2 * LOG_ID);
    for (size_t at = PREAMBLE; at + PAGE <= len; at += PAGE) {
        if (!unseal(s, KIND_PAGE, NULL, (at - PREAMBLE) / PAGE + 1, plain, bytes + at,
                    PAGE - SK_PAGE_OVERHEAD))
            continue;
        opened++;
        any = any || found(s, plain, PAGE - SK_PAGE_OVERHEAD);
    }
    assert_true(opened > 0 || len < PREAMBLE + PAGE); /* the keys are right */
    return any;
}

static bool in_frames(struct seized *s, const uint8_t *bytes, size_t len)
{
    uint8_t plain[FRAME];
    bool any = false;
    if (len >= LOG_HEAD_LEN + SK_PAGE_OVERHEAD &&
        unseal(s, KIND_HEAD, NULL, 0, plain, bytes, LOG_HEAD_LEN))
        memcpy(s->ids[4], plain + 32, LOG_ID);
    for (size_t at = FRAMES_AT; at + FRAME <= len; at += FRAME)
        for (unsigned i = 0; i < 5; i++)
            any = any || (unseal(s, KIND_FRAME, s->ids[i], at - PAGE, plain, bytes + at,
                                 FRAME - SK_PAGE_OVERHEAD) &&
                          found(s, plain, FRAME - SK_PAGE_OVERHEAD));
    return any;
}

bool sk_seized_holds(const char *path, const void *needle, size_t len)
{
    struct seized s = {.needle = needle, .len = len};
    char *data = sk_temp_path(path, "data");
    char *wal = sk_temp_path(path, "data-wal");
    size_t data_len = 0;
    size_t wal_len = 0;
    uint8_t *data_bytes = sk_temp_read(data, &data_len);
    uint8_t *wal_bytes = sk_temp_read(wal, &wal_len);
    derive(&s, path);
    bool pages = in_pages(&s, data_bytes, data_len);
    bool frames = in_frames(&s, wal_bytes, wal_len);
    free(data_bytes);
    free(wal_bytes);
    free(data);
    free(wal);
    return pages || frames;
}

/*
 * The header of a volume, sealed again so that neither the slot's seal nor the MAC hides what is
 * behind it. The input:
 *
 *     u8 what is not made right: bit 0 the slot's seal, bit 1 the MAC, bit 2 the ephemeral key
 *     u16 the file's length in units of 64 KiB
 *     64 bytes over the slot's content, mixed in by XOR, as far as they go
 *     then, over and over: u16 a place in the header, u8 what is mixed in there
 */
#include "core/file.h"
#include "crypto/aead.h"
#include "crypto/bytes.h"
#include "crypto/hash.h"
#include "sync/volume.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SLOT       3u
#define PLAIN_LEN  64
#define PLAIN_AT   3 /* in the input */
#define CHANGES_AT (PLAIN_AT + PLAIN_LEN)

static const uint8_t scalar[32] = {7, 7, 7};
static struct sk_recipient recipient;
static uint8_t honest[SK_VOLUME_HEADER_LEN];
static const struct sk_slot_plain plain = {{1, 2, 3}, {4, 5, 6}, 1, 1, 0, SK_VOLUME_FORMAT};
static struct sk_file *file;

static enum sk_status agree(void *context, uint8_t shared[static SK_DH_LEN],
                            const uint8_t public_key[static SK_DH_LEN])
{
    (void)context;
    return sk_dh(shared, scalar, public_key);
}

static void begin(void)
{
    int fd = memfd_create("volume", MFD_CLOEXEC);
    SK_FUZZ_CHECK(fd >= 0 && sk_file_adopt(&file, fd, "volume", NULL) == SK_OK);
    sk_dh_public(recipient.dh_public, scalar);
    memset(&recipient.keys, 9, sizeof(recipient.keys));
    for (size_t i = 0; i < sizeof(honest); i++)
        honest[i] = (uint8_t)(i * 31);
    SK_FUZZ_CHECK(sk_volume_seal_slot(honest, SLOT, &recipient, &plain) == SK_OK);
}

/* The slot's key is not at hand where its writer threw the scalar away: from the reader's side. */
static bool seal_slot(uint8_t *header, const uint8_t content[static PLAIN_LEN])
{
    uint8_t *at = header + sk_volume_slot_at(SLOT);
    uint8_t point[32], shared[32], key[32], ad[80];
    struct sk_hash h;
    sk_hash_of(point, recipient.keys.mask, SK_LABEL_MASK, header, SK_VOLUME_N0_LEN);
    for (size_t i = 0; i < sizeof(point); i++)
        point[i] ^= at[16 + i];
    if (sk_dh(shared, scalar, point) != SK_OK)
        return false;
    sk_hash_init(&h, recipient.keys.wrap, SK_LABEL_WRAP);
    sk_hash_add(&h, header, SK_VOLUME_N0_LEN);
    sk_hash_add(&h, point, sizeof(point));
    sk_hash_add(&h, recipient.dh_public, sizeof(recipient.dh_public));
    sk_hash_add(&h, shared, sizeof(shared));
    sk_hash_end(&h, key);
    memcpy(ad, header, SK_VOLUME_N0_LEN);
    memcpy(ad + SK_VOLUME_N0_LEN, at, 48);
    sk_wrap_seal(at + 48, content, PLAIN_LEN, ad, sizeof(ad), key);
    return true;
}

static void make_content(uint8_t content[static PLAIN_LEN], const uint8_t *bytes, size_t len)
{
    memset(content, 0, PLAIN_LEN);
    memcpy(content, plain.file_key, 32);
    memcpy(content + 32, plain.set_id, SK_SET_ID_LEN);
    content[48] = content[49] = content[51] = 1;
    for (size_t i = 0; i < PLAIN_LEN && PLAIN_AT + i < len; i++)
        content[i] ^= bytes[PLAIN_AT + i];
}

/* What the specification says of a content that opens. */
static enum sk_status expected(const uint8_t content[static PLAIN_LEN])
{
    if (content[48] != 1 || content[49] != 1 || content[50] != 0 || content[51] != 1)
        return SK_CONFIG;
    for (size_t i = 52; i < PLAIN_LEN; i++)
        if (content[i])
            return SK_DAMAGED;
    return SK_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static uint8_t header[SK_VOLUME_HEADER_LEN];
    uint8_t content[PLAIN_LEN];
    sk_auto_volume_unlocked out = {.chunks = 0};
    if (!file)
        begin();
    if (len < PLAIN_AT)
        return 0;
    uint64_t file_len = (uint64_t)sk_get_u16(bytes + 1) * SK_CHUNK_LEN;
    memcpy(header, honest, sizeof(header));
    make_content(content, bytes, len);
    for (size_t i = CHANGES_AT; i + 3 <= len; i += 3)
        header[sk_get_u16(bytes + i)] ^= bytes[i + 2];
    if (bytes[0] & 4)
        memset(header + sk_volume_slot_at(SLOT) + 16, 0, 32);
    bool sealed = !(bytes[0] & 1) && seal_slot(header, content);
    if (!(bytes[0] & 2))
        sk_volume_header_mac(header + SK_VOLUME_MAC_AT, header, content);
    SK_FUZZ_CHECK(ftruncate(sk_file_descriptor(file), (off_t)file_len) == 0);
    enum sk_status status = sk_envelope_unlock(&out, file, header, SLOT, &recipient.keys, agree,
                                               NULL, recipient.dh_public, NULL);
    if (!sk_volume_length_valid(file_len))
        SK_FUZZ_CHECK(status == SK_DAMAGED);
    else if (sealed && !(bytes[0] & 2))
        SK_FUZZ_CHECK(status == expected(content));
    else
        SK_FUZZ_CHECK(status == SK_DAMAGED || status == SK_CONFIG || status == SK_OK);
    if (status == SK_OK) {
        SK_FUZZ_CHECK(out.chunks == file_len / SK_CHUNK_LEN - 1);
        SK_FUZZ_CHECK(memcmp(out.set_id, content + 32, SK_SET_ID_LEN) == 0 || !sealed);
    }
    return 0;
}

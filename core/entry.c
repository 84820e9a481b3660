#include "core/entry.h"

#include "crypto/bytes.h"
#include "crypto/secret.h"

#define OFFSET_TYPE       2
#define OFFSET_FLAGS      4
#define OFFSET_DAY        8
#define OFFSET_ID         12
#define OFFSET_REVISION   28
#define OFFSET_COMMITMENT 32
#define OFFSET_PREVIOUS   64

#define UNPROVEN (UINT32_C(1) << 31) /* of the flags */

void sk_entry_encode(uint8_t out[static SK_ENTRY_LEN], const struct sk_entry *entry)
{
    sk_put_u16(out, SK_ENTRY_VERSION);
    sk_put_u16(out + OFFSET_TYPE, entry->type);
    sk_put_u32(out + OFFSET_FLAGS, entry->flags | (entry->unproven ? UNPROVEN : 0));
    sk_put_u32(out + OFFSET_DAY, entry->day);
    memcpy(out + OFFSET_ID, entry->id.bytes, SK_ID_LEN);
    sk_put_u32(out + OFFSET_REVISION, entry->revision);
    memcpy(out + OFFSET_COMMITMENT, entry->commitment, SK_HASH_LEN);
    memcpy(out + OFFSET_PREVIOUS, entry->previous, SK_MERKLE_LEN);
}

static bool all_zero(const uint8_t *bytes, size_t len)
{
    uint8_t any = 0;
    for (size_t i = 0; i < len; i++)
        any |= bytes[i];
    return any == 0;
}

/* An erasure says in its flags what it erases, and commits to nothing. */
static bool erasure_fits(const struct sk_entry *entry)
{
    return entry->flags >= SK_TYPE_PERSON && entry->flags <= SK_TYPE_ATTACHMENT &&
           entry->revision > 1 && all_zero(entry->commitment, SK_HASH_LEN);
}

enum sk_status sk_entry_decode(struct sk_entry *out, const uint8_t bytes[static SK_ENTRY_LEN])
{
    struct sk_entry entry = {
        .type = sk_get_u16(bytes + OFFSET_TYPE),
        .flags = sk_get_u32(bytes + OFFSET_FLAGS) & ~UNPROVEN,
        .unproven = (sk_get_u32(bytes + OFFSET_FLAGS) & UNPROVEN) != 0,
        .day = sk_get_u32(bytes + OFFSET_DAY),
        .revision = sk_get_u32(bytes + OFFSET_REVISION),
    };
    memcpy(entry.id.bytes, bytes + OFFSET_ID, SK_ID_LEN);
    memcpy(entry.commitment, bytes + OFFSET_COMMITMENT, SK_HASH_LEN);
    memcpy(entry.previous, bytes + OFFSET_PREVIOUS, SK_MERKLE_LEN);

    if (sk_get_u16(bytes) != SK_ENTRY_VERSION || entry.type < SK_TYPE_PERSON ||
        entry.type > SK_TYPE_LAST || entry.revision == 0)
        return SK_REFUSED;
    if ((entry.revision == 1) != all_zero(entry.previous, SK_MERKLE_LEN))
        return SK_REFUSED;
    if (entry.type == SK_TYPE_ERASURE ? !erasure_fits(&entry) : entry.flags != 0)
        return SK_REFUSED;
    *out = entry;
    return SK_OK;
}

void sk_entry_name(uint8_t out[static SK_MERKLE_LEN], const uint8_t bytes[static SK_ENTRY_LEN])
{
    uint8_t plain[SK_ENTRY_LEN];
    memcpy(plain, bytes, sizeof(plain));
    sk_put_u32(plain + OFFSET_FLAGS, sk_get_u32(plain + OFFSET_FLAGS) & ~UNPROVEN);
    sk_merkle_leaf(out, plain, sizeof(plain));
}

bool sk_entry_has_payload(const struct sk_entry *entry)
{
    return entry->type != SK_TYPE_ERASURE;
}

static uint64_t pieces(uint64_t len)
{
    return (len + SK_BLOCK_LEN - 1) / SK_BLOCK_LEN;
}

uint64_t sk_block_count(uint64_t text_len, uint64_t body_len)
{
    uint64_t text_blocks = text_len ? pieces(text_len) : 1;
    return text_blocks + pieces(body_len);
}

size_t sk_block_len(uint64_t text_len, uint64_t body_len, uint64_t j)
{
    uint64_t text_blocks = text_len ? pieces(text_len) : 1;
    uint64_t left =
        j < text_blocks ? text_len - j * SK_BLOCK_LEN : body_len - (j - text_blocks) * SK_BLOCK_LEN;
    return left < SK_BLOCK_LEN ? (size_t)left : SK_BLOCK_LEN;
}

void sk_block_hash(uint8_t out[static SK_HASH_LEN], const uint8_t salt[static SK_SALT_LEN],
                   uint64_t j, const void *bytes, size_t len)
{
    struct sk_hash h;
    sk_hash_init(&h, salt, SK_LABEL_BLOCK);
    sk_hash_add_u64(&h, j);
    sk_hash_add(&h, bytes, len);
    sk_hash_end(&h, out);
}

void sk_commitment(uint8_t out[static SK_HASH_LEN], const struct sk_id *id, uint32_t revision,
                   const uint8_t salt[static SK_SALT_LEN], uint64_t text_len, uint64_t body_len,
                   const uint8_t *hashes)
{
    struct sk_hash h;
    sk_hash_init(&h, salt, SK_LABEL_COMMIT);
    sk_hash_add(&h, id->bytes, SK_ID_LEN);
    sk_hash_add_u32(&h, revision);
    sk_hash_add_u64(&h, text_len);
    sk_hash_add_u64(&h, body_len);
    sk_hash_add(&h, hashes, (size_t)sk_block_count(text_len, body_len) * SK_HASH_LEN);
    sk_hash_end(&h, out);
}

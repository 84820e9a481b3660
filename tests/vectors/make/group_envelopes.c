/*
 * Bundles whose envelope was altered: slots, header, chunks, length.
 */
#include "crypto/aead.h"
#include "tests/vectors/make/group.h"

#include <string.h>

json_t *sk_bundle_keys(void)
{
    return json_pack("{s:o, s:o, s:o}", "scalar", sk_hex_json(sk_archive.scalar, 32), "psk",
                     sk_hex_json(sk_psk, 32), "archive_sign",
                     sk_hex_json(sk_archive.sign_public, 32));
}

/* Little content: an event that was withdrawn later. */
static void one_entry(struct sk_draft *draft)
{
    sk_draft_entry(draft, SK_TYPE_EVENT, 2, 1);
}

/* ---- indexes ---- */

static void index_63(struct sk_draft *draft)
{
    one_entry(draft);
    draft->chain_index = 63;
}

static void index_64(struct sk_draft *draft)
{
    one_entry(draft);
    draft->chain_index = 64;
}

static void index_4095(struct sk_draft *draft)
{
    one_entry(draft);
    draft->chain_index = 4095;
}

static void index_4096(struct sk_draft *draft)
{
    one_entry(draft);
    draft->chain_index = 4096;
}

/* The keys that receipts have. */
static void chain_of_receipts(struct sk_draft *draft)
{
    one_entry(draft);
    sk_ratchet_receipts(draft->chain_key, sk_psk);
}

static void other_psk(struct sk_draft *draft)
{
    one_entry(draft);
    draft->chain_key[0] ^= 1;
}

/* ---- slots ---- */

static void point(struct sk_draft *draft, uint8_t first, uint8_t fill, uint8_t last)
{
    uint8_t bytes[32];
    memset(bytes, fill, sizeof(bytes));
    bytes[0] = first;
    bytes[31] = last;
    sk_draft_point(draft, bytes);
}

static void point_zero(struct sk_draft *draft)
{
    point(draft, 0, 0, 0);
}

static void point_one(struct sk_draft *draft)
{
    point(draft, 1, 0, 0);
}

/* p - 1 and p, of which the multiples are those of -1 and 0. */
static void point_minus_one(struct sk_draft *draft)
{
    point(draft, 0xec, 0xff, 0x7f);
}

static void point_p(struct sk_draft *draft)
{
    point(draft, 0xed, 0xff, 0x7f);
}

/* Of order 8. */
static void point_eight(struct sk_draft *draft)
{
    static const uint8_t bytes[32] = {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae,
                                      0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
                                      0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd,
                                      0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00};
    sk_draft_point(draft, bytes);
}

/* The same point as 1, with the highest bit, which X25519 passes over. */
static void point_high_bit(struct sk_draft *draft)
{
    point(draft, 1, 0, 0x80);
}

/* A slot sealed for another archive's X25519 key under this archive's chain. */
static void other_recipient(struct sk_draft *draft)
{
    one_entry(draft);
    draft->receiver = &sk_rival;
}

/* ---- chunks ---- */

static void chunk_set(json_t *chunks, size_t j, const char *name, json_t *value)
{
    json_object_set_new(json_array_get(chunks, j), name, value);
}

static json_t *last_everywhere(struct sk_draft *draft)
{
    json_t *chunks = sk_draft_chunks(draft);
    chunk_set(chunks, 0, "last", json_true());
    return chunks;
}

static json_t *last_nowhere(struct sk_draft *draft)
{
    json_t *chunks = sk_draft_chunks(draft);
    chunk_set(chunks, 2, "last", json_false());
    return chunks;
}

static json_t *swapped(struct sk_draft *draft)
{
    json_t *chunks = sk_draft_chunks(draft);
    json_t *second = json_incref(json_array_get(chunks, 1));
    json_array_remove(chunks, 1);
    json_array_insert_new(chunks, 0, second);
    return chunks;
}

static json_t *repeated(struct sk_draft *draft)
{
    json_t *chunks = sk_draft_chunks(draft);
    json_array_set(chunks, 1, json_array_get(chunks, 0));
    return chunks;
}

static json_t *left_out(struct sk_draft *draft)
{
    json_t *chunks = sk_draft_chunks(draft);
    json_array_remove(chunks, 1);
    return chunks;
}

/* A possible length, one step longer: the old last chunk is not the last. */
static json_t *one_more(struct sk_draft *draft)
{
    json_t *chunks = sk_draft_chunks(draft);
    json_array_append_new(chunks, json_pack("{s:i, s:b, s:s}", "index", 3, "last", 1, "plain", ""));
    return chunks;
}

static json_t *longer(struct sk_draft *draft)
{
    json_t *chunks = one_more(draft);
    chunk_set(chunks, 2, "last", json_false());
    return chunks;
}

static json_t *something_behind(struct sk_draft *draft)
{
    json_t *chunks = sk_draft_chunks(draft);
    chunk_set(chunks, 2, "plain", json_string("00000001"));
    return chunks;
}

static json_t *index_of_another(struct sk_draft *draft)
{
    json_t *chunks = sk_draft_chunks(draft);
    chunk_set(chunks, 1, "index", json_integer(7));
    return chunks;
}

/* Of a volume under the same file key with another header: at its place, but under its key. */
static json_t *of_another_volume(struct sk_draft *draft)
{
    uint8_t key[32];
    uint8_t hash[32];
    json_t *chunks = sk_draft_chunks(draft);
    memcpy(hash, draft->header_hash, sizeof(hash));
    hash[0] ^= 1;
    sk_volume_key(key, draft->file_key, 0, hash);
    chunk_set(chunks, 1, "key", sk_hex_json(key, sizeof(key)));
    return chunks;
}

/* The inner stream ends in the middle of the file's chunks, without its rest. */
static json_t *rest_missing(struct sk_draft *draft)
{
    draft->inner.len -= 200;
    return sk_draft_chunks(draft);
}

static const struct sk_bundle_case cases[] = {
    {"honest", "the first index", SK_OK, .edits = {{0}}},
    {"index 63", "the last of the near window", SK_OK, .start = index_63},
    {"index 64", "beyond the near window", SK_OK, .start = index_64},
    {"index 4095", "the last of the far window", SK_OK, .start = index_4095},
    {"random bytes changed, and the MAC", "padding is any bytes", SK_OK,
     .edits = {{SK_STAGE_HEADER, SK_XOR, 60000, "01"}}},
    {"a longer file", "one step longer than the content needs", SK_OK, .file = longer},

    {"index 4096", "beyond the far window", SK_REFUSED, .start = index_4096},
    {"the chain of receipts", "bundles have another", SK_REFUSED, .start = chain_of_receipts},
    {"another PSK", "no tag of this archive", SK_REFUSED, .start = other_psk},
    {"a bit of N0", "then no tag is right", SK_REFUSED,
     .edits = {{SK_STAGE_FILE, SK_XOR, 0, "01"}}},
    {"sealed for another archive", "under this archive's chain", SK_DAMAGED,
     .start = other_recipient},

    {"E is 0", "a point of low order, well sealed", SK_DAMAGED, .header = point_zero},
    {"E is 1", "a point of low order, well sealed", SK_DAMAGED, .header = point_one},
    {"E is p - 1", "a point of low order, well sealed", SK_DAMAGED, .header = point_minus_one},
    {"E is p", "not canonical, of low order, well sealed", SK_DAMAGED, .header = point_p},
    {"E is of order 8", "a point of low order, well sealed", SK_DAMAGED, .header = point_eight},
    {"E is 2^255 + 1", "of low order whatever its highest bit", SK_DAMAGED,
     .header = point_high_bit},

    {"format 0", "there is no such format", SK_CONFIG,
     .edits = {{SK_STAGE_SLOT, SK_SET, 51, "00"}}},
    {"format 2", "a newer one", SK_CONFIG, .edits = {{SK_STAGE_SLOT, SK_SET, 51, "02"}}},
    {"k is 2", "a set of volumes", SK_CONFIG, .edits = {{SK_STAGE_SLOT, SK_SET, 48, "02"}}},
    {"k is 0", "no such set", SK_CONFIG, .edits = {{SK_STAGE_SLOT, SK_SET, 48, "00"}}},
    {"n is 3", "a set of volumes", SK_CONFIG, .edits = {{SK_STAGE_SLOT, SK_SET, 49, "03"}}},
    {"volume 1", "not the first of one", SK_CONFIG, .edits = {{SK_STAGE_SLOT, SK_SET, 50, "01"}}},
    {"format 2 and bytes behind", "the format is looked at first", SK_CONFIG,
     .edits = {{SK_STAGE_SLOT, SK_SET, 51, "0201"}}},
    {"the first zero of a slot", "is not one", SK_DAMAGED,
     .edits = {{SK_STAGE_SLOT, SK_SET, 52, "01"}}},
    {"the last zero of a slot", "is not one", SK_DAMAGED,
     .edits = {{SK_STAGE_SLOT, SK_SET, 63, "80"}}},
    {"another file key in the slot", "the MAC is under the first", SK_DAMAGED,
     .edits = {{SK_STAGE_SLOT, SK_XOR, 0, "01"}}},
    {"another set id in the slot", "the manifest says the first", SK_DAMAGED,
     .edits = {{SK_STAGE_SLOT, SK_XOR, 32, "01"}}},

    {"a bit of the padding", "the MAC covers it", SK_DAMAGED,
     .edits = {{SK_STAGE_MAC, SK_XOR, 30000, "01"}}},
    {"the last bit before the MAC", "the MAC covers it", SK_DAMAGED,
     .edits = {{SK_STAGE_MAC, SK_XOR, 65503, "80"}}},
    {"a bit of the MAC", "its first", SK_DAMAGED, .edits = {{SK_STAGE_MAC, SK_XOR, 65504, "01"}}},
    {"the last bit of the MAC", "all of it counts", SK_DAMAGED,
     .edits = {{SK_STAGE_MAC, SK_XOR, 65535, "80"}}},
    {"a bit of a header on its way", "the chunks' key is of the header before", SK_DAMAGED,
     .edits = {{SK_STAGE_FILE, SK_XOR, 40000, "01"}}},

    {"last flag in the first chunk", "last is told by the length", SK_DAMAGED,
     .file = last_everywhere},
    {"no last flag", "last is told by the length", SK_DAMAGED, .file = last_nowhere},
    {"two chunks changed places", "the nonce counts", SK_DAMAGED, .file = swapped},
    {"a chunk twice", "the nonce counts", SK_DAMAGED, .file = repeated},
    {"a chunk left out", "no file has this length", SK_DAMAGED, .file = left_out},
    {"a chunk behind the last", "the last one is not the last", SK_DAMAGED, .file = one_more},
    {"a chunk of another place", "the nonce counts", SK_DAMAGED, .file = index_of_another},
    {"a chunk of another volume", "of the same file key: the header's hash counts", SK_DAMAGED,
     .file = of_another_volume},
    {"a bit of a chunk", "of the first", SK_DAMAGED,
     .edits = {{SK_STAGE_FILE, SK_XOR, 65536, "01"}}},
    {"a bit of a tag", "of the last", SK_DAMAGED, .edits = {{SK_STAGE_FILE, SK_XOR, -1, "80"}}},
    {"a bit of the zeros' chunk", "nothing of it is needed, and it is looked at", SK_DAMAGED,
     .edits = {{SK_STAGE_FILE, SK_XOR, 140000, "10"}}},
    {"something behind the end", "a byte in the last chunk, well sealed", SK_DAMAGED,
     .file = something_behind},
    {"the rest of the stream is missing", "zeros instead", SK_DAMAGED, .file = rest_missing},

    {"cut by a byte", "no file has this length", SK_DAMAGED,
     .edits = {{SK_STAGE_FILE, SK_CUT, -1, NULL}}},
    {"cut by a chunk", "no file has this length", SK_DAMAGED,
     .edits = {{SK_STAGE_FILE, SK_CUT, -65536, NULL}}},
    {"the header alone", "no file has this length", SK_DAMAGED,
     .edits = {{SK_STAGE_FILE, SK_CUT, 65536, NULL}}},
    {"an empty file", "no file has this length", SK_DAMAGED,
     .edits = {{SK_STAGE_FILE, SK_CUT, 0, NULL}}},
    {"a byte appended", "no file has this length", SK_DAMAGED,
     .edits = {{SK_STAGE_FILE, SK_INSERT, -1, "00"}}},
};

void sk_make_envelopes(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sk_bundle_case c = cases[i];
        if (!c.start)
            c.start = one_entry;
        sk_vector_bundle(&c);
    }
    sk_make_slots();
}

/*
 * Groups of single parts: lengths, codes, keys, entries, manifests.
 */
#include "crypto/bytes.h"
#include "crypto/hash.h"
#include "tests/vectors/make/group.h"

#include <string.h>

/* ---- lengths ---- */

static void add_power(unsigned k, const char *more, const char *shows, const char *class,
                      uint64_t len)
{
    char name[40];
    (void)snprintf(name, sizeof(name), "2^%u%s", k, more);
    sk_vector(name, shows, class, json_integer((json_int_t)len), NULL);
}

static void make_powers(void)
{
    for (unsigned k = 24; k <= 31; k++) {
        const uint64_t power = 1ull << k;
        add_power(k, "", "a power of two is a length", "ok", power);
        add_power(k, " and a step", "a 32nd part more is the next length", "ok",
                  power + power / 32);
        add_power(k, " and a chunk", "less than a step more", "damaged", power + SK_CHUNK_LEN);
        add_power(k, " less a chunk", "less than a step less", "damaged", power - SK_CHUNK_LEN);
    }
}

void sk_make_lengths(void)
{
    static const struct {
        const char *name, *shows, *class;
        uint64_t len;
    } rows[] = {
        {"least", "the least length", "ok", 262144},
        {"next", "the next one", "ok", 327680},
        {"just below a power of two", "8 MiB less a step of PADME", "ok", 8388608 - 262144},
        {"a power of two", "PADME of a power of two is itself", "ok", 8388608},
        {"above a power of two", "2^23 and one step", "ok", 8388608 + 262144},
        {"greatest", "the greatest length, less than PADME would give", "ok", 4293918720},
        {"zero", "an empty file", "damaged", 0},
        {"a header alone", "no chunk", "damaged", 65536},
        {"three blocks", "below the least length", "damaged", 196608},
        {"one byte less", "the least length less a byte", "damaged", 262143},
        {"one byte more", "the least length and a byte", "damaged", 262145},
        {"a chunk cut off", "a length of whole chunks that PADME does not give", "damaged",
         8388608 + 65536},
        {"a chunk too many", "2^23 and a step, and a chunk", "damaged", 8388608 + 262144 + 65536},
        {"4 GiB", "what FAT32 cannot hold", "damaged", 4294967296},
        {"2^24 and half a step", "a step there is 2^19", "damaged", (1u << 24) + (1u << 18)},
        {"2^31 and half a step", "a step there is 2^26", "damaged", (1ull << 31) + (1u << 25)},
        {"one step less than the greatest", "rounded up to the greatest", "damaged",
         4293918720 - 65536},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        sk_vector(rows[i].name, rows[i].shows, rows[i].class, json_integer((json_int_t)rows[i].len),
                  NULL);
    make_powers();
}

/* ---- codes ---- */

void sk_make_codes(void)
{
    uint8_t hash[32];
    char code[SK_CODE_LEN];
    char typed[64];
    memset(hash, 0x77, sizeof(hash));
    sk_code_format(code, hash);
    const size_t len = sizeof(hash);
    sk_vector_bytes("as shown", "groups with spaces", "ok", hash, len,
                    json_pack("{s:s}", "typed", code));
    for (size_t i = 0; i <= strlen(code); i++)
        typed[i] = (char)(code[i] == ' ' ? '-' : code[i]);
    sk_vector_bytes("hyphens", "hyphens between the groups", "ok", hash, len,
                    json_pack("{s:s}", "typed", typed));
    typed[0] = (char)(typed[0] == '9' ? '0' : typed[0] + 1);
    sk_vector_bytes("another digit", "one digit differs", "refused", hash, len,
                    json_pack("{s:s}", "typed", typed));
    typed[strlen(typed) - 1] = '\0';
    sk_vector_bytes("a digit is missing", "29 digits", "refused", hash, len,
                    json_pack("{s:s}", "typed", typed));
    (void)snprintf(typed, sizeof(typed), "%s0", code);
    sk_vector_bytes("a digit too many", "31 digits", "refused", hash, len,
                    json_pack("{s:s}", "typed", typed));
    (void)snprintf(typed, sizeof(typed), "%s", code);
    typed[5] = '\t';
    sk_vector_bytes("a tab", "another sign between the groups", "refused", hash, len,
                    json_pack("{s:s}", "typed", typed));
    sk_vector_bytes("nothing typed", "no digit", "refused", hash, len,
                    json_pack("{s:s}", "typed", ""));
    char arabic[2 * sizeof(typed)] = "";
    for (size_t i = 0; i < strlen(code); i++) {
        const size_t end = strlen(arabic);
        if (code[i] == ' ')
            (void)snprintf(arabic + end, sizeof(arabic) - end, " ");
        else
            (void)snprintf(arabic + end, sizeof(arabic) - end, "\xd9%c", code[i] - '0' + 0xa0);
    }
    sk_vector_bytes("digits of another script", "of ASCII", "refused", hash, len,
                    json_pack("{s:s}", "typed", arabic));
    code[5] = '.';
    sk_vector_bytes("a full stop", "another sign between the groups", "refused", hash, len,
                    json_pack("{s:s}", "typed", code));
}

/* ---- keys ---- */

void sk_make_ratchet(void)
{
    static const struct {
        const char *name, *shows;
        int receipts;
        int index;
    } rows[] = {
        {"first", "the first index of bundles", 0, 0},
        {"second", "the second", 0, 1},
        {"65th", "the first beyond the near window", 0, 64},
        {"4096th", "the last of the far window", 0, 4095},
        {"first receipt", "the first index of receipts", 1, 0},
        {"third receipt", "the third", 1, 2},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        sk_vector_bytes(
            rows[i].name, rows[i].shows, "ok", sk_psk, sizeof(sk_psk),
            json_pack("{s:b, s:i}", "receipts", rows[i].receipts, "index", rows[i].index));
}

/* ---- entries ---- */

#define ONE32 "0101010101010101010101010101010101010101010101010101010101010101"
#define NO32  "0000000000000000000000000000000000000000000000000000000000000000"

static void honest_entry(struct sk_buf *out, unsigned type, uint32_t revision)
{
    struct sk_entry e = {.type = (uint16_t)type, .day = 20000, .revision = revision};
    uint8_t bytes[SK_ENTRY_LEN];
    memset(&e.id, 7, sizeof(e.id));
    if (type == SK_TYPE_ERASURE)
        e.flags = SK_TYPE_CASE;
    else
        memset(e.commitment, 0xcc, sizeof(e.commitment));
    if (revision > 1)
        memset(e.previous, 0xdd, sizeof(e.previous));
    sk_entry_encode(bytes, &e);
    sk_buf_reset(out);
    MUST(sk_buf_add(out, bytes, sizeof(bytes), NULL) == SK_OK);
}

void sk_make_entries(void)
{
    static const struct sk_edit_case first[] = {
        {"first revision", "a person", "ok", {{0}}},
        {"of the type source", "a source", "ok", {{1, SK_SET, 2, "05"}}},
        {"continuation", "the last type there is", "ok", {{1, SK_SET, 2, "0b"}}},
        {"a day far away", "a day is any number", "ok", {{1, SK_SET, 8, "ffffffff"}}},
        {"zeros for an id",
         "an id is any 16 bytes",
         "ok",
         {{1, SK_SET, 12, "00000000000000000000000000000000"}}},
        {"zeros for a commitment", "a commitment is any 32 bytes", "ok", {{1, SK_SET, 32, NO32}}},
        {"version 0", "there is no such version", "malformed", {{1, SK_SET, 0, "0000"}}},
        {"version 2", "a newer version", "malformed", {{1, SK_SET, 0, "0200"}}},
        {"version 257", "the version has two bytes", "malformed", {{1, SK_SET, 0, "0101"}}},
        {"type 0", "there is no such type", "malformed", {{1, SK_SET, 2, "0000"}}},
        {"type 12", "an unknown type", "malformed", {{1, SK_SET, 2, "0c00"}}},
        {"type 257", "the type has two bytes", "malformed", {{1, SK_SET, 2, "0101"}}},
        {"flags of a record", "only an erasure has flags", "malformed", {{1, SK_SET, 4, "01"}}},
        {"flags in the last byte",
         "the flags have four bytes",
         "malformed",
         {{1, SK_SET, 7, "40"}}},
        {"the mark",
         "bit 31 of the flags: saved from damage without a proof",
         "ok",
         {{1, SK_SET, 7, "80"}}},
        {"the mark beside flags",
         "only an erasure has flags below the mark",
         "malformed",
         {{1, SK_SET, 4, "01000080"}}},
        {"revision 0", "revisions count from 1", "malformed", {{1, SK_SET, 28, "00000000"}}},
        {"revision 0 with one before",
         "revisions count from 1",
         "malformed",
         {{1, SK_SET, 28, "00000000"}, {1, SK_SET, 64, ONE32}}},
        {"first revision with one before",
         "a first revision has none before it",
         "malformed",
         {{1, SK_SET, 95, "01"}}},
        {"second revision with none before",
         "a later revision names the one before",
         "malformed",
         {{1, SK_SET, 28, "02"}}},
    };
    static const struct sk_edit_case erasure[] = {
        {"erasure", "of a case", "ok", {{0}}},
        {"erasure of a person", "the first type", "ok", {{1, SK_SET, 4, "01"}}},
        {"erasure of an attachment",
         "the last type that can be erased",
         "ok",
         {{1, SK_SET, 4, "08"}}},
        {"erasure of nothing", "it says which type it erases", "malformed", {{1, SK_SET, 4, "00"}}},
        {"erasure of an erasure", "which cannot be erased", "malformed", {{1, SK_SET, 4, "09"}}},
        {"erasure with a commitment",
         "it commits to nothing",
         "malformed",
         {{1, SK_SET, 32, ONE32}}},
        {"erasure as first revision",
         "nothing is there to erase",
         "malformed",
         {{1, SK_SET, 28, "01"}, {1, SK_SET, 64, NO32}}},
    };
    sk_auto_buf honest = SK_BUF_INIT;
    honest_entry(&honest, SK_TYPE_PERSON, 1);
    for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++)
        sk_vector_edited(&first[i], &honest, NULL);
    honest_entry(&honest, SK_TYPE_PERSON, 2);
    const struct sk_edit_case second = {"second revision", "it names the one before", "ok", {{0}}};
    sk_vector_edited(&second, &honest, NULL);
    honest_entry(&honest, SK_TYPE_ERASURE, 2);
    for (size_t i = 0; i < sizeof(erasure) / sizeof(erasure[0]); i++)
        sk_vector_edited(&erasure[i], &honest, NULL);
}

/* ---- manifests ---- */

#define THREES "6363636363636363636363636363636363636363636363636363636363636363"

/* Of a bundle of the entries 3 and 4: two peaks; two archives. */
static struct sk_manifest plain_manifest(void)
{
    struct sk_manifest m = {.number = 7,
                            .k = 1,
                            .n = 1,
                            .recipient_count = 2,
                            .n0 = 3,
                            .n1 = 5,
                            .payload_count = 1,
                            .plain_bytes = 10,
                            .day = 20001};
    memcpy(m.sign_public, sk_device.sign_public, 32);
    memcpy(m.dh_public, sk_device.dh_public, 32);
    memset(m.set_id, 0x61, sizeof(m.set_id));
    memset(m.header_hashes[0], 0x62, 32);
    memset(m.recipients[0], 0x63, 32);
    memset(m.recipients[1], 0x64, 32);
    memset(m.root, 0x65, 32);
    memset(m.peaks[0], 0x66, 32);
    memset(m.peaks[1], 0x67, 32);
    memset(m.indices_hash, 0x68, 32);
    (void)snprintf(m.note, sizeof(m.note), "a note\n");
    return m;
}

static void honest_manifest(struct sk_buf *out)
{
    const struct sk_manifest m = plain_manifest();
    MUST(sk_manifest_encode(out, &m, NULL) == SK_OK);
}

static void add_manifest(const char *name, const char *shows, const struct sk_manifest *m)
{
    sk_auto_buf out = SK_BUF_INIT;
    MUST(sk_manifest_encode(&out, m, NULL) == SK_OK);
    sk_vector_bytes(name, shows, "ok", out.bytes, out.len, NULL);
}

/* As many as there can be, of each. */
static void make_greatest(void)
{
    struct sk_manifest m = plain_manifest();
    m.n = 16;
    for (unsigned i = 0; i < m.n; i++)
        memset(m.header_hashes[i], 0x80 + (int)i, 32);
    add_manifest("n is 16", "as many volumes as there can be", &m);
    m = plain_manifest();
    m.recipient_count = 8;
    for (unsigned i = 0; i < m.recipient_count; i++)
        memset(m.recipients[i], 0x80 + (int)i, 32);
    add_manifest("m is 8", "as many archives as there can be", &m);
    m = plain_manifest();
    memset(m.note, 'a', 1023);
    m.note[1023] = '\0';
    add_manifest("checkpoint of 1023 bytes", "the longest", &m);
    m = plain_manifest();
    m.n1 = m.n0 + (1u << 20);
    add_manifest("2^20 entries", "as many as a bundle carries", &m);
    m = plain_manifest();
    m.n1 = (1ull << 40) - 1;
    m.n0 = m.n1 - 2;
    for (unsigned i = 0; i < sk_merkle_peak_count(m.n0); i++)
        memset(m.peaks[i], 0x80 + (int)i, 32);
    add_manifest("n1 is 2^40 - 1", "as many entries as a log has", &m);
    m = plain_manifest();
    memset(m.dh_public, 0, sizeof(m.dh_public));
    add_manifest("an X25519 key of zeros", "it may be any bytes", &m);
}

void sk_make_manifests(void)
{
    static const struct sk_edit_case rows[] = {
        {"honest", "two archives, two peaks", "ok", {{0}}},
        {"greatest number", "2^63 - 1", "ok", {{1, SK_SET, 88, "ffffffffffffff7f"}}},
        {"greatest day", "a day is any number", "ok", {{1, SK_SET, 192, "ffffffff"}}},
        {"most plain bytes", "2^36", "ok", {{1, SK_SET, 152, "0000000010000000"}}},
        {"as many payloads as entries", "two of two", "ok", {{1, SK_SET, 144, "02"}}},
        {"k and n of 2 and 3",
         "a set of volumes is decoded",
         "ok",
         {{1, SK_SET, 4, "0203"}, {1, SK_INSERT, 232, ONE32 NO32}}},
        {"version 0", "there is no such version", "damaged", {{1, SK_SET, 0, "00"}}},
        {"version 2", "a newer version", "config", {{1, SK_SET, 0, "02"}}},
        {"version 2^24 + 1", "the version has four bytes", "config", {{1, SK_SET, 3, "01"}}},
        {"a newer version, cut short",
         "the version is looked at before the length",
         "config",
         {{1, SK_SET, 0, "02"}, {1, SK_CUT, 4, NULL}}},
        {"three bytes", "no version", "damaged", {{1, SK_CUT, 3, NULL}}},
        {"199 bytes", "shorter than the fixed part", "damaged", {{1, SK_CUT, 199, NULL}}},
        {"the fixed part alone", "the lists are missing", "damaged", {{1, SK_CUT, 200, NULL}}},
        {"byte 7 is 1", "a byte that is zero", "damaged", {{1, SK_SET, 7, "01"}}},
        {"n is 17", "more volumes than there can be", "limit", {{1, SK_SET, 5, "11"}}},
        {"m is 9", "more archives than there can be", "limit", {{1, SK_SET, 6, "09"}}},
        {"checkpoint of 1024 bytes",
         "longer than there can be",
         "limit",
         {{1, SK_SET, 196, "0004"}}},
        {"checkpoint of 2^32 - 1 bytes",
         "as long as can be said",
         "limit",
         {{1, SK_SET, 196, "ffffffff"}}},
        {"number 2^63", "no number of a bundle", "limit", {{1, SK_SET, 88, "0000000000000080"}}},
        {"n1 is 2^40",
         "more entries than a log has",
         "limit",
         {{1, SK_SET, 104, "0000000000010000"}}},
        {"n1 above 2^40",
         "more entries than a log has",
         "limit",
         {{1, SK_SET, 104, "0100000000010000"}}},
        {"plain bytes above 2^36",
         "more than a bundle carries",
         "limit",
         {{1, SK_SET, 152, "0100000010000000"}}},
        {"number 0", "bundles count from 1", "damaged", {{1, SK_SET, 88, "00"}}},
        {"n0 is n1", "no entries", "damaged", {{1, SK_SET, 96, "05"}}},
        {"n0 above n1", "fewer than no entries", "damaged", {{1, SK_SET, 96, "06"}}},
        {"2^20 + 1 entries",
         "more than a bundle carries",
         "limit",
         {{1, SK_SET, 104, "0400100000000000"}}},
        {"more payloads than entries", "three of two", "damaged", {{1, SK_SET, 144, "03"}}},
        {"bytes without payloads", "ten of none", "damaged", {{1, SK_SET, 144, "00"}}},
        {"one byte more",
         "another length than the parts give",
         "damaged",
         {{1, SK_INSERT, -1, "61"}}},
        {"one byte less", "another length than the parts give", "damaged", {{1, SK_CUT, -1, NULL}}},
        {"a peak too many",
         "three peaks of a log of three",
         "damaged",
         {{1, SK_INSERT, 296, ONE32}}},
        {"a checkpoint that says one byte more",
         "another length than the parts give",
         "damaged",
         {{1, SK_SET, 196, "08"}}},
        {"NUL in the checkpoint", "a text has none", "damaged", {{1, SK_SET, -3, "00"}}},
        {"no checkpoint",
         "an empty one",
         "damaged",
         {{1, SK_SET, 196, "00"}, {1, SK_CUT, -7, NULL}}},
        {"k is 0", "no volume is enough", "damaged", {{1, SK_SET, 4, "00"}}},
        {"k above n", "more volumes than there are", "damaged", {{1, SK_SET, 4, "02"}}},
        {"n is 0", "no volumes", "damaged", {{1, SK_SET, 5, "00"}, {1, SK_CUT, 335, NULL}}},
        {"the same archive twice", "strictly ascending", "damaged", {{1, SK_SET, 264, THREES}}},
        {"archives in another order", "strictly ascending", "damaged", {{1, SK_SET, 264, "01"}}},
        {"m is 0", "no archives", "damaged", {{1, SK_SET, 6, "00"}, {1, SK_CUT, 335 - 32, NULL}}},
        {"number 0 and n1 above 2^40",
         "limits of numbers come first",
         "limit",
         {{1, SK_SET, 88, "00"}, {1, SK_SET, 104, "0100000000010000"}}},
        {"number 0 and 2^20 + 1 entries",
         "the limit of entries comes behind",
         "damaged",
         {{1, SK_SET, 88, "00"}, {1, SK_SET, 104, "0400100000000000"}}},
        {"2^20 + 1 entries and more payloads",
         "the limit of entries comes before",
         "limit",
         {{1, SK_SET, 104, "0400100000000000"}, {1, SK_SET, 144, "ffffffffffffffff"}}},
        {"byte 7 is 1 and n is 17",
         "byte 7 comes before the limits",
         "damaged",
         {{1, SK_SET, 7, "01"}, {1, SK_SET, 5, "11"}}},
        {"number 2^63 and one byte more",
         "the limits come before the length",
         "limit",
         {{1, SK_SET, 88, "0000000000000080"}, {1, SK_INSERT, -1, "61"}}},
        {"k is 0 and n is 17", "the limits come before k", "limit", {{1, SK_SET, 4, "0011"}}},
    };
    sk_auto_buf honest = SK_BUF_INIT;
    make_greatest();
    honest_manifest(&honest);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        sk_vector_edited(&rows[i], &honest, NULL);
}

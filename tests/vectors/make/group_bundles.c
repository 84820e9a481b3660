/*
 * Bundles whose content lies: each was sealed, and signed by its device, after it was altered.
 */
#include "tests/vectors/make/group.h"
#include "tests/vectors/make/squeeze.h"

#include <string.h>

/* ---- other content ---- */

static void no_payloads(struct sk_draft *draft)
{
    sk_draft_entry(draft, SK_TYPE_EVENT, 2, 1);
    sk_draft_entry(draft, SK_TYPE_ERASURE, 2, 2);
}

static void long_text(struct sk_draft *draft)
{
    static char text[3000] = "{\"form\":\"source\",\"version\":1,\"recorded\":"
                             "\"2026-01-02T03:04:05+00:00\",\"fields\":{\"title\":\"S";
    const char *end = "\"}}";
    size_t head = strlen(text);
    size_t run = 2000;
    sk_auto_buf data = SK_BUF_INIT;
    memset(text + head, 'a', run);
    memcpy(text + head + run, end, strlen(end));
    sk_draft_entry(draft, SK_TYPE_SOURCE, 1, 1);
    sk_draft_payload(draft, 0, text, head + run + strlen(end), NULL);
    size_t plain = draft->payloads.len - strlen(end);
    sk_squeeze(&data, draft->payloads.bytes, plain - run, run);
    sk_frame_add(&draft->frames, 1, (uint32_t)data.len, (uint32_t)plain, data.bytes);
    sk_frame_add(&draft->frames, 0, 3, 3, end);
    sk_frame_add(&draft->frames, 2, 0, 0, NULL);
    text[head] = '\0';
}

static void malformed_entry(struct sk_draft *draft)
{
    sk_draft_base(draft);
    draft->entries[1][2] = 12; /* an unknown type; its erasure no longer names it */
}

static void malformed_with_payload(struct sk_draft *draft)
{
    sk_draft_entry(draft, SK_TYPE_SOURCE, 1, 1);
    sk_draft_payload(draft, 0, "anything", 8, NULL);
    draft->entries[0][2] = 12;
}

static void text_malformed(struct sk_draft *draft)
{
    sk_draft_entry(draft, SK_TYPE_SOURCE, 1, 1);
    sk_draft_payload(draft, 0, "{\"a\":1,\"a\":2}", 13, NULL);
}

static void wrong_previous(struct sk_draft *draft)
{
    sk_draft_base(draft);
    draft->entries[3][70] ^= 1;
}

/* The text of an attachment that says four bytes, with a body of five. */
static void wrong_size(struct sk_draft *draft)
{
    static const char text[] =
        "{\"recorded\":\"2026-01-02T03:04:05+00:00\",\"record\":"
        "\"01010101010101010101010101010101\",\"name\":\"a\",\"type\":\"text/plain\",\"size\":4,"
        "\"sha256\":\"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\"}";
    sk_draft_entry(draft, SK_TYPE_ATTACHMENT, 3, 1);
    sk_draft_payload(draft, 0, text, sizeof(text) - 1, "hello");
}

/* The text of an attachment that gives another hash than that of its body. */
static void other_body(struct sk_draft *draft, const char *body, const char *size)
{
    static char text[400];
    (void)snprintf(text, sizeof(text),
                   "{\"recorded\":\"2026-01-02T03:04:05+00:00\",\"record\":"
                   "\"01010101010101010101010101010101\",\"name\":\"a\",\"type\":\"text/plain\","
                   "\"size\":%s,\"sha256\":"
                   "\"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\"}",
                   size);
    sk_draft_entry(draft, SK_TYPE_ATTACHMENT, 3, 1);
    sk_draft_payload(draft, 0, text, strlen(text), body);
}

static void wrong_sha256(struct sk_draft *draft)
{
    other_body(draft, "hallo", "5");
}

static void wrong_sha256_of_nothing(struct sk_draft *draft)
{
    other_body(draft, NULL, "0");
}

static void payload_of_erasure(struct sk_draft *draft)
{
    sk_draft_entry(draft, SK_TYPE_EVENT, 2, 1);
    sk_draft_entry(draft, SK_TYPE_ERASURE, 2, 2);
    sk_draft_payload(draft, 1, "x", 1, NULL);
    memset(draft->entries[1] + 32, 0, 32);
}

static void payload_of_none(struct sk_draft *draft)
{
    sk_draft_base(draft);
    sk_draft_payload(draft, 4, "x", 1, NULL);
}

static void payload_of_another(struct sk_draft *draft)
{
    sk_draft_entry(draft, SK_TYPE_SOURCE, 1, 1);
    sk_draft_entry(draft, SK_TYPE_SOURCE, 2, 1);
    sk_draft_payload(draft, 0, "x", 1, NULL);
    memcpy(draft->entries[1] + 32, draft->entries[0] + 32, 32);
    draft->payloads.bytes[0] = 1; /* the id is part of the commitment */
}

/* A payload that is, byte for byte, a manifest's context and a receipt's first line. */
static void payload_like_others(struct sk_draft *draft)
{
    static const char text[] = "skrynia bundle 1\0skrynia receipt 1\n";
    sk_draft_entry(draft, SK_TYPE_SOURCE, 1, 1);
    sk_draft_payload(draft, 0, text, sizeof(text) - 1, NULL);
}

static void from_position_5(struct sk_draft *draft)
{
    for (uint8_t i = 0; i < 5; i++) {
        uint8_t leaf[32];
        memset(leaf, i, sizeof(leaf));
        sk_merkle_append(&draft->before, leaf);
    }
    sk_draft_base(draft);
}

/* ---- other manifests ---- */

static void signer_stranger(struct sk_draft *draft)
{
    draft->signer = &sk_stranger;
}

static void note_by_stranger(struct sk_draft *draft)
{
    draft->signer = &sk_stranger;
    sk_draft_sign_note(draft);
    draft->signer = &sk_device;
}

static void note_of_stranger(struct sk_draft *draft)
{
    draft->log = &sk_stranger;
    sk_draft_sign_note(draft);
}

static void note_of_other_size(struct sk_draft *draft)
{
    draft->manifest.n1++;
    sk_draft_sign_note(draft);
    draft->manifest.n1--;
}

static void root_of_others(struct sk_draft *draft)
{
    draft->manifest.root[5] ^= 1;
    sk_draft_sign_note(draft);
}

static void root_without_note(struct sk_draft *draft)
{
    draft->manifest.root[5] ^= 1;
}

static void other_peak(struct sk_draft *draft)
{
    draft->manifest.peaks[1][0] ^= 1;
}

static void peaks_swapped(struct sk_draft *draft)
{
    uint8_t first[32];
    memcpy(first, draft->manifest.peaks[0], 32);
    memcpy(draft->manifest.peaks[0], draft->manifest.peaks[1], 32);
    memcpy(draft->manifest.peaks[1], first, 32);
}

static void one_entry_less(struct sk_draft *draft)
{
    draft->manifest.n1--;
    sk_draft_sign_note(draft);
}

static void one_entry_more(struct sk_draft *draft)
{
    draft->manifest.n1++;
    sk_draft_sign_note(draft);
}

static void two_archives(struct sk_draft *draft)
{
    struct sk_manifest *m = &draft->manifest;
    int first = memcmp(sk_archive.id, sk_rival.id, 32) < 0;
    m->recipient_count = 2;
    memcpy(m->recipients[0], first ? sk_archive.id : sk_rival.id, 32);
    memcpy(m->recipients[1], first ? sk_rival.id : sk_archive.id, 32);
}

static void for_another(struct sk_draft *draft)
{
    memcpy(draft->manifest.recipients[0], sk_rival.id, 32);
}

static void other_header(struct sk_draft *draft)
{
    draft->manifest.header_hashes[0][31] ^= 1;
}

static void other_set(struct sk_draft *draft)
{
    draft->manifest.set_id[15] ^= 1;
}

static void of_a_set(struct sk_draft *draft)
{
    draft->manifest.n = 2;
}

static void set_for_another_file(struct sk_draft *draft)
{
    of_a_set(draft);
    other_header(draft);
}

static void other_header_for_another(struct sk_draft *draft)
{
    other_header(draft);
    for_another(draft);
}

static void for_another_by_stranger(struct sk_draft *draft)
{
    for_another(draft);
    note_by_stranger(draft);
}

static void more_payloads(struct sk_draft *draft)
{
    draft->manifest.payload_count++;
}

static void fewer_payloads(struct sk_draft *draft)
{
    draft->manifest.payload_count--;
}

static void more_bytes(struct sk_draft *draft)
{
    draft->manifest.plain_bytes++;
}

static void fewer_bytes(struct sk_draft *draft)
{
    draft->manifest.plain_bytes--;
}

static void other_indices(struct sk_draft *draft)
{
    draft->manifest.indices_hash[0] ^= 1;
}

static const struct sk_bundle_case cases[] = {
    {"honest", "a source, an attachment, and an event that was withdrawn", SK_OK, .edits = {{0}}},
    {"without payloads", "only an event that was withdrawn", SK_OK, .start = no_payloads},
    {"deflated", "a text of 2,000 letters in two frames", SK_OK, .start = long_text},
    {"for two archives", "both are named", SK_OK, .manifest = two_archives},
    {"behind a gap", "entries 5 to 9 of a log; the first five are missing", SK_OK,
     .start = from_position_5},
    {"a malformed entry", "an unknown type: kept and marked", SK_OK, .start = malformed_entry},
    {"a malformed entry with a payload", "which is read over", SK_OK,
     .start = malformed_with_payload},
    {"a malformed text", "a member twice: kept and marked", SK_OK, .start = text_malformed},
    {"a wrong hash of the revision before", "kept and marked", SK_OK, .start = wrong_previous},
    {"an attachment of another size", "than it says: kept and marked", SK_OK, .start = wrong_size},
    {"an attachment of another hash", "than it says: kept and marked", SK_OK,
     .start = wrong_sha256},
    {"an empty attachment of another hash", "than it says: kept and marked", SK_OK,
     .start = wrong_sha256_of_nothing},
    {"a payload like other signed things", "kept and marked", SK_OK, .start = payload_like_others},
    {"a payload of an erasure", "which has none: it is read over", SK_OK,
     .start = payload_of_erasure},

    {"manifest length 0", "no manifest", SK_LIMIT,
     .edits = {{SK_STAGE_INNER, SK_SET, 0, "00000000"}}},
    {"manifest length 65,537", "longer than there can be", SK_LIMIT,
     .edits = {{SK_STAGE_INNER, SK_SET, 0, "01000100"}}},
    {"manifest length 2^32 - 1", "as long as can be said", SK_LIMIT,
     .edits = {{SK_STAGE_INNER, SK_SET, 0, "ffffffff"}}},
    {"manifest length 65,536", "zeros are no part of it", SK_DAMAGED,
     .edits = {{SK_STAGE_INNER, SK_SET, 0, "00000100"}}},
    {"a receipt's first line", "its letters are no version", SK_CONFIG,
     .edits = {{SK_STAGE_INNER, SK_SET, 0, "12000000736b72796e6961207265636569707420310a"}}},
    {"manifest version 2", "a newer one, well signed", SK_CONFIG,
     .edits = {{SK_STAGE_MANIFEST, SK_SET, 0, "02"}}},
    {"manifest version 0", "well signed", SK_DAMAGED,
     .edits = {{SK_STAGE_MANIFEST, SK_SET, 0, "00"}}},
    {"17 volumes", "well signed", SK_LIMIT, .edits = {{SK_STAGE_MANIFEST, SK_SET, 5, "11"}}},
    {"a byte behind the checkpoint", "well signed", SK_DAMAGED,
     .edits = {{SK_STAGE_MANIFEST, SK_INSERT, -1, "0a"}}},

    {"a bit of the signature", "of its first half", SK_DAMAGED,
     .edits = {{SK_STAGE_SIGNATURE, SK_XOR, 0, "01"}}},
    {"another bit of the signature", "of its second half", SK_DAMAGED,
     .edits = {{SK_STAGE_SIGNATURE, SK_XOR, 40, "01"}}},
    {"a signature of zeros", "by nobody", SK_DAMAGED,
     .edits = {{SK_STAGE_SIGNATURE, SK_SET, 0,
                "00000000000000000000000000000000000000000000000000000000000000000000000000000000"
                "000000000000000000000000000000000000000000000000"}}},
    {"signed by a stranger", "with the device's keys in the manifest", SK_DAMAGED,
     .manifest = signer_stranger},
    {"another Ed25519 key", "than the one that signed", SK_DAMAGED,
     .edits = {{SK_STAGE_MANIFEST, SK_XOR, 8, "01"}}},
    {"another X25519 key", "the checkpoint names another log", SK_DAMAGED,
     .edits = {{SK_STAGE_MANIFEST, SK_XOR, 40, "01"}}},
    {"of a set of two", "a part of a bundle in several files", SK_CONFIG, .manifest = of_a_set},
    {"another header", "the manifest was signed for another file", SK_DAMAGED,
     .manifest = other_header},
    {"another set id", "the manifest was signed for another file", SK_DAMAGED,
     .manifest = other_set},
    {"for another archive", "wrapped anew for this one", SK_REFUSED, .manifest = for_another},
    {"a checkpoint by a stranger", "under the log's name", SK_DAMAGED,
     .manifest = note_by_stranger},
    {"a checkpoint of another log", "by the same key", SK_DAMAGED, .manifest = note_of_stranger},
    {"a checkpoint of another size", "well signed", SK_DAMAGED, .manifest = note_of_other_size},
    {"another root than the checkpoint's", "well signed", SK_DAMAGED,
     .manifest = root_without_note},
    {"another root", "in the checkpoint too: not that of the entries", SK_DAMAGED,
     .manifest = root_of_others},
    {"another peak", "the root is not that of peaks and entries", SK_DAMAGED,
     .start = from_position_5, .manifest = other_peak},
    {"peaks in another order", "largest first", SK_DAMAGED, .start = from_position_5,
     .manifest = peaks_swapped},
    {"one entry fewer", "than are there", SK_DAMAGED, .manifest = one_entry_less},
    {"one entry more", "than are there", SK_DAMAGED, .manifest = one_entry_more},
    {"a bit of an entry", "after the manifest was signed", SK_DAMAGED,
     .edits = {{SK_STAGE_INNER, SK_XOR, -900, "01"}}},

    {"of a set, with a wrong signature", "the signature comes first", SK_DAMAGED,
     .manifest = of_a_set, .edits = {{SK_STAGE_SIGNATURE, SK_XOR, 0, "01"}}},
    {"of a set, for another file", "k and n come before header hash and set id", SK_CONFIG,
     .manifest = set_for_another_file},
    {"for another file and another archive", "header hash and set id come before the archives",
     SK_DAMAGED, .manifest = other_header_for_another},
    {"for another archive, with a wrong checkpoint", "the archives come before the checkpoint",
     SK_REFUSED, .manifest = for_another_by_stranger},
    {"what begins like a receipt", "its first letters are a version", SK_CONFIG,
     .edits = {{SK_STAGE_MANIFEST, SK_SET, 0, "736b72796e69612072656365697074"}}},

    {"more payloads", "in the manifest than in the frames", SK_DAMAGED, .manifest = more_payloads},
    {"fewer payloads", "in the manifest than in the frames", SK_DAMAGED,
     .manifest = fewer_payloads},
    {"more bytes", "in the manifest than in the frames", SK_DAMAGED, .manifest = more_bytes},
    {"fewer bytes", "in the manifest than in the frames", SK_DAMAGED, .manifest = fewer_bytes},
    {"another hash of the indices", "payloads of other entries were promised", SK_DAMAGED,
     .manifest = other_indices},
    {"a payload of no entry", "its index is the number of entries", SK_DAMAGED,
     .start = payload_of_none},
    {"a payload of another entry", "with the same commitment: the id is part of it", SK_DAMAGED,
     .start = payload_of_another},
    {"another salt", "the commitment is under it", SK_DAMAGED,
     .edits = {{SK_STAGE_PAYLOADS, SK_XOR, 4, "01"}}},
    {"another hash of a block", "the commitment is over it", SK_DAMAGED,
     .edits = {{SK_STAGE_PAYLOADS, SK_XOR, 48, "01"}}},
    {"a letter of a text", "its block has another hash", SK_DAMAGED,
     .edits = {{SK_STAGE_PAYLOADS, SK_XOR, 90, "01"}}},
    {"a byte of a body", "its block has another hash", SK_DAMAGED,
     .edits = {{SK_STAGE_PAYLOADS, SK_XOR, -1, "01"}}},
    {"a checkpoint that is not UTF-8, for another archive", "the archives come before it",
     SK_REFUSED, .manifest = for_another, .edits = {{SK_STAGE_MANIFEST, SK_SET, -3, "ff"}}},
    {"a payload too many, and then a frame above 1 MiB", "it is counted when it comes", SK_DAMAGED,
     .manifest = fewer_payloads,
     .edits = {{SK_STAGE_FRAMES, SK_INSERT, -10, "000100100001001000"}}},
    {"a payload of an erasure with a wrong letter", "it is checked, though it is dropped",
     SK_DAMAGED, .start = payload_of_erasure, .edits = {{SK_STAGE_PAYLOADS, SK_XOR, -1, "01"}}},
    {"a frame of an unknown codec", "codec 7", SK_DAMAGED,
     .edits = {{SK_STAGE_FRAMES, SK_SET, 0, "07"}}},
    {"a frame above 1 MiB", "before it is read", SK_LIMIT,
     .edits = {{SK_STAGE_FRAMES, SK_SET, 0, "000100100001001000"}}},
    {"no END", "zeros are a frame without data", SK_DAMAGED,
     .edits = {{SK_STAGE_FRAMES, SK_CUT, -9, NULL}}},
    {"something behind END", "END is the last", SK_DAMAGED,
     .edits = {{SK_STAGE_FRAMES, SK_INSERT, -1, "00000000000000000001"}}},
    {"a second END", "END is the last", SK_DAMAGED,
     .edits = {{SK_STAGE_FRAMES, SK_INSERT, -1, "020000000000000000"}}},
};

void sk_make_bundles(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        sk_vector_bundle(&cases[i]);
    sk_make_lies();
    sk_make_next_bundles();
}

/*
 * The content of a bundle before anything of it is sealed or signed: the input of the target
 * `bundle`. As bytes, of which any are a sketch (what is not there is zeros):
 *
 *     u8 what is not made right (SK_SKETCH_ bits) | u8 framing | u8 n0 | u8 number of entries
 *     entries: u8 type | u8 flags | u8 id | u8 revision | u8 day | u8 mark
 *     u8 number of payloads, each: u8 index | u16 length | text | u8 length | body
 *     edits up to the end: u8 stage | u8 what | u16 place | u8 length | bytes
 */
#ifndef SK_TESTS_FUZZ_SKETCH_H
#define SK_TESTS_FUZZ_SKETCH_H

#include <stddef.h>
#include <stdint.h>

#define SK_SKETCH_ENTRIES  16
#define SK_SKETCH_PAYLOADS 16
#define SK_SKETCH_EDITS    16
#define SK_SKETCH_TEXT_MAX 1500
#define SK_SKETCH_BODY_MAX 255

/* What is left as it is. */
enum {
    SK_SKETCH_COMMITMENTS = 1,  /* commitments of the entries and hashes of the blocks */
    SK_SKETCH_PREVIOUS = 2,     /* the hash of the revision before */
    SK_SKETCH_ROOT = 4,         /* the root that the manifest says */
    SK_SKETCH_COUNTS = 8,       /* number and bytes of payloads, hash over their indices */
    SK_SKETCH_CHECKPOINT = 16,  /* the checkpoint: that of the log's beginning */
    SK_SKETCH_ENVELOPE = 32,    /* header hash, set id, recipient: zeros */
    SK_SKETCH_STRANGER = 64,    /* another device signs it */
    SK_SKETCH_HEAD_OF_LOG = 128 /* the log before n0 is another one: other peaks */
};

enum sk_sketch_stage {
    SK_SKETCH_AT_PAYLOADS, /* the stream of payloads, before it is cut into frames */
    SK_SKETCH_AT_FRAMES,
    SK_SKETCH_AT_ENTRIES,  /* before the tree is made of them */
    SK_SKETCH_AT_MANIFEST, /* before it is signed */
    SK_SKETCH_AT_SIGNATURE,
    SK_SKETCH_AT_INNER, /* before it is sealed */
    SK_SKETCH_STAGES,
};

enum sk_sketch_edit_kind {
    SK_SKETCH_SET,
    SK_SKETCH_XOR,
    SK_SKETCH_INSERT,
    SK_SKETCH_CUT,
    SK_SKETCH_EDIT_KINDS
};

struct sk_sketch_entry {
    uint8_t type; /* 0: the one that stands there in the log already, if any does */
    uint8_t flags, id, revision, day, mark;
};

struct sk_sketch_payload {
    uint8_t index;
    size_t text_len, body_len;
    uint8_t text[SK_SKETCH_TEXT_MAX];
    uint8_t body[SK_SKETCH_BODY_MAX];
};

struct sk_sketch_edit {
    uint8_t stage, kind;
    uint16_t at;
    uint8_t len;
    uint8_t bytes[255];
};

struct sk_sketch {
    uint8_t wrong;
    uint8_t framing;
    uint8_t n0;
    size_t entry_count, payload_count, edit_count;
    struct sk_sketch_entry entries[SK_SKETCH_ENTRIES];
    struct sk_sketch_payload payloads[SK_SKETCH_PAYLOADS];
    struct sk_sketch_edit edits[SK_SKETCH_EDITS];
};

void sk_sketch_read(struct sk_sketch *out, const uint8_t *bytes, size_t len);
/* Returns the length; what does not fit `room` is left out from the end. */
size_t sk_sketch_write(const struct sk_sketch *sketch, uint8_t *bytes, size_t room);

/* Changes one thing in it, by a seed. */
void sk_sketch_mutate(struct sk_sketch *sketch, unsigned seed);

#endif

/*
 * A file on its way to an archive or a device, made step by step as the programs make it, and
 * altered between two steps: what was altered is sealed and signed again by the steps after it, so
 * that no MAC hides a fault of the parser behind it.
 */
#ifndef SK_TESTS_VECTORS_DRAFT_H
#define SK_TESTS_VECTORS_DRAFT_H

#include "core/entry.h"
#include "sync/manifest.h"
#include "sync/volume.h"
#include "tests/vectors/make/fixed.h"

/* What is made, in this order; an edit of a stage alters its bytes before the next is made. */
enum sk_stage {
    SK_STAGE_SLOT = 1,  /* the 64 bytes of the archive's slot, before they are sealed */
    SK_STAGE_HEADER,    /* before its MAC */
    SK_STAGE_MAC,       /* the whole header, before its hash is taken */
    SK_STAGE_PAYLOADS,  /* the stream of payloads */
    SK_STAGE_FRAMES,    /* the same as frames, with END */
    SK_STAGE_ENTRIES,   /* before the tree is made of them */
    SK_STAGE_MANIFEST,  /* before it is signed */
    SK_STAGE_SIGNATURE, /* 64 bytes */
    SK_STAGE_INNER,     /* the whole inner stream */
    SK_STAGE_FILE,      /* the file */
};

enum sk_edit_kind { SK_SET, SK_XOR, SK_CUT, SK_INSERT };

/* Bytes over those at an offset (or mixed into them, or put before them), or a cut there. A
 * negative offset counts from the end; of SK_INSERT -1 is the end itself. */
struct sk_edit {
    enum sk_stage stage;
    enum sk_edit_kind kind;
    long at;
    const char *hex;
};
void sk_edit_apply(struct sk_buf *bytes, const struct sk_edit *edit);

#define SK_EDITS_MAX 4
#define SK_DRAFT_MAX 72 /* entries */

struct sk_draft {
    const char *name;
    uint8_t chain_key[32];                 /* of index 0 */
    uint32_t chain_index;                  /* of the keys that are used */
    const struct sk_fixed_party *signer;   /* of the manifest and the checkpoint */
    const struct sk_fixed_party *log;      /* whose keys the manifest names */
    const struct sk_fixed_party *receiver; /* whose X25519 key and id the file is for */
    struct sk_merkle before;               /* the log up to n0 */
    uint8_t salt;                          /* salts of payloads: this and the index */
    uint64_t number;
    uint8_t entries[SK_DRAFT_MAX][SK_ENTRY_LEN];
    size_t entry_count;

    uint8_t header[SK_VOLUME_HEADER_LEN];
    uint8_t random_seed[32]; /* of the header's random bytes */
    uint8_t file_key[32];
    uint8_t set_id[SK_SET_ID_LEN];
    uint8_t header_hash[32];
    uint8_t volume_key[32];
    struct sk_manifest manifest;
    struct sk_buf payloads, frames, encoded, signature, inner;
    uint64_t payload_count, plain_bytes;
    struct sk_hash indices;
};

/* How a vector's file differs from an honest one. */
struct sk_bundle_case {
    const char *name, *shows;
    enum sk_status status; /* expected */
    struct sk_edit edits[SK_EDITS_MAX];
    void (*start)(struct sk_draft *draft);    /* entries, payloads, parties */
    void (*manifest)(struct sk_draft *draft); /* before it is encoded */
    void (*header)(struct sk_draft *draft);   /* before the slot is sealed */
    void (*sealed)(struct sk_draft *draft);   /* behind that, before the header's MAC */
    json_t *(*file)(struct sk_draft *draft);  /* the chunks */
};

/* Four entries and two payloads, in an empty draft. */
void sk_draft_base(struct sk_draft *draft);
void sk_draft_entry(struct sk_draft *draft, unsigned type, uint8_t id, uint32_t revision);
/* Appends a payload for entry `index` and puts its commitment there. */
void sk_draft_payload(struct sk_draft *draft, uint32_t index, const char *text, size_t text_len,
                      const char *body);

/* The root over the draft's entries; a new checkpoint for the manifest as it stands. */
void sk_draft_sign_note(struct sk_draft *draft);
/* Appends a frame; the data may be NULL. */
void sk_frame_add(struct sk_buf *out, uint8_t codec, uint32_t data_len, uint32_t plain_len,
                  const void *data);

/* The file as the vectors have it (README.md there); the draft is cleared. */
json_t *sk_bundle_file(const struct sk_bundle_case *c);

/* A new draft of a bundle by the device for the archive. */
void sk_draft_init(struct sk_draft *draft, const char *name);

/* For `header`: the slot's content, another E in it (masked), where the slot stands. The slot is
 * sealed afterwards. */
void sk_draft_slot_plain(const struct sk_draft *draft, uint8_t out[static 64]);
void sk_draft_seal_slot(struct sk_draft *draft, const uint8_t plain[static 64]);
void sk_draft_point(struct sk_draft *draft, const uint8_t point[static 32]);
size_t sk_draft_slot_at(const struct sk_draft *draft);

/* Only the header, and the file of a given inner stream. */
void sk_draft_header(struct sk_draft *draft, const struct sk_bundle_case *c);
json_t *sk_draft_file(struct sk_draft *draft, const struct sk_bundle_case *c);
void sk_draft_clear(struct sk_draft *draft);
void sk_draft_recipient(struct sk_recipient *out, const struct sk_draft *draft);
/* The chunks of the inner stream as an honest writer makes them, for `file`. */
json_t *sk_draft_chunks(const struct sk_draft *draft);

/* The bytes of a file out of a vector. */
void sk_file_bytes(struct sk_buf *out, const json_t *file);

#endif

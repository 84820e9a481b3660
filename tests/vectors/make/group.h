/*
 * The groups of vectors, a file each. A group says what it holds and makes its vectors; each is run
 * through the programs' own code when it is made, and has to give the class that the group expects.
 */
#ifndef SK_TESTS_VECTORS_GROUP_H
#define SK_TESTS_VECTORS_GROUP_H

#include "core/continuation.h"
#include "tests/vectors/make/draft.h"
#include "tests/vectors/make/run.h"

struct sk_group {
    const char *name;  /* of the file, without ".json" */
    const char *about; /* one sentence */
    sk_vector_run_fn *run;
    json_t *(*keys)(void); /* of the whole group; NULL: none */
    void (*make)(void);
};

extern const struct sk_group sk_groups[];
extern const size_t sk_group_count;

/* Adds a vector to the group that is being made. input and keys (or NULL) are taken over; `class`
 * is what the specification says. */
void sk_vector(const char *name, const char *shows, const char *class, json_t *input, json_t *keys);

/* For several files: the classes of the steps are words with a blank between two. */
void sk_vector_steps(const char *name, const char *shows, const char *classes, json_t *files,
                     json_t *keys);

/* For an input of bytes. */
void sk_vector_bytes(const char *name, const char *shows, const char *class, const void *bytes,
                     size_t len, json_t *keys);

/* A row of a table: the bytes of an honest input, altered. */
struct sk_edit_case {
    const char *name, *shows, *class;
    struct sk_edit edits[3]; /* stage: any, but not 0 */
};
void sk_vector_edited(const struct sk_edit_case *c, const struct sk_buf *honest, json_t *keys);

/* Whole files. */
void sk_vector_bundle(const struct sk_bundle_case *c);
json_t *sk_bundle_keys(void);
/* Of an archive that has renewed its keys: "next", or "forgotten" of the first. */
json_t *sk_renewed_keys(const char *how);

/* The archive's line under a checkpoint's text: a cosignature at a time, with `len` bytes behind
 * the key id (72, or filled up or cut), or, with 64, a signature. */
void sk_cosigned_line(char line[static SK_NOTE_LINE_MAX], const char *text, size_t text_len,
                      uint64_t time, size_t len);

/* The text of a continuation as the programs write it. */
#define SK_CONTINUATION_TEXT 1024
void sk_continuation_text(char text[static SK_CONTINUATION_TEXT], const struct sk_continuation *c);

/* A form of version 2, named detention, of testimonies; and its hash in hex. */
extern const char sk_form_text[];
void sk_form_text_hash(char out[static 65]);

/* What makes each group. */
void sk_make_lengths(void), sk_make_ratchet(void), sk_make_codes(void);
void sk_make_manifests(void), sk_make_entries(void), sk_make_frames(void), sk_make_notes(void);
void sk_make_receipt_texts(void), sk_make_receipts(void), sk_make_receipt_sequences(void);
void sk_make_form_receipts(void), sk_make_offers(void); /* of receipts, of several of them */
void sk_make_bare_receipts(void), sk_make_bare_sequences(void);
void sk_make_texts(void), sk_make_values(void);
void sk_make_json(void);
void sk_make_forms(void);                                   /* of the group of texts */
void sk_make_note_lines(void), sk_make_receipt_lines(void); /* of notes, of texts of receipts */
void sk_make_shown(void);                                   /* of texts of receipts */
void sk_make_invites(void), sk_make_invite_files(void);
void sk_make_envelopes(void), sk_make_bundles(void), sk_make_sequences(void);
void sk_make_salvages(void);
void sk_make_slots(void), sk_make_slot_sequences(void); /* of envelopes, of sequences */
void sk_make_holes(void), sk_make_borders(void);        /* of salvages */
void sk_make_lies(void);                                /* of bundles */
void sk_make_salvage_sequences(void);                   /* of sequences */
void sk_make_erasures(void), sk_make_statements(void);  /* of sequences */
/* Keys that are renewed: in texts of receipts, receipts, several of them, bundles, several of them.
 */
void sk_make_next_texts(void), sk_make_next_receipts(void), sk_make_next_receipt_sequences(void);
void sk_make_next_bundles(void), sk_make_next_sequences(void);
json_t *sk_receipt_keys(void);
json_t *sk_note_keys(void);

#endif

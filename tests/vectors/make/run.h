/*
 * One vector through the programs' own code.
 *
 * Gives {"class": "ok", "content": ...} or {"class": the name of the error}: what stands in the
 * vector as "expect".
 */
#ifndef SK_TESTS_VECTORS_RUN_H
#define SK_TESTS_VECTORS_RUN_H

#include "tests/vectors/make/fixed.h"

typedef json_t *sk_vector_run_fn(const json_t *vector);

/* Runs of parts, each given by its bytes ("input"). */
sk_vector_run_fn sk_run_manifest, sk_run_entry, sk_run_frames, sk_run_note, sk_run_receipt_text,
    sk_run_invite, sk_run_invite_file, sk_run_length, sk_run_ratchet, sk_run_code, sk_run_text;

/* Runs of whole files; and of several into one archive, whose "content" is a list. */
sk_vector_run_fn sk_run_bundle, sk_run_salvage, sk_run_sequence, sk_run_receipt,
    sk_run_receipt_sequence;

/* Ends what the runs share: after a group. */
void sk_run_end(void);

/* What a run gives. */
json_t *sk_result(enum sk_status status, json_t *content); /* content is taken over, NULL too */
json_t *sk_result_class(const char *name);

/* The bytes of vector["input"], which may be told by pieces; a member of vector["keys"], or of
 * those of its group. */
void sk_input(struct sk_buf *out, const json_t *vector);
const json_t *sk_key(const json_t *vector, const char *name);
extern json_t *sk_group_keys;

#endif

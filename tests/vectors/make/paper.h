/*
 * Receipts in the making, as the vectors have them: what is signed, and by whom.
 */
#ifndef SK_TESTS_VECTORS_PAPER_H
#define SK_TESTS_VECTORS_PAPER_H

#include "sync/receipt_note.h"
#include "tests/vectors/make/draft.h"

struct paper {
    struct sk_receipt receipt;
    const struct sk_fixed_party *signer, *cosigner, *device;
    uint32_t index;           /* of the chain of receipts */
    uint64_t head;            /* size of the checkpoint; UINT64_MAX: none */
    uint64_t time;            /* of the cosignature, if it is not as the programs make it: */
    size_t cosigned;          /* how many bytes it has behind the key id; 0: as they make it */
    bool cosigned_first;      /* before the signature */
    struct sk_edit edit;      /* stages SK_STAGE_INNER and SK_STAGE_FILE */
    struct sk_buf forms;      /* behind the checkpoint, with the length before each */
    struct sk_buf lines;      /* of signatures, in the place of the signer's; empty: that alone */
    struct sk_buf checkpoint; /* with its signatures, if it is not as the programs make it */
};

/* An honest one of the whole log of four entries, under index 0, with number 1. */
struct paper sk_paper(void);

/* Names a form in it and puts a text behind it. */
void sk_paper_offer(struct paper *p, const char *name, uint32_t version, const char *text);

/* Adds a line of signature to what the receipt says by now, or (wrong) to something else. */
void sk_paper_sign(struct paper *p, const struct sk_fixed_party *signer, bool wrong);

/* The file; what the paper owns goes. */
json_t *sk_paper_file(const char *name, struct paper *p);
void sk_vector_paper(const char *name, const char *shows, const char *class, struct paper *p);

/* Of the device's own log. */
void sk_paper_root(uint64_t size, uint8_t out[static 32]);

#endif

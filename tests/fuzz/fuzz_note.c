/*
 * A signed note and a checkpoint: a signature that is taken is the one that is made, and a
 * checkpoint that is read is written as the same bytes. The key is the one the corpus was signed
 * with.
 */
#include "crypto/note.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const uint8_t seed[SK_SIGN_SEED_LEN] = {1};
    uint8_t key[SK_SIGN_PUBLIC_LEN];
    size_t text_len = 0;
    uint64_t time_s = 0;
    struct sk_checkpoint checkpoint;
    char text[SK_CHECKPOINT_TEXT_MAX];
    char line[SK_NOTE_LINE_MAX];
    const char *note = (const char *)bytes;
    sk_sign_public(key, seed);
    if (sk_note_verify(note, len, "skrynia/example", key, &text_len) == SK_OK) {
        SK_FUZZ_CHECK(sk_note_sign(line, note, text_len, "skrynia/example", seed) == SK_OK);
        SK_FUZZ_CHECK(memmem(note + text_len, len - text_len, line, strlen(line)) != NULL);
    }
    sk_ignore(sk_note_verify_cosignature(note, len, "skrynia/example", key, &time_s));
    if (sk_checkpoint_parse(&checkpoint, note, len) == SK_OK) {
        SK_FUZZ_CHECK(sk_checkpoint_format(text, &checkpoint) == SK_OK);
        SK_FUZZ_CHECK(strlen(text) == len && memcmp(text, note, len) == 0);
    }
    return 0;
}

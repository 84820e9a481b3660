/*
 * A signed note and a checkpoint: a signature that is taken is the one that is made, and a
 * checkpoint that is read is written as the same bytes. The key is the one the corpus was signed
 * with. Then the text is signed anew, between the lines that are there, so that no signature hides
 * what is looked at first.
 */
#include "core/buf.h"
#include "crypto/note.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define NAME "skrynia/example"

/* Where the last empty line begins; NULL: there is none. */
static const char *last_empty_line(const char *note, size_t len)
{
    for (size_t i = len; i-- > 1;)
        if (note[i] == '\n' && note[i - 1] == '\n')
            return note + i;
    return NULL;
}

static void sign_again(const char *note, size_t len, const uint8_t *seed, const uint8_t *key)
{
    sk_auto_buf made = SK_BUF_INIT;
    char line[SK_NOTE_LINE_MAX];
    size_t text_len = 0;
    const char *empty = last_empty_line(note, len);
    if (!empty)
        return;
    size_t head = (size_t)(empty - note);
    if (sk_note_sign(line, note, head, NAME, seed) != SK_OK) /* it is no text */
        return;
    if (sk_buf_add(&made, note, head + 1, NULL) != SK_OK ||
        sk_buf_add_text(&made, line, NULL) != SK_OK ||
        sk_buf_add(&made, empty + 1, len - head - 1, NULL) != SK_OK)
        return;
    if (sk_note_verify(sk_buf_text(&made), made.len, NAME, key, &text_len) == SK_OK)
        SK_FUZZ_CHECK(text_len == head);
}

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
    if (sk_note_verify(note, len, NAME, key, &text_len) == SK_OK) {
        SK_FUZZ_CHECK(sk_note_sign(line, note, text_len, NAME, seed) == SK_OK);
        SK_FUZZ_CHECK(memmem(note + text_len, len - text_len, line, strlen(line)) != NULL);
    }
    sign_again(note, len, seed, key);
    sk_ignore(sk_note_verify_cosignature(note, len, NAME, key, &time_s));
    if (sk_checkpoint_parse(&checkpoint, note, len) == SK_OK) {
        SK_FUZZ_CHECK(sk_checkpoint_format(text, &checkpoint) == SK_OK);
        SK_FUZZ_CHECK(strlen(text) == len && memcmp(text, note, len) == 0);
    }
    return 0;
}

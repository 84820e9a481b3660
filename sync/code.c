/* The hash of a whole file, and the courier's code made from it. */
#include "crypto/hash.h"
#include "sync/envelope.h"

#include <stdlib.h>
#include <string.h>

#define PIECE_LEN   ((size_t)1024 * 1024)
#define CODE_GROUPS 6
#define CODE_DIGITS 30

_Static_assert(CODE_GROUPS * 6 == SK_CODE_LEN, "groups of five digits, spaces and NUL");

static enum sk_status hash_pieces(struct sk_file *file, struct sk_hash *h, uint8_t *piece,
                                  const struct sk_progress *progress, struct sk_error *err)
{
    uint64_t total = 0, done = 0;
    bool regular = false;
    size_t got = 0;

    SK_TRY(sk_file_size(file, &total, &regular, err));
    SK_TRY(sk_file_seek(file, 0, err));
    do {
        SK_TRY(sk_file_read(file, piece, PIECE_LEN, &got, err));
        sk_hash_add(h, piece, got);
        done += got;
        sk_progress_tell(progress, done, total);
    } while (got > 0);
    return SK_OK;
}

enum sk_status sk_file_hash(struct sk_file *file, uint8_t out[static 32],
                            const struct sk_progress *progress, struct sk_error *err)
{
    struct sk_hash h;
    sk_auto_free uint8_t *piece = malloc(PIECE_LEN);
    if (!piece)
        return sk_fail_status(err, SK_NOMEM);
    sk_hash_init(&h, NULL, SK_LABEL_FILE);
    SK_TRY(hash_pieces(file, &h, piece, progress, err));
    sk_hash_end(&h, out);
    return SK_OK;
}

void sk_code_format(char out[static SK_CODE_LEN], const uint8_t file_hash[static 32])
{
    sk_digits(out, CODE_GROUPS, SK_LABEL_CODE, file_hash);
}

/* The digits of what was typed: CODE_DIGITS and NUL. False when it is anything else. */
static bool digits_of(char out[static CODE_DIGITS + 1], const char *typed)
{
    size_t count = 0;
    for (; *typed; typed++) {
        if (*typed == ' ' || *typed == '-')
            continue;
        if (*typed < '0' || *typed > '9' || count == CODE_DIGITS)
            return false;
        out[count++] = *typed;
    }
    out[count] = '\0';
    return count == CODE_DIGITS;
}

bool sk_code_valid(const char *typed)
{
    char digits[CODE_DIGITS + 1];
    return digits_of(digits, typed);
}

bool sk_code_matches(const char *typed, const uint8_t file_hash[static 32])
{
    char code[SK_CODE_LEN], want[CODE_DIGITS + 1], got[CODE_DIGITS + 1];
    sk_code_format(code, file_hash);
    return digits_of(want, code) && digits_of(got, typed) && strcmp(want, got) == 0;
}

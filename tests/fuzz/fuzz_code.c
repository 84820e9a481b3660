/* What a courier types: taken only if its digits are the code's, whatever stands between them. */
#include "core/buf.h"
#include "sync/envelope.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const uint8_t hash[32] = {1, 2, 3};
    char code[SK_CODE_LEN];
    char digits[SK_CODE_LEN] = "";
    size_t count = 0;
    sk_auto_buf typed = SK_BUF_INIT;
    if (sk_buf_add(&typed, bytes, len, NULL) != SK_OK)
        return 0;
    const char *text = sk_buf_text(&typed);
    sk_code_format(code, hash);
    for (const char *at = text; *at; at++)
        if (*at >= '0' && *at <= '9' && count < sizeof(digits) - 1)
            digits[count++] = *at;
    bool same = count == 30;
    for (size_t i = 0, j = 0; same && i < strlen(code); i++)
        if (code[i] != ' ')
            same = digits[j++] == code[i];
    if (sk_code_matches(text, hash))
        SK_FUZZ_CHECK(same && sk_code_valid(text));
    if (sk_code_valid(text))
        SK_FUZZ_CHECK(count == 30);
    return 0;
}

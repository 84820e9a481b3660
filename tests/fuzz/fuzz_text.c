/* Text on its way to a terminal: whatever comes in, what goes out is valid and has no controls. */
#include "core/text.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    sk_auto_buf out = SK_BUF_INIT;
    if (sk_text_show(&out, (const char *)bytes, len, false, 0, NULL) != SK_OK)
        return 0;
    SK_FUZZ_CHECK(sk_text_valid(out.bytes, out.len));
    for (size_t i = 0; i < out.len; i++)
        SK_FUZZ_CHECK(out.bytes[i] >= 0x20 && out.bytes[i] != 0x7f);
    SK_FUZZ_CHECK(sk_text_fit((const char *)bytes, len, 10) <= len);

    sk_auto_buf copy = SK_BUF_INIT;
    if (sk_buf_add(&copy, bytes, len, NULL) == SK_OK) {
        sk_ignore(sk_date_check(sk_buf_text(&copy), NULL));
        sk_ignore(sk_time_check(sk_buf_text(&copy), NULL));
        sk_ignore(sk_datetime_check(sk_buf_text(&copy), NULL));
    }
    return 0;
}

/* The text of a receipt: what is read is written as the same bytes. */
#include "sync/receipt_note.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    sk_auto_receipt receipt = {.stored = NULL};
    sk_auto_buf again = SK_BUF_INIT;
    sk_auto_buf told = SK_BUF_INIT;
    if (sk_receipt_parse(&receipt, (const char *)bytes, len, NULL) != SK_OK)
        return 0;
    SK_FUZZ_CHECK(receipt.stored_count <= SK_RECEIPT_LIST_MAX);
    SK_FUZZ_CHECK(sk_receipt_format(&again, &receipt, NULL) == SK_OK);
    SK_FUZZ_CHECK(again.len == len && memcmp(again.bytes, bytes, len) == 0);
    SK_FUZZ_CHECK(sk_receipt_tell(&told, &receipt, NULL) == SK_OK);
    SK_FUZZ_CHECK(strlen(sk_buf_text(&told)) == told.len);
    return 0;
}

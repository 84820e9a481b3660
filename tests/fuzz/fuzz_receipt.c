/* The text of a receipt. */
#include "sync/receipt_note.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    sk_auto_receipt receipt = {.stored = NULL};
    if (sk_receipt_parse(&receipt, (const char *)bytes, len, NULL) != SK_OK)
        return 0;
    SK_FUZZ_CHECK(receipt.stored_count <= SK_RECEIPT_LIST_MAX);
    return 0;
}

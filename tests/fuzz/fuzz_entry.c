/* A log entry: what decodes must encode to the same bytes. */
#include "core/entry.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct sk_entry entry;
    uint8_t again[SK_ENTRY_LEN];
    if (len != SK_ENTRY_LEN || sk_entry_decode(&entry, bytes) != SK_OK)
        return 0;
    sk_entry_encode(again, &entry);
    SK_FUZZ_CHECK(memcmp(again, bytes, SK_ENTRY_LEN) == 0);
    return 0;
}

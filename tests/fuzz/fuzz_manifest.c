/* A manifest: what decodes must encode to the same bytes. */
#include "sync/manifest.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct sk_manifest manifest;
    sk_auto_buf again = SK_BUF_INIT;
    if (sk_manifest_decode(&manifest, bytes, len, NULL) != SK_OK)
        return 0;
    SK_FUZZ_CHECK(sk_manifest_encode(&again, &manifest, NULL) == SK_OK);
    SK_FUZZ_CHECK(again.len == len && memcmp(again.bytes, bytes, len) == 0);
    return 0;
}

#include "core/form.h"
#include "core/json.h"
#include "crypto/secret.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerInitialize(const int *argc, char ***argv)
{
    (void)argc, (void)argv;
    SK_FUZZ_CHECK(sk_crypto_init() == SK_OK);
    sk_json_init();
    SK_FUZZ_CHECK(sk_forms_init(NULL) == SK_OK);
    return 0;
}

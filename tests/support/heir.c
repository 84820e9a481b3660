#include "tests/support/heir.h"

#include "crypto/secret.h"

#include <stdio.h>
#include <string.h>

bool sk_test_readable;

static enum sk_status note_loss(void *context, const struct sk_loss *loss, struct sk_error *err)
{
    static const char *const kinds[] = {"entries", "refused",  "payload",
                                        "body",    "revision", "unknown"};
    struct sk_test_heir *heir = context;
    size_t len = strlen(heir->losses);
    (void)err;
    if (loss->kind == SK_LOSS_PROOF) {
        heir->unproven++;
        return SK_OK;
    }
    (void)snprintf(heir->losses + len, sizeof(heir->losses) - len, "%s %llu-%llu %s;",
                   kinds[loss->kind], (unsigned long long)loss->from, (unsigned long long)loss->to,
                   loss->title);
    return SK_OK;
}

enum sk_status sk_test_inherit_status(const char *from, const char *to, struct sk_test_heir *out,
                                      struct sk_error *err)
{
    struct sk_store_options old = sk_test_options(from, SK_STORE_DEVICE);
    struct sk_store_options store = sk_test_options(to, SK_STORE_DEVICE);
    const struct sk_succession_options options = {
        .store = &store, .loss = note_loss, .loss_context = out, .readable = sk_test_readable};
    sk_auto_secret key = NULL;
    sk_auto_remains remains = NULL;
    uint8_t id[SK_STORE_ID_LEN];
    bool insecure = false;
    bool by_words = false;
    *out = (struct sk_test_heir){.losses = ""};
    SK_TRY(sk_store_key(&old, &key, id, &insecure, &by_words, err));
    SK_TRY(sk_remains_open(&remains, from, sk_secret_view(key), id, NULL, err));
    out->facts = *sk_remains_facts(remains);
    return sk_succession(remains, &options, &out->result, err);
}

void sk_test_inherit(struct sk_test_store *from, const char *to, struct sk_test_heir *out)
{
    sk_test_close(from);
    EXPECT_OK(sk_test_inherit_status(from->path, to, out, &sk_test_err));
    sk_test_open(from);
}

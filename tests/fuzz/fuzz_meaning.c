/*
 * What a payload's text says: a byte for the type of its entry, one for the length of its body, the
 * text. What is well formed stays so, and says the same, when it is written again.
 */
#include "core/item_internal.h"
#include "core/text.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

/* Whatever form a record names, there is this one. */
static enum sk_status find_form(void *context, const uint8_t hash[static SK_HASH_LEN],
                                struct sk_own_form **out, struct sk_error *err)
{
    static const char text[] =
        "{\"form\":\"f\",\"type\":\"testimony\",\"version\":1,\"label\":\"F\",\"fields\":["
        "{\"name\":\"title\",\"label\":\"T\",\"type\":\"text\",\"access\":\"public\","
        "\"required\":true},{\"name\":\"n\",\"label\":\"N\",\"type\":\"integer\","
        "\"access\":\"public\"}]}";
    (void)context, (void)hash;
    return sk_own_form_read(out, text, sizeof(text) - 1, err);
}

static const struct sk_form_source forms = {find_form, NULL};

static void check(const struct sk_meaning *m, unsigned type, uint64_t body_len)
{
    sk_auto_buf text = SK_BUF_INIT;
    sk_auto_buf words = SK_BUF_INIT;
    sk_auto_meaning again = {.json = NULL};
    sk_auto_meaning found = {.json = NULL};
    SK_FUZZ_CHECK(m->title && (m->recorded || type == SK_TYPE_FORM));
    SK_FUZZ_CHECK(sk_json_write(&text, m->json, NULL) == SK_OK);
    SK_FUZZ_CHECK(sk_meaning_read(&again, type, sk_buf_text(&text), text.len, body_len, &forms,
                                  NULL) == SK_OK);
    SK_FUZZ_CHECK(strcmp(again.title, m->title) == 0 && json_equal(again.json, m->json));
    SK_FUZZ_CHECK(sk_meaning_words(&found, type, sk_buf_text(&text), text.len, NULL) == SK_OK);
    SK_FUZZ_CHECK(sk_search_text(&words, &found, NULL) == SK_OK);
    SK_FUZZ_CHECK(sk_text_valid(words.bytes, words.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    sk_auto_meaning m = {.json = NULL};
    struct sk_error err = SK_ERROR_INIT;
    if (len < 2)
        return 0;
    unsigned type = bytes[0] % (SK_TYPE_CONTINUATION + 2u);
    enum sk_status status =
        sk_meaning_read(&m, type, (const char *)bytes + 2, len - 2, bytes[1], &forms, &err);
    SK_FUZZ_CHECK(status == SK_OK || (status == SK_REFUSED && err.text[0]));
    SK_FUZZ_CHECK(sk_text_valid(err.text, strlen(err.text)));
    if (status == SK_OK)
        check(&m, type, bytes[1]);
    return 0;
}

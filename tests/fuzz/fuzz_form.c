/* A record's fields against every form; and FIELD=VALUE, cut at the first '='. */
#include "core/form.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void try_form(const struct sk_form *form, const json_t *json, const char *text, size_t len)
{
    if (json && sk_form_check(form, json, NULL) == SK_OK)
        SK_FUZZ_CHECK(sk_form_title(form, json) != NULL);
    const char *equals = memchr(text, '=', len);
    if (!equals)
        return;
    sk_auto_json fields = json_object();
    sk_auto_buf name = SK_BUF_INIT;
    sk_auto_buf value = SK_BUF_INIT;
    size_t name_len = (size_t)(equals - text);
    if (!fields || sk_buf_add(&name, text, name_len, NULL) != SK_OK ||
        sk_buf_add(&value, equals + 1, len - name_len - 1, NULL) != SK_OK)
        return;
    if (sk_form_set(form, fields, sk_buf_text(&name), sk_buf_text(&value), NULL) == SK_OK)
        sk_ignore(sk_form_check(form, fields, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    sk_auto_json json = NULL;
    const char *text = (const char *)bytes;
    sk_ignore(sk_json_parse(&json, text, len, NULL));
    for (unsigned type = SK_TYPE_PERSON; type <= SK_TYPE_RECORD_LAST; type++)
        try_form(sk_form_of(type), json, text, len);
    return 0;
}

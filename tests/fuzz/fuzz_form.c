/*
 * A record's fields against every form; and FIELD=VALUE, cut at the first '='. The same bytes as
 * the text of an organisation's form: what is one is one again when it is read again, every field
 * of it can be set and shown, and what it says can be shown as it is.
 */
#include "core/form_own.h"
#include "core/text.h"
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

static void check_fields(const struct sk_field *fields, size_t count, unsigned level)
{
    SK_FUZZ_CHECK(count > 0 && count <= 200 && level <= 6);
    for (size_t i = 0; i < count; i++) {
        const struct sk_field *f = &fields[i];
        SK_FUZZ_CHECK(f->label[0] && sk_text_plain(f->label, strlen(f->label)));
        SK_FUZZ_CHECK(sk_text_plain(f->hint, strlen(f->hint)));
        SK_FUZZ_CHECK(strcmp(sk_field_type_name(f->type), "unknown") != 0);
        for (size_t j = 0; j < f->choice_count; j++)
            SK_FUZZ_CHECK(sk_text_plain(f->choices[j].label, strlen(f->choices[j].label)));
        if (f->type == SK_FIELD_GROUP || f->type == SK_FIELD_REPEAT)
            check_fields(f->fields, f->field_count, level + 1);
    }
}

static void try_own(const char *text, size_t len)
{
    sk_auto_own_form own = NULL;
    sk_auto_own_form again = NULL;
    sk_auto_buf compact = SK_BUF_INIT;
    struct sk_error err = SK_ERROR_INIT;
    enum sk_status status = sk_own_form_read(&own, text, len, &err);
    SK_FUZZ_CHECK(status == SK_OK || (status == SK_REFUSED && err.text[0]));
    SK_FUZZ_CHECK(sk_text_plain(err.text, strlen(err.text)));
    if (status != SK_OK)
        return;
    const struct sk_form *form = sk_own_form_of(own);
    SK_FUZZ_CHECK(sk_own_form_name_valid(form->name) && form->version > 0);
    SK_FUZZ_CHECK(sk_type_is_record(form->type) && sk_text_plain(form->label, strlen(form->label)));
    check_fields(form->fields, form->field_count, 1);
    sk_auto_json fields = json_pack("{s:s}", "title", "T");
    SK_FUZZ_CHECK(fields && strcmp(sk_form_title(form, fields), "T") == 0);
    try_form(form, fields, text, len);
    SK_FUZZ_CHECK(sk_own_form_compact(&compact, text, len, NULL) == SK_OK);
    if (compact.len <= SK_FORM_TEXT_MAX)
        SK_FUZZ_CHECK(sk_own_form_read(&again, sk_buf_text(&compact), compact.len, NULL) == SK_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    sk_auto_json json = NULL;
    const char *text = (const char *)bytes;
    sk_ignore(sk_json_parse(&json, text, len, NULL));
    for (unsigned type = SK_TYPE_PERSON; type <= SK_TYPE_RECORD_LAST; type++)
        try_form(sk_form_of(type), json, text, len);
    try_own(text, len);
    return 0;
}

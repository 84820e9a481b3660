#include "core/form_own.h"

#include "core/form_internal.h"

#include <stdlib.h>
#include <string.h>

struct sk_own_form {
    unsigned references;
    struct sk_form form;
    struct form_loader loader; /* holds the names, labels and fields */
    uint8_t hash[SK_HASH_LEN];
    struct sk_buf text;
};

void sk_own_form_hash(uint8_t out[static SK_HASH_LEN], const char *text, size_t len)
{
    sk_hash_of(out, NULL, SK_LABEL_FORM, text, len);
}

bool sk_own_form_name_valid(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

    return len > 0 && len <= SK_FORM_NAME_MAX && name[len] == '\0' && name[0] != '-' &&
           sk_type_from_name(name) == 0;
}

struct sk_own_form *sk_own_form_ref(struct sk_own_form *own)
{
    if (own)
        own->references++;
    return own;
}

void sk_own_form_unref(struct sk_own_form *own)
{
    if (!own || --own->references > 0)
        return;
    form_loader_clear(&own->loader);
    sk_buf_clear(&own->text);
    free(own);
}

const struct sk_form *sk_own_form_of(const struct sk_own_form *own)
{
    return &own->form;
}

const struct sk_buf *sk_own_form_text(const struct sk_own_form *own)
{
    return &own->text;
}

/* ---- reading ---- */

static enum sk_status refuse(const char *why, struct sk_error *err)
{
    if (sk_json_starved())
        return sk_fail_status(err, SK_NOMEM);
    return sk_fail(err, SK_REFUSED, "%s", why);
}

/* Everything but the fields. The texts stay in the JSON. */
static enum sk_status read_head(struct sk_form *form, const json_t *json, json_t **fields,
                                struct sk_error *err)
{
    const char *type;
    json_int_t version = 0;

    if (json_unpack(sk_json_plain(json), "{s:s,s:s,s:I,s:s,s:o!}", "form", &form->name, "type",
                    &type, "version", &version, "label", &form->label, "fields", fields) != 0)
        return refuse("a form has a form (its name), a type, a version, a label and fields, and "
                      "nothing else",
                      err);
    form->type = sk_type_from_name(type);
    if (!sk_type_is_record(form->type))
        return refuse("the form's type is person, case, event, testimony, source or consent", err);
    if (!sk_own_form_name_valid(form->name))
        return refuse("the form's name is 1 to 40 small letters, digits and hyphens, and not that "
                      "of a type",
                      err);
    if (version < 1 || version > INT32_MAX)
        return refuse("the form's version is a whole number from 1 on", err);
    form->version = (unsigned)version;
    if (!form_words_fit(form->label, FORM_LABEL_MAX))
        return refuse("the form's label is too long, or cannot be shown", err);
    return SK_OK;
}

/* Lists call a record by its title, or by what stands in for that. */
static enum sk_status check_title(const struct sk_form *form, struct sk_error *err)
{
    const struct sk_field *title = sk_form_field(form, "title");
    const struct sk_field *instead =
        title && title->unless ? sk_form_field(form, title->unless) : NULL;

    if (!title || title->type != SK_FIELD_TEXT || !title->required ||
        (instead && instead->type != SK_FIELD_TEXT))
        return refuse("the form needs a text field named title, which is required", err);
    return SK_OK;
}

static enum sk_status read_form(struct sk_own_form *own, struct sk_error *err)
{
    sk_auto_json json = NULL;
    json_t *fields = NULL;

    SK_TRY(sk_json_parse(&json, sk_buf_text(&own->text), own->text.len, err));
    SK_TRY(read_head(&own->form, json, &fields, err));
    if (!json_is_array(fields))
        return refuse("the form's fields are an array", err);
    SK_TRY(form_load(&own->loader, &own->form, json, fields, err));
    return check_title(&own->form, err);
}

enum sk_status sk_own_form_read(struct sk_own_form **out, const char *text, size_t len,
                                struct sk_error *err)
{
    sk_auto_own_form own = NULL;

    if (len > SK_FORM_TEXT_MAX)
        return sk_fail(err, SK_REFUSED, "a form has at most %zu KiB", SK_FORM_TEXT_MAX >> 10);
    own = calloc(1, sizeof(*own));
    if (!own)
        return sk_fail_status(err, SK_NOMEM);
    own->references = 1;
    own->loader.own = true;
    sk_own_form_hash(own->hash, text, len);
    own->form.hash = own->hash;
    SK_TRY(sk_buf_add(&own->text, text, len, err));
    SK_TRY(read_form(own, err));
    *out = sk_own_form_ref(own);
    return SK_OK;
}

enum sk_status sk_own_form_compact(struct sk_buf *out, const char *text, size_t len,
                                   struct sk_error *err)
{
    sk_auto_json json = NULL;

    SK_TRY(sk_json_parse(&json, text, len, err));
    return sk_json_write(out, json, err);
}

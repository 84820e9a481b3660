/*
 * What the text of a payload says. A record: {"form", "version", "recorded", "fields"}, whose form
 * is that of its type or, by its hash, one of an organisation; a form: see core/form_own.h; a link:
 * {"recorded", "source", "role", "target"}; an attachment: {"recorded", "record", "name", "type",
 * "size", "sha256"}; a continuation: {"recorded", "log", "continues", "sign", "dh", "size", "root",
 * "signature"}. Nothing else may stand in them.
 */
#include "core/item_internal.h"
#include "core/text.h"

#include <sodium.h>

#define ROLE_MAX       40
#define NAME_MAX_BYTES 1024

void sk_meaning_clear(struct sk_meaning *meaning)
{
    json_decref(meaning->json);
    sk_own_form_unref(meaning->own);
    *meaning = (struct sk_meaning){.json = NULL};
}

static const char *string_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static enum sk_status check_members(const json_t *object, size_t count, struct sk_error *err)
{
    if (!json_is_object(object) || json_object_size(object) != count)
        return sk_fail(err, SK_REFUSED, "it has not the members it should have");
    const char *recorded = string_of(object, "recorded");
    if (!recorded || sk_datetime_check(recorded, NULL) != SK_OK)
        return sk_fail(err, SK_REFUSED, "the time of recording is not one");
    return SK_OK;
}

static bool id_of(const json_t *object, const char *key, struct sk_id *out)
{
    const char *text = string_of(object, key);
    return text && sk_id_parse(out, text) == SK_OK;
}

/* The form that a record is under: that of its type, or an organisation's, kept in m->own. */
static enum sk_status find_form(struct sk_meaning *m, unsigned type,
                                const struct sk_form_source *forms, const struct sk_form **out,
                                struct sk_error *err)
{
    const char *name = string_of(m->json, "form");
    json_int_t version = json_integer_value(json_object_get(m->json, "version"));
    uint8_t hash[SK_HASH_LEN];
    *out = sk_form_of(type);
    if (name && strcmp(name, sk_type_name(type)) == 0) {
        if (version < 1 || version > (json_int_t)(*out)->version)
            return sk_fail(err, SK_REFUSED, "its form is newer than those known here");
        return SK_OK;
    }
    if (!name || !sk_hex_parse(hash, sizeof(hash), name))
        return sk_fail(err, SK_REFUSED, "its form is not that of its type");
    if (forms)
        SK_TRY(forms->find(forms->context, hash, &m->own, err));
    if (!m->own)
        return sk_fail(err, SK_REFUSED, "its form is not here");
    *out = sk_own_form_of(m->own);
    if ((*out)->type != type || version != (json_int_t)(*out)->version)
        return sk_fail(err, SK_REFUSED, "its form is of another type or version");
    return SK_OK;
}

static enum sk_status read_record(struct sk_meaning *m, unsigned type,
                                  const struct sk_form_source *forms, struct sk_error *err)
{
    const struct sk_form *form = NULL;
    SK_TRY(check_members(m->json, 4, err));
    SK_TRY(find_form(m, type, forms, &form, err));
    m->fields = json_object_get(m->json, "fields");
    SK_TRY(sk_form_check(form, m->fields, err));
    m->title = sk_form_title(form, m->fields);
    return SK_OK;
}

bool sk_role_valid(const char *role)
{
    size_t len = strlen(role);
    if (len == 0 || len > ROLE_MAX || role[0] == '-')
        return false;
    return strspn(role, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static enum sk_status read_link(struct sk_meaning *m, struct sk_error *err)
{
    SK_TRY(check_members(m->json, 4, err));
    m->role = string_of(m->json, "role");
    if (!m->role || !sk_role_valid(m->role) || !id_of(m->json, "source", &m->source) ||
        !id_of(m->json, "target", &m->target))
        return sk_fail(err, SK_REFUSED, "the link is not one between two ids");
    m->title = m->role;
    return SK_OK;
}

/* The name of a file without its folders, as it may stand in a list or be given to a new file. */
static bool file_name_valid(const char *name)
{
    return name[0] != '\0' && strlen(name) <= NAME_MAX_BYTES && !strchr(name, '/') &&
           strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static enum sk_status read_attachment(struct sk_meaning *m, uint64_t body_len, struct sk_error *err)
{
    struct sk_attachment *a = &m->attachment;
    SK_TRY(check_members(m->json, 6, err));
    a->name = string_of(m->json, "name");
    a->type = string_of(m->json, "type");
    const char *digest = string_of(m->json, "sha256");
    const json_t *size = json_object_get(m->json, "size");
    size_t len = 0;
    if (!id_of(m->json, "record", &a->record) || !a->name || !a->type || !digest ||
        !json_is_integer(size) || json_integer_value(size) < 0)
        return sk_fail(err, SK_REFUSED, "the description of the attachment is not complete");
    a->size = (uint64_t)json_integer_value(size);
    if (a->size != body_len || !file_name_valid(a->name) || strlen(digest) != 64 ||
        sodium_hex2bin(a->sha256, sizeof(a->sha256), digest, 64, NULL, &len, NULL) != 0 ||
        len != sizeof(a->sha256))
        return sk_fail(err, SK_REFUSED, "the description of the attachment does not fit it");
    m->title = a->name;
    return SK_OK;
}

/* Lower-case hex of exactly that many bytes. */
static bool bytes_of(const json_t *object, const char *key, uint8_t *out, size_t len)
{
    const char *text = string_of(object, key);
    return text && sk_hex_parse(out, len, text);
}

/* A form is its text, byte for byte. */
static enum sk_status read_own_form(struct sk_meaning *m, const char *text, size_t len,
                                    struct sk_error *err)
{
    SK_TRY(sk_own_form_read(&m->own, text, len, err));
    m->title = sk_own_form_of(m->own)->name;
    return SK_OK;
}

static enum sk_status read_continuation(struct sk_meaning *m, struct sk_error *err)
{
    struct sk_continuation *c = &m->continuation;
    const json_t *size = json_object_get(m->json, "size");
    SK_TRY(check_members(m->json, 8, err));
    if (!json_is_integer(size) || json_integer_value(size) < 0 ||
        json_integer_value(size) > (json_int_t)SK_POSITION_MAX ||
        !bytes_of(m->json, "log", c->log_id, SK_HASH_LEN) ||
        !bytes_of(m->json, "continues", c->old_id, SK_HASH_LEN) ||
        !bytes_of(m->json, "sign", c->sign_public, SK_SIGN_PUBLIC_LEN) ||
        !bytes_of(m->json, "dh", c->dh_public, SK_DH_LEN) ||
        !bytes_of(m->json, "root", c->root, SK_MERKLE_LEN) ||
        !bytes_of(m->json, "signature", c->signature, SK_SIGNATURE_LEN))
        return sk_fail(err, SK_REFUSED, "it does not say completely which log it continues");
    c->size = (uint64_t)json_integer_value(size);
    m->title = "";
    return sk_continuation_check(c, err);
}

enum sk_status sk_meaning_read(struct sk_meaning *out, unsigned type, const char *text, size_t len,
                               uint64_t body_len, const struct sk_form_source *forms,
                               struct sk_error *err)
{
    sk_auto_meaning m = {.json = NULL};
    SK_TRY(sk_json_parse(&m.json, text, len, err));
    if (type != SK_TYPE_ATTACHMENT && body_len)
        return sk_fail(err, SK_REFUSED, "only an attachment has a body");
    if (sk_type_is_record(type))
        SK_TRY(read_record(&m, type, forms, err));
    else if (type == SK_TYPE_LINK)
        SK_TRY(read_link(&m, err));
    else if (type == SK_TYPE_ATTACHMENT)
        SK_TRY(read_attachment(&m, body_len, err));
    else if (type == SK_TYPE_FORM)
        SK_TRY(read_own_form(&m, text, len, err));
    else if (type == SK_TYPE_CONTINUATION)
        SK_TRY(read_continuation(&m, err));
    else
        return sk_fail(err, SK_REFUSED, "its type is not known here");
    m.recorded = type == SK_TYPE_FORM ? NULL : string_of(m.json, "recorded");
    *out = SK_TAKE(m);
    return SK_OK;
}

enum sk_status sk_meaning_words(struct sk_meaning *out, unsigned type, const char *text, size_t len,
                                struct sk_error *err)
{
    sk_auto_meaning m = {.json = NULL};
    SK_TRY(sk_json_parse(&m.json, text, len, err));
    if (sk_type_is_record(type))
        m.fields = json_object_get(m.json, "fields");
    else if (type == SK_TYPE_ATTACHMENT)
        m.attachment.name = string_of(m.json, "name");
    *out = SK_TAKE(m);
    return SK_OK;
}

#include "sync/receipt_forms.h"

#include "core/form_log.h"
#include "crypto/bytes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define WORD "form "

void sk_form_texts_clear(struct sk_form_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        sk_buf_clear(&texts->items[i]);
    texts->count = 0;
}

static enum sk_status push(struct sk_receipt *receipt, const struct sk_receipt_form *form,
                           struct sk_error *err)
{
    struct sk_receipt_form *items =
        reallocarray(receipt->forms, receipt->form_count + 1, sizeof(*items));
    if (!items)
        return sk_fail_status(err, SK_NOMEM);
    receipt->forms = items;
    items[receipt->form_count++] = *form;
    return SK_OK;
}

/* ---- lines ---- */

size_t sk_receipt_forms_at(const char *text, size_t len)
{
    size_t at = 0;
    while (at < len) {
        const char *end = memchr(text + at, '\n', len - at);
        if (len - at >= strlen(WORD) && memcmp(text + at, WORD, strlen(WORD)) == 0)
            return at;
        at = end ? (size_t)(end - text) + 1 : len;
    }
    return len;
}

enum sk_status sk_receipt_forms_format(struct sk_buf *out, const struct sk_receipt *receipt,
                                       struct sk_error *err)
{
    char hash[2 * SK_HASH_LEN + 1];
    for (size_t i = 0; i < receipt->form_count; i++) {
        const struct sk_receipt_form *form = &receipt->forms[i];
        sk_hex(hash, form->hash, SK_HASH_LEN);
        SK_TRY(
            sk_buf_printf(out, err, WORD "%s %" PRIu32 " %s\n", form->name, form->version, hash));
    }
    return SK_OK;
}

/* A line without its newline, as it is written and in no other way: it is written again and
 * compared. */
static bool read_line(struct sk_receipt_form *out, const char *line, size_t len)
{
    char text[sizeof(WORD) + SK_FORM_NAME_MAX + sizeof(" 2147483647 ") + (size_t)2 * SK_HASH_LEN];
    char *at = text + strlen(WORD);
    char *end = NULL;
    size_t name_len = 0;
    if (len >= sizeof(text))
        return false;
    memcpy(text, line, len);
    text[len] = '\0';
    if (strlen(text) != len)
        return false;
    name_len = strcspn(at, " ");
    if (at[name_len] != ' ' || name_len >= sizeof(out->name))
        return false;
    memcpy(out->name, at, name_len);
    out->name[name_len] = '\0';
    at += name_len + 1;
    if (*at < '1' || *at > '9')
        return false;
    unsigned long version = strtoul(at, &end, 10);
    if (version > INT32_MAX || *end != ' ' || !sk_hex_parse(out->hash, SK_HASH_LEN, end + 1))
        return false;
    out->version = (uint32_t)version;
    return sk_own_form_name_valid(out->name);
}

enum sk_status sk_receipt_forms_parse(struct sk_receipt *out, const char *text, size_t len,
                                      struct sk_error *err)
{
    while (len > 0) {
        struct sk_receipt_form form = {.version = 0};
        const char *end = memchr(text, '\n', len);
        const char *last = out->form_count ? out->forms[out->form_count - 1].name : "";
        if (!end || len < strlen(WORD) || memcmp(text, WORD, strlen(WORD)) != 0 ||
            out->form_count == SK_OFFERS_MAX || !read_line(&form, text, (size_t)(end - text)) ||
            strcmp(form.name, last) <= 0)
            return sk_fail(err, SK_DAMAGED, "the receipt's list of forms is malformed");
        SK_TRY(push(out, &form, err));
        len -= (size_t)(end + 1 - text);
        text = end + 1;
    }
    return SK_OK;
}

/* ---- writing ---- */

struct filling {
    struct sk_receipt *receipt;
    struct sk_form_texts *texts;
};

static enum sk_status fill_one(void *context, struct sk_own_form *own, struct sk_error *err)
{
    const struct filling *filling = context;
    const struct sk_form *form = sk_own_form_of(own);
    const struct sk_buf *text = sk_own_form_text(own);
    struct sk_receipt_form line = {.version = form->version};
    if (filling->texts->count == SK_OFFERS_MAX)
        return sk_fail(err, SK_LIMIT, "an archive offers at most %u forms", SK_OFFERS_MAX);
    memcpy(line.name, form->name, strlen(form->name) + 1);
    memcpy(line.hash, form->hash, sizeof(line.hash));
    SK_TRY(push(filling->receipt, &line, err));
    struct sk_buf *kept = &filling->texts->items[filling->texts->count++];
    *kept = (struct sk_buf)SK_BUF_INIT;
    return sk_buf_add(kept, sk_buf_text(text), text->len, err);
}

enum sk_status sk_receipt_forms_fill(struct sk_store *store, struct sk_receipt *receipt,
                                     struct sk_form_texts *texts, struct sk_error *err)
{
    struct filling filling = {receipt, texts};
    return sk_offer_each(store, 0, fill_one, &filling, err);
}

enum sk_status sk_form_texts_write(struct sk_envelope_writer *writer,
                                   const struct sk_form_texts *texts, struct sk_error *err)
{
    uint8_t len[4];
    for (size_t i = 0; i < texts->count; i++) {
        const struct sk_buf *text = &texts->items[i];
        sk_put_u32(len, (uint32_t)text->len);
        SK_TRY(sk_envelope_write(writer, len, sizeof(len), err));
        SK_TRY(sk_envelope_write(writer, sk_buf_text(text), text->len, err));
    }
    sk_put_u32(len, 0);
    return sk_envelope_write(writer, len, sizeof(len), err);
}

/* ---- reading ---- */

enum sk_status sk_form_texts_read(struct sk_envelope_reader *reader, struct sk_form_texts *texts,
                                  struct sk_error *err)
{
    for (;;) {
        uint8_t len_bytes[4];
        SK_TRY(sk_envelope_read(reader, len_bytes, sizeof(len_bytes), err));
        uint32_t len = sk_get_u32(len_bytes);
        if (len == 0)
            return SK_OK;
        if (len > SK_FORM_TEXT_MAX || texts->count == SK_OFFERS_MAX)
            return sk_fail(err, SK_LIMIT, "the receipt has too many forms, or too long a one");
        struct sk_buf *text = &texts->items[texts->count++];
        *text = (struct sk_buf)SK_BUF_INIT;
        SK_TRY(sk_buf_grow(text, len, err));
        SK_TRY(sk_envelope_read(reader, text->bytes, len, err));
        text->len = len;
        text->bytes[len] = 0;
    }
}

enum sk_status sk_receipt_forms_check(const struct sk_receipt *receipt,
                                      const struct sk_form_texts *texts, struct sk_error *err)
{
    bool same = receipt->form_count == texts->count;
    for (size_t i = 0; same && i < texts->count; i++) {
        uint8_t hash[SK_HASH_LEN];
        sk_own_form_hash(hash, sk_buf_text(&texts->items[i]), texts->items[i].len);
        same = memcmp(hash, receipt->forms[i].hash, sizeof(hash)) == 0;
    }
    return same ? SK_OK
                : sk_fail(err, SK_DAMAGED, "the receipt's forms are not those that it names");
}

/* ---- keeping ---- */

/* Reads a text; *out stays NULL where it is no form, or not the one of its line. */
static enum sk_status read_form(const struct sk_receipt_form *line, const struct sk_buf *text,
                                struct sk_own_form **out, struct sk_buf *words,
                                struct sk_error *err)
{
    sk_auto_own_form own = NULL;
    struct sk_error why = SK_ERROR_INIT;
    enum sk_status status = sk_own_form_read(&own, sk_buf_text(text), text->len, &why);
    if (status != SK_OK && status != SK_REFUSED)
        return sk_fail(err, status, "%s", why.text);
    if (status == SK_REFUSED)
        return sk_buf_printf(words, err, "the form %s was not taken, since it is broken: %s\n",
                             line->name, why.text);
    if (strcmp(sk_own_form_of(own)->name, line->name) != 0 ||
        sk_own_form_of(own)->version != line->version)
        return sk_buf_printf(words, err,
                             "the form %s was not taken, since it has another name or version "
                             "than the receipt says\n",
                             line->name);
    *out = sk_own_form_ref(own);
    return SK_OK;
}

static enum sk_status tell(const struct sk_form *form, enum sk_offer_outcome outcome, json_t *news,
                           struct sk_buf *words, struct sk_error *err)
{
    switch (outcome) {
    case SK_OFFER_NEW:
        return json_array_append_new(news, json_pack("{s:s, s:I, s:s}", "form", form->name,
                                                     "version", (json_int_t)form->version, "label",
                                                     form->label)) == 0
                   ? SK_OK
                   : sk_fail_status(err, SK_NOMEM);
    case SK_OFFER_OLDER:
        return sk_buf_printf(words, err,
                             "the form %s came in the older version %u, which was not taken\n",
                             form->name, form->version);
    case SK_OFFER_OTHER:
        return sk_buf_printf(words, err,
                             "the form %s came with other content under the version %u, which "
                             "was here before: it was not taken. Ask the archive\n",
                             form->name, form->version);
    case SK_OFFER_KNOWN:
    default:
        return SK_OK;
    }
}

/* A repaired store may hold records of which the form was lost: here it is again. */
static enum sk_status heal(struct sk_store *store, const struct sk_own_form *own,
                           struct sk_error *err)
{
    bool missed = false;
    SK_TRY(sk_log_form_missed(store, sk_own_form_of(own)->hash, &missed, err));
    return missed ? sk_log_form_append(store, own, err) : SK_OK;
}

struct listing {
    const struct sk_receipt *receipt;
    json_t *gone;
};

static enum sk_status see_gone(void *context, struct sk_own_form *own, struct sk_error *err)
{
    const struct listing *listing = context;
    const char *name = sk_own_form_of(own)->name;
    for (size_t i = 0; i < listing->receipt->form_count; i++)
        if (strcmp(listing->receipt->forms[i].name, name) == 0)
            return SK_OK;
    return json_array_append_new(listing->gone, json_string(name)) == 0
               ? SK_OK
               : sk_fail_status(err, SK_NOMEM);
}

/* What the archive offered and does not name any more. */
static enum sk_status drop_gone(struct sk_store *store, int64_t peer,
                                const struct sk_receipt *receipt, json_t *gone,
                                struct sk_error *err)
{
    struct listing listing = {receipt, gone};
    SK_TRY(sk_offer_each(store, peer, see_gone, &listing, err));
    for (size_t i = 0; i < json_array_size(gone); i++)
        SK_TRY(sk_offer_stop(store, peer, json_string_value(json_array_get(gone, i)), err));
    return SK_OK;
}

enum sk_status sk_receipt_forms_keep(struct sk_store *store, int64_t peer,
                                     const struct sk_receipt *receipt,
                                     const struct sk_form_texts *texts, json_t *news, json_t *gone,
                                     struct sk_buf *words, struct sk_error *err)
{
    SK_TRY(drop_gone(store, peer, receipt, gone, err));
    for (size_t i = 0; i < texts->count; i++) {
        sk_auto_own_form own = NULL;
        enum sk_offer_outcome outcome = SK_OFFER_KNOWN;
        SK_TRY(read_form(&receipt->forms[i], &texts->items[i], &own, words, err));
        if (!own)
            continue;
        SK_TRY(sk_offer_put(store, peer, own, &outcome, err));
        SK_TRY(tell(sk_own_form_of(own), outcome, news, words, err));
        SK_TRY(heal(store, own, err));
    }
    return SK_OK;
}

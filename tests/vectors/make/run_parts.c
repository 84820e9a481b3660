#include "core/item_internal.h"
#include "core/log.h"
#include "crypto/hash.h"
#include "sync/frames.h"
#include "sync/invite_parts.h"
#include "sync/manifest.h"
#include "sync/receipt_forms.h"
#include "sync/receipt_note.h"
#include "sync/volume.h"
#include "tests/vectors/make/run.h"

#include <sodium.h>
#include <string.h>

json_t *sk_result_class(const char *name)
{
    return json_pack("{s:s}", "class", name);
}

json_t *sk_result(enum sk_status status, json_t *content)
{
    if (status == SK_OK)
        return json_pack("{s:s, s:o}", "class", "ok", "content", content ? content : json_object());
    json_decref(content);
    return sk_result_class(sk_status_name(status));
}

void sk_input(struct sk_buf *out, const json_t *vector)
{
    sk_hex_pieces(out, json_object_get(vector, "input"));
}

json_t *sk_group_keys;

const json_t *sk_key(const json_t *vector, const char *name)
{
    const json_t *value = json_object_get(json_object_get(vector, "keys"), name);
    if (!value)
        value = json_object_get(sk_group_keys, name);
    MUST(value);
    return value;
}

static json_t *number(uint64_t n)
{
    return json_integer((json_int_t)n);
}

/* ---- manifest and entry ---- */

static json_t *hashes_json(const uint8_t (*hashes)[32], size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, sk_hex_json(hashes[i], 32));
    return list;
}

static json_t *manifest_json(const struct sk_manifest *m)
{
    return json_pack(
        "{s:i, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "k",
        m->k, "n", m->n, "sign", sk_hex_json(m->sign_public, 32), "dh",
        sk_hex_json(m->dh_public, 32), "set_id", sk_hex_json(m->set_id, 16), "number",
        number(m->number), "n0", number(m->n0), "n1", number(m->n1), "root",
        sk_hex_json(m->root, 32), "payloads", number(m->payload_count), "plain_bytes",
        number(m->plain_bytes), "indices", sk_hex_json(m->indices_hash, 32), "day", number(m->day),
        "header_hashes", hashes_json(m->header_hashes, m->n), "recipients",
        hashes_json(m->recipients, m->recipient_count), "peaks",
        hashes_json(m->peaks, sk_merkle_peak_count(m->n0)));
}

json_t *sk_run_manifest(const json_t *vector)
{
    sk_auto_buf in = SK_BUF_INIT;
    struct sk_manifest m;
    sk_input(&in, vector);
    enum sk_status status = sk_manifest_decode(&m, in.bytes, in.len, NULL);
    if (status != SK_OK)
        return sk_result(status, NULL);
    json_t *content = manifest_json(&m);
    json_object_set_new(content, "checkpoint", json_string(m.note));
    return sk_result(status, content);
}

json_t *sk_run_entry(const json_t *vector)
{
    sk_auto_buf in = SK_BUF_INIT;
    struct sk_entry e;
    uint8_t leaf[SK_MERKLE_LEN];
    sk_input(&in, vector);
    MUST(in.len == SK_ENTRY_LEN);
    if (sk_entry_decode(&e, in.bytes) != SK_OK)
        return sk_result_class("malformed");
    sk_merkle_leaf(leaf, in.bytes, in.len);
    return sk_result(
        SK_OK, json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "type", e.type, "flags",
                         number(e.flags | (e.unproven ? UINT32_C(1) << 31 : 0)), "day",
                         number(e.day), "id", sk_hex_json(e.id.bytes, SK_ID_LEN), "revision",
                         number(e.revision), "commitment", sk_hex_json(e.commitment, 32),
                         "previous", sk_hex_json(e.previous, 32), "payload",
                         (int)sk_entry_has_payload(&e), "leaf", sk_hex_json(leaf, 32)));
}

/* ---- frames ---- */

struct bytes_left {
    const uint8_t *at;
    size_t left;
};

static enum sk_status read_bytes(void *context, void *out, size_t len, struct sk_error *err)
{
    struct bytes_left *bytes = context;
    if (len > bytes->left)
        return sk_fail(err, SK_DAMAGED, "the stream ends");
    memcpy(out, bytes->at, len);
    bytes->at += len;
    bytes->left -= len;
    return SK_OK;
}

/* Text and body are told by their hash, since they may be long. */
static enum sk_status read_payloads(struct sk_frames_reader *reader, uint64_t left, json_t *list)
{
    sk_auto_buf hashes = SK_BUF_INIT;
    sk_auto_buf bytes = SK_BUF_INIT;
    struct sk_payload_head head;
    uint8_t digest[crypto_hash_sha256_BYTES];
    for (;;) {
        bool more = false;
        SK_TRY(sk_frames_next(reader, &head, &hashes, left, &more, NULL));
        if (!more)
            return SK_OK;
        size_t len = (size_t)(head.text_len + head.body_len);
        left -= len;
        sk_buf_reset(&bytes);
        MUST(sk_buf_grow(&bytes, len, NULL) == SK_OK);
        SK_TRY(sk_frames_read(reader, bytes.bytes, len, NULL));
        crypto_hash_sha256(digest, bytes.bytes, len);
        json_array_append_new(
            list, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "index", number(head.index), "salt",
                            sk_hex_json(head.salt, SK_SALT_LEN), "text_length",
                            number(head.text_len), "body_length", number(head.body_len), "hashes",
                            sk_hex_json(hashes.bytes, hashes.len), "sha256",
                            sk_hex_json(digest, sizeof(digest))));
    }
}

json_t *sk_run_frames(const json_t *vector)
{
    sk_auto_buf in = SK_BUF_INIT;
    struct sk_frames_reader *reader = NULL;
    json_t *list = json_array();
    sk_input(&in, vector);
    struct bytes_left bytes = {in.bytes, in.len};
    MUST(sk_frames_reader_new(&reader, (struct sk_source){read_bytes, &bytes}, NULL) == SK_OK);
    enum sk_status status =
        read_payloads(reader, (uint64_t)json_integer_value(sk_key(vector, "plain_bytes")), list);
    sk_frames_reader_free(reader);
    return sk_result(status, list);
}

/* ---- notes, receipts' text ---- */

json_t *sk_run_note(const json_t *vector)
{
    sk_auto_buf in = SK_BUF_INIT;
    uint8_t log_id[32];
    uint8_t sign[32];
    struct sk_checkpoint head;
    sk_input(&in, vector);
    sk_hex_exactly(log_id, 32, sk_key(vector, "log"));
    sk_hex_exactly(sign, 32, sk_key(vector, "sign"));
    MUST(!memchr(in.bytes, 0, in.len));
    enum sk_status status = sk_log_check_note(log_id, sign, sk_buf_text(&in), &head, NULL);
    if (status != SK_OK)
        return sk_result(status, NULL);
    /* A size of 64 bits may be more than JSON holds everywhere. */
    json_t *size = json_sprintf("%llu", (unsigned long long)head.size);
    return sk_result(status,
                     json_pack("{s:o, s:o}", "size", size, "root", sk_hex_json(head.root, 32)));
}

static json_t *ranges_json(const struct sk_ranges *ranges)
{
    json_t *out = json_array();
    for (size_t i = 0; i < ranges->count; i++)
        json_array_append_new(
            out, json_pack("[o, o]", number(ranges->items[i].from), number(ranges->items[i].to)));
    return out;
}

json_t *sk_run_receipt_text(const json_t *vector)
{
    sk_auto_buf in = SK_BUF_INIT;
    sk_auto_receipt r = {.stored = NULL};
    sk_input(&in, vector);
    enum sk_status status = sk_receipt_parse(&r, sk_buf_text(&in), in.len, NULL);
    if (status != SK_OK)
        return sk_result(status, NULL);
    json_t *stored = json_array();
    for (size_t i = 0; i < r.stored_count; i++)
        json_array_append_new(stored,
                              json_pack("[o, o, o]", number(r.stored[i].from),
                                        number(r.stored[i].to), sk_hex_json(r.stored[i].root, 32)));
    json_t *content = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:[i, i, i]}", "archive",
        sk_hex_json(r.archive_id, 32), "log", sk_hex_json(r.log_id, 32), "number", number(r.number),
        "day", number(r.day), "size", number(r.size), "root", sk_hex_json(r.root, 32), "stored",
        stored, "wanted", ranges_json(&r.wanted), "remarks",
        (int)r.remark_counts[SK_REMARK_QUARANTINED], (int)r.remark_counts[SK_REMARK_MALFORMED],
        (int)r.remark_counts[SK_REMARK_NOTICE]);
    if (r.bare.count > 0)
        json_object_set_new(content, "bare", ranges_json(&r.bare));
    if (r.withdrawn.count > 0)
        json_object_set_new(content, "withdrawn", ranges_json(&r.withdrawn));
    if (r.revokes)
        json_object_set_new(content, "revoked", number(r.revoked));
    if (r.renews)
        json_object_set_new(content, "next",
                            json_pack("[o, o]", sk_hex_json(r.next.dh_public, SK_DH_LEN),
                                      sk_hex_json(r.next.sign_public, SK_SIGN_PUBLIC_LEN)));
    if (r.form_count > 0) {
        json_t *forms = json_array();
        for (size_t i = 0; i < r.form_count; i++)
            json_array_append_new(forms, json_pack("[s, I, o]", r.forms[i].name,
                                                   (json_int_t)r.forms[i].version,
                                                   sk_hex_json(r.forms[i].hash, 32)));
        json_object_set_new(content, "forms", forms);
    }
    return sk_result(status, content);
}

/* ---- invites ---- */

static json_t *invite_json(const struct sk_invite *invite)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:s, s:s}", "archive",
                     sk_hex_json(invite->archive_id, 32), "dh", sk_hex_json(invite->dh_public, 32),
                     "sign", sk_hex_json(invite->sign_public, 32), "psk",
                     sk_hex_json(invite->psk, 32), "name", invite->name, "alias", invite->alias);
}

/* By a device that has not taken it: the fixed one has, and so it comes under another id. */
static enum sk_status take_invite(const struct sk_invite *invite)
{
    struct sk_invite other = *invite;
    struct sk_store *store = sk_fixed_store(SK_STORE_DEVICE);
    other.archive_id[0] ^= 1;
    enum sk_status status = sk_invite_add_archive(store, &other, NULL);
    sk_fixed_store_remove(store);
    return status;
}

json_t *sk_run_invite(const json_t *vector)
{
    sk_auto_buf in = SK_BUF_INIT;
    struct sk_invite invite;
    sk_input(&in, vector);
    MUST(in.len <= SK_INVITE_PLAIN_LEN);
    size_t rest = SK_INVITE_PLAIN_LEN - in.len; /* zeros */
    MUST(sk_buf_grow(&in, rest, NULL) == SK_OK);
    memset(in.bytes + in.len, 0, rest);
    enum sk_status status = sk_invite_decode(&invite, in.bytes, NULL);
    if (status == SK_OK)
        status = take_invite(&invite);
    return sk_result(status, status == SK_OK ? invite_json(&invite) : NULL);
}

json_t *sk_run_invite_file(const json_t *vector)
{
    sk_auto_buf in = SK_BUF_INIT;
    struct sk_invite invite;
    sk_input(&in, vector);
    enum sk_status status =
        sk_invite_open(&invite, in.bytes, in.len, json_string_value(sk_key(vector, "words")), NULL);
    return sk_result(status, status == SK_OK ? invite_json(&invite) : NULL);
}

/* ---- small ones ---- */

json_t *sk_run_length(const json_t *vector)
{
    uint64_t len = (uint64_t)json_integer_value(json_object_get(vector, "input"));
    if (!sk_volume_length_valid(len))
        return sk_result_class("damaged");
    return sk_result(SK_OK, json_pack("{s:o}", "chunks", number(len / SK_CHUNK_LEN - 1)));
}

json_t *sk_run_ratchet(const json_t *vector)
{
    sk_auto_buf in = SK_BUF_INIT;
    struct sk_slot_keys keys;
    uint8_t key[32];
    uint8_t tag[16];
    static const uint8_t n0[32] = {1, 2, 3};
    sk_input(&in, vector);
    MUST(in.len == 32);
    memcpy(key, in.bytes, 32);
    if (json_is_true(sk_key(vector, "receipts")))
        sk_ratchet_receipts(key, key);
    for (json_int_t i = json_integer_value(sk_key(vector, "index")); i > 0; i--)
        sk_ratchet_next(key, key);
    sk_ratchet_keys(&keys, key);
    sk_slot_tag(tag, keys.tag, n0);
    return sk_result(SK_OK,
                     json_pack("{s:o, s:o, s:o, s:o, s:o}", "psk", sk_hex_json(key, 32), "tk",
                               sk_hex_json(keys.tag, 32), "mk", sk_hex_json(keys.mask, 32), "wk",
                               sk_hex_json(keys.wrap, 32), "tag", sk_hex_json(tag, 16)));
}

json_t *sk_run_code(const json_t *vector)
{
    sk_auto_buf in = SK_BUF_INIT;
    char code[SK_CODE_LEN];
    const char *typed = json_string_value(sk_key(vector, "typed"));
    sk_input(&in, vector);
    MUST(in.len == 32);
    if (!sk_code_matches(typed, in.bytes))
        return sk_result_class("refused");
    sk_code_format(code, in.bytes);
    return sk_result(SK_OK, json_pack("{s:s}", "code", code));
}

/* The forms that the log of a text holds: those of the list that are some. */
static enum sk_status find_form(void *context, const uint8_t hash[static SK_HASH_LEN],
                                struct sk_own_form **out, struct sk_error *err)
{
    size_t i;
    json_t *hex;
    (void)err;
    json_array_foreach((json_t *)context, i, hex)
    {
        sk_auto_buf text = SK_BUF_INIT;
        sk_auto_own_form own = NULL;
        sk_hex_add(&text, json_string_value(hex));
        if (sk_own_form_read(&own, sk_buf_text(&text), text.len, NULL) == SK_OK &&
            memcmp(sk_own_form_of(own)->hash, hash, SK_HASH_LEN) == 0) {
            *out = sk_own_form_ref(own);
            return SK_OK;
        }
    }
    return SK_OK;
}

json_t *sk_run_text(const json_t *vector)
{
    const struct sk_form_source forms = {find_form,
                                         json_object_get(json_object_get(vector, "keys"), "forms")};
    sk_auto_buf in = SK_BUF_INIT;
    sk_auto_meaning meaning = {.json = NULL};
    sk_input(&in, vector);
    enum sk_status status = sk_meaning_read(
        &meaning, (unsigned)json_integer_value(sk_key(vector, "type")), sk_buf_text(&in), in.len,
        (uint64_t)json_integer_value(sk_key(vector, "body_length")), &forms, NULL);
    if (status == SK_REFUSED)
        return sk_result_class("malformed");
    if (json_is_array(json_object_get(vector, "input")))
        return sk_result(status, NULL);
    return sk_result(status, json_pack("{s:O}", "members", meaning.json));
}

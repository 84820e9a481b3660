/*
 * Invite file: salt[16] | sealed[4040] | nonce[24] | tag[16]. The content, by offset: u32 version |
 * 4 dh_public[32] | 36 sign_public[32] | 68 psk[32] | 100 u8 name length | 101 name[100] |
 * 201 u8 alias length | 202 alias[100] | 302 archive_id[32] | 334 signature[64] | 398 zeros.
 */
#include "sync/invite_parts.h"

#include "core/text.h"
#include "crypto/aead.h"
#include "crypto/bytes.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "sync/looks.h"

#include <string.h>

#define VERSION      1u
#define CONTEXT      "skrynia invite 1" /* signed with its NUL */
#define DH_AT        4
#define SIGN_AT      36
#define PSK_AT       68
#define NAME_AT      100
#define ALIAS_AT     201
#define ID_AT        302
#define SIGNATURE_AT (ID_AT + SK_HASH_LEN)
#define ZEROS_AT     (SIGNATURE_AT + SK_SIGNATURE_LEN)

_Static_assert(SK_INVITE_PLAIN_LEN == SK_INVITE_FILE_LEN - SK_KDF_SALT_LEN - SK_PAGE_OVERHEAD,
               "content");
_Static_assert(ALIAS_AT == NAME_AT + 1 + SK_ALIAS_MAX, "name");
_Static_assert(ID_AT == ALIAS_AT + 1 + SK_ALIAS_MAX, "alias");

/* Always the full price, whatever the store's own unlock costs: the file travels and can be kept.
 */
static const struct sk_kdf_params kdf = {SK_KDF_MEMORY_KIB, SK_KDF_PASSES, 0};

struct content {
    uint8_t bytes[SK_INVITE_PLAIN_LEN];
};
static void content_cleanup(struct content *content)
{
    sk_wipe(content, sizeof(*content));
}
#define auto_content __attribute__((cleanup(content_cleanup))) struct content

struct signed_part {
    uint8_t bytes[sizeof(CONTEXT) + SIGNATURE_AT]; /* sizeof counts the NUL */
};
static void signed_part_cleanup(struct signed_part *part)
{
    sk_wipe(part, sizeof(*part));
}
#define auto_signed_part __attribute__((cleanup(signed_part_cleanup))) struct signed_part

void sk_invite_clear(struct sk_invite *invite)
{
    sk_wipe(invite, sizeof(*invite));
}

bool sk_invite_possible(uint64_t file_len)
{
    return file_len == SK_INVITE_FILE_LEN;
}

/* ---- content ---- */

/* A name stands in messages and is typed back by a person: only what can be shown as it is. */
enum sk_status sk_invite_check_name(const char *name, enum sk_status status, const char *what,
                                    struct sk_error *err)
{
    sk_auto_buf shown = SK_BUF_INIT;
    size_t len = strlen(name);
    if (len < 1 || len > SK_ALIAS_MAX)
        return sk_fail(err, status, "%s must have 1 to %d bytes", what, SK_ALIAS_MAX);
    SK_TRY(sk_text_show(&shown, name, len, false, 0, err));
    if (shown.len != len || memcmp(sk_buf_text(&shown), name, len) != 0)
        return sk_fail(err, status, "%s has characters that cannot be shown", what);
    return SK_OK;
}

static void put_name(uint8_t *at, const char *name)
{
    size_t len = strlen(name);
    at[0] = (uint8_t)len;
    memcpy(at + 1, name, len);
}

/* out: SK_ALIAS_MAX + 1 bytes. Strict: each name has one encoding. */
static enum sk_status get_name(char *out, const uint8_t *at, const char *what, struct sk_error *err)
{
    size_t len = at[0];
    if (len > SK_ALIAS_MAX)
        return sk_fail(err, SK_DAMAGED, "the invite is malformed");
    memcpy(out, at + 1, len);
    out[len] = '\0';
    for (size_t i = 0; i < SK_ALIAS_MAX; i++)
        if ((at[1 + i] != 0) != (i < len))
            return sk_fail(err, SK_DAMAGED, "the invite is malformed");
    return sk_invite_check_name(out, SK_DAMAGED, what, err);
}

static void sign_part(struct signed_part *part, const uint8_t *content)
{
    memcpy(part->bytes, CONTEXT, sizeof(CONTEXT));
    memcpy(part->bytes + sizeof(CONTEXT), content, SIGNATURE_AT);
}

void sk_invite_encode(uint8_t out[static SK_INVITE_PLAIN_LEN], const struct sk_invite *invite,
                      const uint8_t seed[static SK_SIGN_SEED_LEN])
{
    auto_signed_part part = {{0}};
    memset(out, 0, SK_INVITE_PLAIN_LEN);
    sk_put_u32(out, VERSION);
    memcpy(out + DH_AT, invite->dh_public, SK_DH_LEN);
    memcpy(out + SIGN_AT, invite->sign_public, SK_SIGN_PUBLIC_LEN);
    memcpy(out + PSK_AT, invite->psk, sizeof(invite->psk));
    put_name(out + NAME_AT, invite->name);
    put_name(out + ALIAS_AT, invite->alias);
    memcpy(out + ID_AT, invite->archive_id, SK_HASH_LEN);
    sign_part(&part, out);
    sk_sign(out + SIGNATURE_AT, part.bytes, sizeof(part.bytes), seed);
}

/* The version comes first, then the signature: nothing that the archive did not sign is looked at.
 */
enum sk_status sk_invite_decode(struct sk_invite *out, const uint8_t in[static SK_INVITE_PLAIN_LEN],
                                struct sk_error *err)
{
    auto_signed_part part = {{0}};
    sk_auto_invite invite = {0};
    uint32_t version = sk_get_u32(in);
    if (version > VERSION)
        return sk_fail(err, SK_CONFIG, "the invite was made by a newer version of this program");
    sign_part(&part, in);
    if (version < VERSION ||
        sk_sign_verify(in + SIGNATURE_AT, part.bytes, sizeof(part.bytes), in + SIGN_AT) != SK_OK)
        return sk_fail(err, SK_DAMAGED, "the invite is malformed");
    for (size_t i = ZEROS_AT; i < SK_INVITE_PLAIN_LEN; i++)
        if (in[i] != 0)
            return sk_fail(err, SK_DAMAGED, "the invite is malformed");
    SK_TRY(get_name(invite.name, in + NAME_AT, "the archive's name", err));
    SK_TRY(get_name(invite.alias, in + ALIAS_AT, "the alias", err));
    memcpy(invite.archive_id, in + ID_AT, SK_HASH_LEN);
    memcpy(invite.dh_public, in + DH_AT, SK_DH_LEN);
    memcpy(invite.sign_public, in + SIGN_AT, SK_SIGN_PUBLIC_LEN);
    memcpy(invite.psk, in + PSK_AT, sizeof(invite.psk));
    *out = invite;
    return SK_OK;
}

/* ---- code words ---- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The words in lower case, one space between two: people write lists with commas and numbers. */
static enum sk_status normalise(struct sk_buf *out, const char *code, struct sk_error *err)
{
    bool gap = false;
    SK_TRY(sk_buf_grow(out, strlen(code), err));
    for (; *code; code++) {
        if (!is_letter(*code)) {
            gap = true;
            continue;
        }
        if (gap && out->len > 0)
            SK_TRY(sk_buf_add_byte(out, ' ', err));
        gap = false;
        bool upper = *code >= 'A' && *code <= 'Z';
        SK_TRY(sk_buf_add_byte(out, (uint8_t)(upper ? *code - 'A' + 'a' : *code), err));
    }
    return SK_OK;
}

static enum sk_status code_key(struct sk_key *out, const struct sk_buf *words,
                               const uint8_t salt[static SK_KDF_SALT_LEN], struct sk_error *err)
{
    sk_auto_secret slow = NULL;
    enum sk_status status = sk_kdf_passphrase(&slow, words->bytes, words->len, salt, &kdf);
    if (status)
        return sk_fail_status(err, status);
    sk_hash_of(out->bytes, sk_secret_view(slow), SK_LABEL_INVITE, NULL, 0);
    return SK_OK;
}

/* ---- sealing and opening ---- */

enum sk_status sk_invite_seal(struct sk_buf *out, const struct sk_invite *invite,
                              const uint8_t seed[static SK_SIGN_SEED_LEN], const char *code,
                              struct sk_error *err)
{
    auto_content content = {{0}};
    uint8_t file[SK_INVITE_FILE_LEN];
    sk_auto_buf words = SK_BUF_INIT;
    sk_auto_key key = {{0}};

    SK_TRY(sk_invite_check_name(invite->name, SK_USAGE, "the archive's name", err));
    SK_TRY(sk_invite_check_name(invite->alias, SK_USAGE, "an alias", err));
    SK_TRY(normalise(&words, code, err));
    if (words.len == 0)
        return sk_fail(err, SK_USAGE, "an invite needs code words");
    sk_looks_random(file, SK_KDF_SALT_LEN);
    SK_TRY(code_key(&key, &words, file, err));
    sk_invite_encode(content.bytes, invite, seed);
    sk_page_seal(file + SK_KDF_SALT_LEN, content.bytes, SK_INVITE_PLAIN_LEN, NULL, 0, key.bytes);
    return sk_buf_add(out, file, sizeof(file), err);
}

enum sk_status sk_invite_open(struct sk_invite *out, const uint8_t *bytes, size_t len,
                              const char *code, struct sk_error *err)
{
    auto_content content = {{0}};
    sk_auto_buf words = SK_BUF_INIT;
    sk_auto_key key = {{0}};

    if (len != SK_INVITE_FILE_LEN)
        return sk_fail(err, SK_DAMAGED, "this is not an invite: it has another length");
    SK_TRY(normalise(&words, code, err));
    SK_TRY(code_key(&key, &words, bytes, err));
    if (sk_page_open(content.bytes, bytes + SK_KDF_SALT_LEN, SK_INVITE_PLAIN_LEN, NULL, 0,
                     key.bytes) != SK_OK)
        return sk_fail(err, SK_WRONG_KEY,
                       "the invite does not open: the code words are wrong or the file is damaged");
    return sk_invite_decode(out, content.bytes, err);
}

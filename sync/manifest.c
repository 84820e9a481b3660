#include "sync/manifest.h"

#include "crypto/bytes.h"

#include <string.h>

#define VERSION   1u
#define FIXED_LEN 200 /* before the lists */

_Static_assert(SK_VOLUMES_MAX <= UINT8_MAX && SK_ARCHIVES_MAX <= UINT8_MAX, "counts are bytes");

/* ---- what a manifest may say ---- */

static enum sk_status check_lists(const struct sk_manifest *m, struct sk_error *err)
{
    if (m->n > SK_VOLUMES_MAX || m->recipient_count > SK_ARCHIVES_MAX)
        return sk_fail(err, SK_LIMIT, "the manifest names too many volumes or archives");
    if (m->k < 1 || m->k > m->n || m->recipient_count < 1)
        return sk_fail(err, SK_DAMAGED, "the manifest's counts do not fit together");
    for (size_t i = 1; i < m->recipient_count; i++)
        if (memcmp(m->recipients[i - 1], m->recipients[i], 32) >= 0)
            return sk_fail(err, SK_DAMAGED, "the manifest's archives are not in order");
    return SK_OK;
}

static enum sk_status check_numbers(const struct sk_manifest *m, struct sk_error *err)
{
    if (m->number > INT64_MAX || m->n1 >= SK_POSITION_MAX || m->plain_bytes > SK_BUNDLE_PLAIN_MAX)
        return sk_fail(err, SK_LIMIT, "the manifest's numbers are too large");
    if (m->number < 1 || m->n0 >= m->n1)
        return sk_fail(err, SK_DAMAGED, "the manifest's numbers do not fit together");
    if (m->n1 - m->n0 > SK_BUNDLE_ENTRIES_MAX)
        return sk_fail(err, SK_LIMIT, "the bundle has too many entries");
    if (m->payload_count > m->n1 - m->n0 || (m->payload_count == 0 && m->plain_bytes > 0))
        return sk_fail(err, SK_DAMAGED, "the manifest's numbers do not fit together");
    return SK_OK;
}

/* The note's length, or 0 when it is empty or too long. */
static size_t note_len(const struct sk_manifest *m)
{
    size_t len = strnlen(m->note, sizeof(m->note));
    return len < sizeof(m->note) ? len : 0;
}

static enum sk_status check(const struct sk_manifest *m, struct sk_error *err)
{
    SK_TRY(check_lists(m, err));
    SK_TRY(check_numbers(m, err));
    if (note_len(m) == 0)
        return sk_fail(err, SK_DAMAGED, "the manifest has no checkpoint");
    return SK_OK;
}

/* ---- encoding ---- */

static void encode_fixed(uint8_t out[static FIXED_LEN], const struct sk_manifest *m)
{
    memset(out, 0, FIXED_LEN);
    sk_put_u32(out, VERSION);
    out[4] = m->k;
    out[5] = m->n;
    out[6] = m->recipient_count;
    memcpy(out + 8, m->sign_public, 32);
    memcpy(out + 40, m->dh_public, 32);
    memcpy(out + 72, m->set_id, SK_SET_ID_LEN);
    sk_put_u64(out + 88, m->number);
    sk_put_u64(out + 96, m->n0);
    sk_put_u64(out + 104, m->n1);
    memcpy(out + 112, m->root, 32);
    sk_put_u64(out + 144, m->payload_count);
    sk_put_u64(out + 152, m->plain_bytes);
    memcpy(out + 160, m->indices_hash, 32);
    sk_put_u32(out + 192, m->day);
    sk_put_u32(out + 196, (uint32_t)note_len(m));
}

enum sk_status sk_manifest_encode(struct sk_buf *out, const struct sk_manifest *manifest,
                                  struct sk_error *err)
{
    uint8_t fixed[FIXED_LEN];
    size_t peaks = sk_merkle_peak_count(manifest->n0);
    size_t note = note_len(manifest);

    SK_TRY(check(manifest, err));
    size_t len = FIXED_LEN + ((size_t)manifest->n + manifest->recipient_count + peaks) * 32 + note;
    SK_TRY(sk_buf_grow(out, len, err)); /* the rest cannot fail half-way */
    encode_fixed(fixed, manifest);
    SK_TRY(sk_buf_add(out, fixed, sizeof(fixed), err));
    SK_TRY(sk_buf_add(out, manifest->header_hashes, (size_t)manifest->n * 32, err));
    SK_TRY(sk_buf_add(out, manifest->recipients, (size_t)manifest->recipient_count * 32, err));
    SK_TRY(sk_buf_add(out, manifest->peaks, peaks * 32, err));
    return sk_buf_add(out, manifest->note, note, err);
}

/* ---- decoding ---- */

/* The note's length comes back apart: the text itself is checked against it. */
static enum sk_status decode_fixed(struct sk_manifest *m, uint32_t *note, const uint8_t *in,
                                   size_t len, struct sk_error *err)
{
    if (len > SK_MANIFEST_MAX)
        return sk_fail(err, SK_LIMIT, "the manifest is too long");
    if (len < 4 || sk_get_u32(in) == 0)
        return sk_fail(err, SK_DAMAGED, "the manifest is damaged");
    if (sk_get_u32(in) > VERSION)
        return sk_fail(err, SK_CONFIG, "made by a newer version of this program");
    if (len < FIXED_LEN || in[7] != 0)
        return sk_fail(err, SK_DAMAGED, "the manifest is damaged");
    m->k = in[4];
    m->n = in[5];
    m->recipient_count = in[6];
    memcpy(m->sign_public, in + 8, 32);
    memcpy(m->dh_public, in + 40, 32);
    memcpy(m->set_id, in + 72, SK_SET_ID_LEN);
    m->number = sk_get_u64(in + 88);
    m->n0 = sk_get_u64(in + 96);
    m->n1 = sk_get_u64(in + 104);
    memcpy(m->root, in + 112, 32);
    m->payload_count = sk_get_u64(in + 144);
    m->plain_bytes = sk_get_u64(in + 152);
    memcpy(m->indices_hash, in + 160, 32);
    m->day = sk_get_u32(in + 192);
    *note = sk_get_u32(in + 196);
    return SK_OK;
}

static const uint8_t *take_hashes(uint8_t (*out)[32], const uint8_t *in, size_t count)
{
    memcpy(out, in, count * 32);
    return in + count * 32;
}

/* The counts and numbers are checked before a list is read by them, the order of the archives when
 * they are there. */
static enum sk_status decode_lists(struct sk_manifest *m, uint32_t note, const uint8_t *in,
                                   size_t len, struct sk_error *err)
{
    if (m->n > SK_VOLUMES_MAX || m->recipient_count > SK_ARCHIVES_MAX)
        return sk_fail(err, SK_LIMIT, "the manifest names too many volumes or archives");
    if (note >= sizeof(m->note))
        return sk_fail(err, SK_LIMIT, "the manifest's checkpoint is too long");
    SK_TRY(check_numbers(m, err));
    size_t peaks = sk_merkle_peak_count(m->n0);
    if (len != FIXED_LEN + ((size_t)m->n + m->recipient_count + peaks) * 32 + note)
        return sk_fail(err, SK_DAMAGED, "the manifest has another length than its parts");

    in = take_hashes(m->header_hashes, in + FIXED_LEN, m->n);
    in = take_hashes(m->recipients, in, m->recipient_count);
    in = take_hashes(m->peaks, in, peaks);
    memcpy(m->note, in, note);
    if (note_len(m) != note)
        return sk_fail(err, SK_DAMAGED, "the manifest's checkpoint is not a text");
    return check(m, err);
}

enum sk_status sk_manifest_decode(struct sk_manifest *out, const uint8_t *bytes, size_t len,
                                  struct sk_error *err)
{
    struct sk_manifest m = {0};
    uint32_t note = 0;
    SK_TRY(decode_fixed(&m, &note, bytes, len, err));
    SK_TRY(decode_lists(&m, note, bytes, len, err));
    *out = m;
    return SK_OK;
}

/* ---- signing ---- */

struct signed_bytes {
    uint8_t bytes[sizeof(SK_MANIFEST_CONTEXT) + SK_MANIFEST_MAX]; /* sizeof counts the NUL */
};

static size_t join(struct signed_bytes *out, const uint8_t *encoded, size_t len)
{
    memcpy(out->bytes, SK_MANIFEST_CONTEXT, sizeof(SK_MANIFEST_CONTEXT));
    memcpy(out->bytes + sizeof(SK_MANIFEST_CONTEXT), encoded, len);
    return sizeof(SK_MANIFEST_CONTEXT) + len;
}

void sk_manifest_sign(const struct sk_store *store, uint8_t signature[static SK_SIGNATURE_LEN],
                      const uint8_t *encoded, size_t len)
{
    struct signed_bytes message;
    if (len > SK_MANIFEST_MAX) { /* nothing that sk_manifest_encode() makes */
        memset(signature, 0, SK_SIGNATURE_LEN);
        return;
    }
    sk_store_sign(store, signature, message.bytes, join(&message, encoded, len));
}

enum sk_status sk_manifest_verify(const uint8_t signature[static SK_SIGNATURE_LEN],
                                  const uint8_t *encoded, size_t len,
                                  const uint8_t sign_public[static SK_SIGN_PUBLIC_LEN],
                                  struct sk_error *err)
{
    struct signed_bytes message;
    if (len > SK_MANIFEST_MAX)
        return sk_fail(err, SK_LIMIT, "the manifest is too long");
    if (sk_sign_verify(signature, message.bytes, join(&message, encoded, len), sign_public) !=
        SK_OK)
        return sk_fail(err, SK_DAMAGED, "the manifest's signature is wrong");
    return SK_OK;
}

/*
 * Invites: their content, and files as they travel.
 */
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "sync/invite_parts.h"
#include "tests/vectors/make/group.h"

#include <sodium.h>
#include <string.h>

#define SIGNED_LEN 334
#define CONTENT    398 /* up to the zeros */

static struct sk_invite honest_invite(void)
{
    struct sk_invite invite = {.name = "archive", .alias = "lark"};
    memcpy(invite.archive_id, sk_archive.id, 32);
    memcpy(invite.dh_public, sk_archive.dh_public, 32);
    memcpy(invite.sign_public, sk_archive.sign_public, 32);
    memcpy(invite.psk, sk_psk, 32);
    return invite;
}

static void sign_again(struct sk_buf *content)
{
    static const char context[] = "skrynia invite 1";
    uint8_t message[sizeof(context) + SIGNED_LEN];
    memcpy(message, context, sizeof(context));
    memcpy(message + sizeof(context), content->bytes, SIGNED_LEN);
    sk_sign(content->bytes + SIGNED_LEN, message, sizeof(message), sk_archive.seed);
}

void sk_make_invites(void)
{
    static const struct sk_edit_case signed_rows[] = {
        {"honest", "a name and an alias", "ok", {{0}}},
        {"a name of 100 bytes",
         "the longest",
         "ok",
         {{1, SK_SET, 100, "64"},
          {1, SK_SET, 108,
           "616161616161616161616161616161616161616161616161616161616161616161616161616161616161616"
           "1"
           "616161616161616161616161616161616161616161616161616161616161616161616161616161616161616"
           "1"
           "6161616161"}}},
        {"a name in Cyrillic", "names are UTF-8", "ok", {{1, SK_SET, 100, "06d0b0d0b1d0b200"}}},
        {"an alias of one blank", "it can be shown", "ok", {{1, SK_SET, 201, "012000000000"}}},
        {"version 0", "there is no such version", "damaged", {{1, SK_SET, 0, "00"}}},
        {"version 2", "a newer version", "config", {{1, SK_SET, 0, "02"}}},
        {"version 2^24 + 1", "the version has four bytes", "config", {{1, SK_SET, 3, "01"}}},
        {"an empty name", "1 to 100 bytes", "damaged", {{1, SK_SET, 100, "0000000000000000"}}},
        {"a name of 101 bytes", "1 to 100 bytes", "damaged", {{1, SK_SET, 100, "65"}}},
        {"a name shorter than its bytes", "zeros behind it", "damaged", {{1, SK_SET, 100, "06"}}},
        {"a name longer than its bytes", "no NUL in it", "damaged", {{1, SK_SET, 100, "08"}}},
        {"a byte at the end of the name's field",
         "zeros behind the name",
         "damaged",
         {{1, SK_SET, 200, "61"}}},
        {"an escape in a name", "it cannot be shown as it is", "damaged", {{1, SK_SET, 101, "1b"}}},
        {"a newline in an alias",
         "it cannot be shown as it is",
         "damaged",
         {{1, SK_SET, 203, "0a"}}},
        {"a right-to-left override in a name",
         "it cannot be shown as it is",
         "damaged",
         {{1, SK_SET, 101, "e280ae"}}},
        {"a name that is no UTF-8", "names are UTF-8", "damaged", {{1, SK_SET, 101, "ff"}}},
        {"an overlong encoding", "names are UTF-8", "damaged", {{1, SK_SET, 101, "c1a1"}}},
        {"U+FFFE in a name", "it is no character", "damaged", {{1, SK_SET, 101, "efbfbe"}}},
        {"U+10FFFF in a name", "it is no character", "damaged", {{1, SK_SET, 101, "f48fbfbf"}}},
        {"U+FFFD in a name", "it can be shown", "ok", {{1, SK_SET, 101, "efbfbd"}}},
        {"a surrogate", "names are UTF-8", "damaged", {{1, SK_SET, 101, "eda080"}}},
        {"an X25519 key of zeros",
         "every agreement with it is zero",
         "damaged",
         {{1, SK_SET, 4, "0000000000000000000000000000000000000000000000000000000000000000"}}},
        {"the X25519 key 1",
         "it is of low order",
         "damaged",
         {{1, SK_SET, 4, "0100000000000000000000000000000000000000000000000000000000000000"}}},
        {"an X25519 key of order 8",
         "it is of low order",
         "damaged",
         {{1, SK_SET, 4, "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"}}},
        {"a name of 255 bytes", "1 to 100 bytes", "damaged", {{1, SK_SET, 100, "ff"}}},
        {"an empty alias", "1 to 100 bytes", "damaged", {{1, SK_SET, 201, "0000000000"}}},
    };
    static const struct sk_edit_case unsigned_rows[] = {
        {"another X25519 key", "it was not signed", "damaged", {{1, SK_XOR, 4, "01"}}},
        {"version 2, with a wrong signature",
         "the version comes before the signature",
         "config",
         {{1, SK_SET, 0, "02"}}},
        {"another PSK", "it was not signed", "damaged", {{1, SK_XOR, 68, "01"}}},
        {"another signature", "a bit of it", "damaged", {{1, SK_XOR, SIGNED_LEN, "01"}}},
        {"a byte in the zeros", "behind the signature", "damaged", {{1, SK_INSERT, -1, "0001"}}},
    };
    const struct sk_invite invite = honest_invite();
    uint8_t content[SK_INVITE_PLAIN_LEN];
    sk_invite_encode(content, &invite, sk_archive.seed);
    for (size_t i = 0; i < sizeof(signed_rows) / sizeof(signed_rows[0]); i++) {
        const struct sk_edit_case *row = &signed_rows[i];
        const struct sk_edit_case as_it_is = {row->name, row->shows, row->class, {{0}}};
        sk_auto_buf changed = SK_BUF_INIT;
        MUST(sk_buf_add(&changed, content, CONTENT, NULL) == SK_OK);
        for (size_t k = 0; k < 3; k++)
            if (row->edits[k].stage)
                sk_edit_apply(&changed, &row->edits[k]);
        sign_again(&changed);
        sk_vector_edited(&as_it_is, &changed, NULL);
    }
    sk_auto_buf honest = SK_BUF_INIT;
    MUST(sk_buf_add(&honest, content, CONTENT, NULL) == SK_OK);
    for (size_t i = 0; i < sizeof(unsigned_rows) / sizeof(unsigned_rows[0]); i++)
        sk_vector_edited(&unsigned_rows[i], &honest, NULL);
}

/* ---- files ---- */

#define WORDS "acid bulb cork dune echo fern gold hush"

/* As sk_invite_seal() does, with a salt and a nonce that are fixed. */
static void seal(uint8_t out[static SK_INVITE_FILE_LEN])
{
    static const struct sk_kdf_params params = {SK_KDF_MEMORY_KIB, SK_KDF_PASSES, 0};
    const struct sk_invite invite = honest_invite();
    struct sk_secret *slow = NULL;
    uint8_t key[32];
    uint8_t content[SK_INVITE_PLAIN_LEN];
    uint8_t sealed[SK_INVITE_PLAIN_LEN + 16];
    uint8_t nonce[24];
    memset(out, 0x5a, SK_KDF_SALT_LEN);
    memset(nonce, 0x5b, sizeof(nonce));
    MUST(sk_kdf_passphrase(&slow, (const uint8_t *)WORDS, strlen(WORDS), out, &params) == SK_OK);
    sk_hash_of(key, sk_secret_view(slow), SK_LABEL_INVITE, NULL, 0);
    sk_secret_free(slow);
    sk_invite_encode(content, &invite, sk_archive.seed);
    MUST(crypto_aead_xchacha20poly1305_ietf_encrypt(sealed, NULL, content, sizeof(content), NULL, 0,
                                                    NULL, nonce, key) == 0);
    memcpy(out + 16, sealed, SK_INVITE_PLAIN_LEN);
    memcpy(out + 16 + SK_INVITE_PLAIN_LEN, nonce, sizeof(nonce));
    memcpy(out + 16 + SK_INVITE_PLAIN_LEN + sizeof(nonce), sealed + SK_INVITE_PLAIN_LEN, 16);
}

static json_t *words(const char *typed)
{
    return json_pack("{s:s}", "words", typed);
}

void sk_make_invite_files(void)
{
    uint8_t file[SK_INVITE_FILE_LEN];
    seal(file);
    sk_vector_bytes("honest", "words typed in upper case, with hyphens, blanks and ends of lines",
                    "ok", file, sizeof(file),
                    words(" Acid-BULB  cork\tdune-echo fern gold\r\nhush\r"));
    sk_vector_bytes("a list of words", "numbers, commas and a no-break space are borders", "ok",
                    file, sizeof(file),
                    words("1. acid, 2. bulb; 3) cork\xc2\xa0"
                          "dune/echo\nfern. gold_hush!"));
    sk_vector_bytes("a letter with an accent", "no letter of a word, so a border", "wrong_key",
                    file, sizeof(file),
                    words("\xc3\xa1"
                          "cid bulb cork dune echo fern gold hush"));
    sk_vector_bytes("another word", "the last one", "wrong_key", file, sizeof(file),
                    words("acid bulb cork dune echo fern gold husk"));
    sk_vector_bytes("a byte less", "another length", "damaged", file, sizeof(file) - 1,
                    words(WORDS));
    file[2000] ^= 1;
    sk_vector_bytes("a changed byte", "looks the same as wrong words", "wrong_key", file,
                    sizeof(file), words(WORDS));
}

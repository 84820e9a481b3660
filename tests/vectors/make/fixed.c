#include "tests/vectors/make/fixed.h"

#include "core/file.h"
#include "core/log.h"
#include "crypto/hash.h"
#include "crypto/note.h"
#include "sync/invite_parts.h"
#include "sync/renew.h"
#include "tests/support/exchange.h"
#include "tests/support/temp_dir.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS_MAX 64

struct sk_fixed_party sk_device, sk_stranger, sk_archive, sk_rival;
struct sk_fixed_party sk_archive_2, sk_archive_3;
uint8_t sk_psk[32];

static char *dir;

void sk_fixed_die(const char *file, int line, const char *what)
{
    (void)fprintf(stderr, "%s:%d: does not hold: %s\n%s\n", file, line, what, sk_test_err.text);
    exit(1);
}

/* ---- keys ---- */

static void party_init(struct sk_fixed_party *party, uint8_t fill, enum sk_label label)
{
    struct sk_hash h;
    memset(party->seed, fill, sizeof(party->seed));
    memset(party->scalar, fill + 1, sizeof(party->scalar));
    sk_sign_public(party->sign_public, party->seed);
    sk_dh_public(party->dh_public, party->scalar);
    sk_hash_init(&h, NULL, label);
    sk_hash_add(&h, party->sign_public, sizeof(party->sign_public));
    sk_hash_add(&h, party->dh_public, sizeof(party->dh_public));
    sk_hash_end(&h, party->id);
}

void sk_fixed_init(void)
{
    party_init(&sk_device, 0x11, SK_LABEL_LOG_ID);
    party_init(&sk_stranger, 0x21, SK_LABEL_LOG_ID);
    party_init(&sk_archive, 0x31, SK_LABEL_ARCHIVE_ID);
    party_init(&sk_rival, 0x41, SK_LABEL_ARCHIVE_ID);
    party_init(&sk_archive_2, 0x61, SK_LABEL_ARCHIVE_ID);
    party_init(&sk_archive_3, 0x71, SK_LABEL_ARCHIVE_ID);
    memcpy(sk_archive_2.id, sk_archive.id, sizeof(sk_archive_2.id));
    memcpy(sk_archive_3.id, sk_archive.id, sizeof(sk_archive_3.id));
    memset(sk_psk, 0x51, sizeof(sk_psk));
    MUST(dir = sk_temp_dir_make());
}

void sk_fixed_end(void)
{
    sk_temp_dir_remove(dir);
}

const char *sk_fixed_path(const char *name)
{
    static char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

/* ---- chance ---- */

struct draw {
    size_t len;
    uint8_t seed[32];
};

static struct {
    char name[128];
    uint64_t count;
    struct draw draws[SEEDS_MAX]; /* the newest of each length */
    size_t draw_count;
} luck;

static const char *random_name(void)
{
    return "vectors";
}

static struct draw *draw_of(size_t len)
{
    for (size_t i = 0; i < luck.draw_count; i++)
        if (luck.draws[i].len == len)
            return &luck.draws[i];
    MUST(luck.draw_count < SEEDS_MAX);
    luck.draws[luck.draw_count].len = len;
    return &luck.draws[luck.draw_count++];
}

static void random_bytes(void *const out, const size_t len)
{
    crypto_generichash_state state;
    struct draw *draw = draw_of(len);
    uint64_t count = luck.count++;
    crypto_generichash_init(&state, NULL, 0, sizeof(draw->seed));
    crypto_generichash_update(&state, (const uint8_t *)luck.name, strlen(luck.name) + 1);
    crypto_generichash_update(&state, (const uint8_t *)&count, sizeof(count));
    crypto_generichash_final(&state, draw->seed, sizeof(draw->seed));
    randombytes_buf_deterministic(out, len, draw->seed);
}

static uint32_t random_word(void)
{
    uint32_t word = 0;
    random_bytes(&word, sizeof(word));
    return word;
}

static struct randombytes_implementation implementation = {
    .implementation_name = random_name, .random = random_word, .buf = random_bytes};

void sk_fixed_random(const char *name)
{
    luck.count = 0;
    luck.draw_count = 0;
    (void)snprintf(luck.name, sizeof(luck.name), "%s", name);
    MUST(randombytes_set_implementation(&implementation) == 0);
}

void sk_fixed_random_seed(uint8_t out[static 32], size_t len)
{
    memcpy(out, draw_of(len)->seed, 32);
}

/* ---- notes ---- */

void sk_fixed_note(char note[static SK_CHECKPOINT_NOTE_MAX], const char *text, const char *name,
                   const uint8_t seed[static 32])
{
    char line[SK_NOTE_LINE_MAX];
    MUST(sk_note_sign(line, text, strlen(text), name, seed) == SK_OK);
    MUST(snprintf(note, SK_CHECKPOINT_NOTE_MAX, "%s\n%s", text, line) < SK_CHECKPOINT_NOTE_MAX);
}

void sk_fixed_checkpoint(char note[static SK_CHECKPOINT_NOTE_MAX],
                         const struct sk_fixed_party *signer, const struct sk_fixed_party *log,
                         uint64_t size, const uint8_t root[static 32])
{
    struct sk_checkpoint head = {.size = size};
    char text[SK_CHECKPOINT_TEXT_MAX];
    sk_log_origin(head.origin, log->id);
    memcpy(head.root, root, sizeof(head.root));
    MUST(sk_checkpoint_format(text, &head) == SK_OK);
    sk_fixed_note(note, text, head.origin, signer->seed);
}

/* ---- hex ---- */

json_t *sk_hex_json(const void *bytes, size_t len)
{
    char *hex = malloc(2 * len + 1);
    MUST(hex);
    sodium_bin2hex(hex, 2 * len + 1, bytes, len);
    json_t *json = json_string(hex);
    free(hex);
    return json;
}

void sk_hex_add(struct sk_buf *out, const char *hex)
{
    size_t len = strlen(hex) / 2;
    size_t got = 0;
    MUST(sk_buf_grow(out, len, NULL) == SK_OK);
    MUST(sodium_hex2bin(out->bytes + out->len, len, hex, 2 * len, NULL, &got, NULL) == 0);
    MUST(got == len && strlen(hex) == 2 * len);
    out->len += len;
    out->bytes[out->len] = 0;
}

void sk_hex_pieces(struct sk_buf *out, const json_t *hex)
{
    size_t i;
    json_t *piece;
    MUST(json_is_string(hex) || json_is_array(hex));
    if (json_is_string(hex))
        sk_hex_add(out, json_string_value(hex));
    json_array_foreach(hex, i, piece)
    {
        const char *bytes = json_string_value(json_array_get(piece, 0));
        for (json_int_t n = json_integer_value(json_array_get(piece, 1)); n > 0; n--)
            sk_hex_add(out, bytes);
    }
}

void sk_hex_exactly(uint8_t *out, size_t len, const json_t *hex)
{
    sk_auto_buf bytes = SK_BUF_INIT;
    MUST(json_is_string(hex));
    sk_hex_add(&bytes, json_string_value(hex));
    MUST(bytes.len == len);
    memcpy(out, bytes.bytes, len);
}

/* ---- stores ---- */

static void set_blob(struct sk_store *store, const char *sql, const void *bytes, size_t len)
{
    struct sk_store *txn = NULL;
    sk_auto_stmt stmt = NULL;
    EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
    EXPECT_OK(sk_db_prepare(sk_store_db(store), &stmt, sql, &sk_test_err));
    sk_bind_bytes(stmt, 1, bytes, len);
    EXPECT_OK(sk_run(stmt, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
}

/* The documenter's own log has its keys in its row, and a signed head. */
static void set_own_log(struct sk_store *store, const struct sk_fixed_party *party)
{
    char note[SK_CHECKPOINT_NOTE_MAX];
    struct sk_store *txn = NULL;
    uint8_t root[SK_MERKLE_LEN];
    struct sk_merkle empty;
    set_blob(store, "UPDATE log SET log_id = ?1", party->id, 32);
    set_blob(store, "UPDATE log SET sign_public = ?1", party->sign_public, 32);
    set_blob(store, "UPDATE log SET dh_public = ?1", party->dh_public, 32);
    sk_merkle_init(&empty);
    sk_merkle_root(&empty, root);
    sk_fixed_checkpoint(note, party, party, 0, root);
    EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
    EXPECT_OK(sk_log_set_note(store, SK_LOG_OWN, note, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
}

static void make_pair(struct sk_store *store, enum sk_store_kind kind)
{
    struct sk_invite invite = {.name = "archive", .alias = "lark"};
    int64_t peer = 0;
    memcpy(invite.archive_id, sk_archive.id, 32);
    memcpy(invite.dh_public, sk_archive.dh_public, 32);
    memcpy(invite.sign_public, sk_archive.sign_public, 32);
    memcpy(invite.psk, sk_psk, 32);
    if (kind == SK_STORE_ARCHIVE)
        EXPECT_OK(sk_invite_add_device(store, &invite, &peer, &sk_test_err));
    else
        EXPECT_OK(sk_invite_add_archive(store, &invite, &sk_test_err));
}

/* Made once, closed, and copied from then on. */
static void make_model(const char *path, enum sk_store_kind kind)
{
    const struct sk_fixed_party *party = kind == SK_STORE_ARCHIVE ? &sk_archive : &sk_device;
    struct sk_test_store model = {.dir = dir, .path = strdup(path), .kind = kind};
    model.store = sk_test_make(path, kind);
    set_blob(model.store, "UPDATE meta SET value = ?1 WHERE key = 'seed'", party->seed, 32);
    set_blob(model.store, "UPDATE meta SET value = ?1 WHERE key = 'scalar'", party->scalar, 32);
    if (kind == SK_STORE_DEVICE)
        set_own_log(model.store, party);
    sk_test_reopen(&model);
    make_pair(model.store, kind);
    sk_test_close(&model);
    free(model.path);
}

static struct sk_test_store at;

struct sk_store *sk_fixed_store(enum sk_store_kind kind)
{
    char *model = sk_temp_path(dir, kind == SK_STORE_ARCHIVE ? "archive" : "device");
    MUST(!at.store);
    if (!sk_file_exists(model))
        make_model(model, kind);
    at = (struct sk_test_store){.dir = dir, .kind = kind};
    at.path = sk_temp_path(dir, "store");
    sk_world_copy(model, at.path);
    free(model);
    sk_test_open(&at);
    return at.store;
}

void sk_fixed_store_remove(struct sk_store *store)
{
    MUST(store == at.store);
    sk_test_close(&at);
    sk_dir_discard(at.path);
    free(at.path);
    at = (struct sk_test_store){.store = NULL};
}

struct sk_store *sk_fixed_renew(struct sk_store *store, bool forget)
{
    uint8_t row[68] = {0};
    MUST(store == at.store);
    EXPECT_OK(sk_archive_renew(store, &sk_test_err));
    memcpy(row, sk_archive_2.seed, 32);
    memcpy(row + 32, sk_archive_2.scalar, 32);
    set_blob(store, "UPDATE meta SET value = ?1 WHERE key = 'next'", row, sizeof(row));
    sk_test_reopen(&at);
    if (forget)
        EXPECT_OK(sk_keys_forget(at.store, true, &sk_test_err));
    sk_test_reopen(&at);
    return at.store;
}

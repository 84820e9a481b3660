/*
 * A whole receipt, signed and sealed by its archive, taken by a device on a disk in memory whose
 * log has four entries. The input: u8 what is not made right (bit 0 the note's signature, bit 1 the
 * device's of the checkpoint, bit 2 the archive's cosignature, bit 3 there is no checkpoint), of
 * the archive's keys (bit 4 the next ones sign, bit 5 they were announced before) and of what
 * stands behind the checkpoint (bit 6 a form, bit 7 a text that is none), u16 length of the note's
 * text, the text, the checkpoint's text. In both, "@a" stands for the archive's id, "@l" for the
 * log's,
 * "@0" to "@4" for its root at that size, "@n" for the next keys, "@o" for those of now, "@f" for
 * the hash of the form, which is called f, "@b" for that of the text that is none.
 *
 * It is taken, or refused with one of the classes of sync/FORMAT.md. What is refused, older, or
 * tells of a store that was put back changes no row. Nothing is acknowledged or wanted beyond the
 * log, and what was taken once is known.
 */
#include "core/form_own.h"
#include "core/renew.h"
#include "core/verify.h"
#include "crypto/bytes.h"
#include "crypto/hash.h"
#include "sync/invite_parts.h"
#include "sync/peer.h"
#include "sync/receipt.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/seal.h"
#include "tests/support/exchange.h"
#include "tests/support/sim/live.h"
#include "tests/support/story/story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STORE SK_SIM_ROOT "/disk/device"
#define STICK SK_SIM_ROOT "/stick"
#define FILE_ STICK "/receipt"

#define LOG_SIZE     4u
#define EXPANDED_MAX 32768u

#define FORM                                                                                  \
    "{\"form\":\"f\",\"type\":\"event\",\"version\":1,\"label\":\"F\",\"fields\":[{\"name\":" \
    "\"title\",\"label\":\"T\",\"type\":\"text\",\"access\":\"public\",\"required\":true}]}"
#define NO_FORM "{}"

static struct sk_store *store;
static struct sk_sim_image base; /* with the store closed */
static uint8_t base_dump[32];
static struct sk_seal_party archive, next_party;
static struct sk_seal_header header;
static uint8_t archive_id[SK_HASH_LEN];
static uint8_t log_id[SK_HASH_LEN];
static uint8_t roots[LOG_SIZE + 1][SK_MERKLE_LEN];

/* ---- the device before ---- */

static void open_store(void)
{
    struct sk_store_options options = sk_test_options(STORE, SK_STORE_DEVICE);
    SK_FUZZ_CHECK(sk_store_open(&store, &options, NULL) == SK_OK);
}

static void close_store(void)
{
    SK_FUZZ_CHECK(sk_store_close(store, NULL) == SK_OK);
    store = NULL;
}

static void make_pair(void)
{
    struct sk_invite invite = {.name = "Archive of tests", .alias = "lark"};
    uint8_t chain[32];
    sk_seal_party_init(&archive, 0x31);
    sk_seal_party_init(&next_party, 0x61);
    memcpy(invite.dh_public, archive.dh_public, sizeof(invite.dh_public));
    memcpy(invite.sign_public, archive.sign_public, sizeof(invite.sign_public));
    memset(invite.psk, 7, sizeof(invite.psk));
    sk_archive_keys_id(archive_id, archive.sign_public, archive.dh_public);
    memcpy(invite.archive_id, archive_id, sizeof(invite.archive_id));
    SK_FUZZ_CHECK(sk_invite_add_archive(store, &invite, NULL) == SK_OK);
    sk_ratchet_receipts(chain, invite.psk);
    sk_seal_header_init(&header, chain, 0, sk_store_dh_public(store));
}

static void begin(void)
{
    sk_sim_begin();
    sk_story_random(1);
    sk_sim_make_folder(SK_SIM_ROOT "/disk");
    sk_sim_make_folder(STICK);
    store = sk_test_make(STORE, SK_STORE_DEVICE);
    memcpy(log_id, sk_store_id(store), sizeof(log_id));
    make_pair();
    for (unsigned i = 0; i < LOG_SIZE; i++)
        (void)sk_test_add(store, SK_TYPE_SOURCE, "S");
    for (unsigned i = 0; i <= LOG_SIZE; i++) {
        struct sk_merkle tree;
        SK_FUZZ_CHECK(sk_log_tree(store, SK_LOG_OWN, i, &tree, NULL) == SK_OK);
        sk_merkle_root(&tree, roots[i]);
    }
    sk_world_dump(store, base_dump);
    close_store();
    sk_sim_image_copy(&base, sk_sim_now());
    open_store();
}

/* ---- the receipt ---- */

static void add(struct sk_buf *out, const void *bytes, size_t len)
{
    SK_FUZZ_CHECK(sk_buf_add(out, bytes, len, NULL) == SK_OK);
}

static void add_hex(struct sk_buf *out, const uint8_t bytes[static 32])
{
    for (size_t i = 0; i < 32; i++)
        SK_FUZZ_CHECK(sk_buf_printf(out, NULL, "%02x", bytes[i]) == SK_OK);
}

static void add_keys(struct sk_buf *out, const struct sk_seal_party *party)
{
    add_hex(out, party->dh_public);
    add(out, " ", 1);
    add_hex(out, party->sign_public);
}

static void expand(struct sk_buf *out, const uint8_t *text, size_t len)
{
    char root[SK_BASE64_HASH_LEN + 1];
    add(out, "", 0);
    for (size_t i = 0; i < len && out->len < EXPANDED_MAX; i++) {
        uint8_t next = i + 1 < len ? text[i + 1] : 0;
        if (text[i] != '@' || !next || !memchr("alnofb01234", next, 11)) {
            add(out, text + i, 1);
            continue;
        }
        i++;
        if (next == 'a' || next == 'l') {
            add_hex(out, next == 'a' ? archive_id : log_id);
        } else if (next == 'n' || next == 'o') {
            add_keys(out, next == 'n' ? &next_party : &archive);
        } else if (next == 'f' || next == 'b') {
            const char *form = next == 'f' ? FORM : NO_FORM;
            uint8_t hash[SK_HASH_LEN];
            sk_own_form_hash(hash, form, strlen(form));
            add_hex(out, hash);
        } else {
            sk_base64_hash(root, roots[next - '0']);
            add(out, root, SK_BASE64_HASH_LEN);
        }
    }
}

static void key_name(char *out, size_t room)
{
    sk_auto_buf hex = SK_BUF_INIT;
    add_hex(&hex, archive_id);
    (void)snprintf(out, room, "skrynia-archive/%s", sk_buf_text(&hex));
}

/* A text that is none has no signature. */
static void make_note(struct sk_buf *out, const struct sk_buf *text, const uint8_t *seed, bool sign)
{
    char name[100];
    char line[SK_NOTE_LINE_MAX];
    key_name(name, sizeof(name));
    add(out, text->bytes, text->len);
    add(out, "\n", 1);
    if (sign && sk_note_sign(line, sk_buf_text(text), text->len, name, seed) == SK_OK)
        add(out, line, strlen(line));
}

static void make_checkpoint(struct sk_buf *out, const struct sk_buf *text, const uint8_t *seed,
                            uint8_t wrong)
{
    char name[100];
    char line[SK_NOTE_LINE_MAX];
    char origin[SK_ORIGIN_LEN];
    key_name(name, sizeof(name));
    sk_log_origin(origin, log_id);
    add(out, text->bytes, text->len);
    add(out, "\n", 1);
    const char *at = sk_buf_text(text);
    if (!(wrong & 2) && sk_note_sign(line, at, text->len, origin, sk_store_seed(store)) == SK_OK)
        add(out, line, strlen(line));
    if (!(wrong & 4) && sk_note_cosign(line, at, text->len, name, 1, seed) == SK_OK)
        add(out, line, strlen(line));
}

static void add_part(struct sk_buf *out, const struct sk_buf *part)
{
    uint8_t len[4];
    sk_put_u32(len, (uint32_t)part->len);
    add(out, len, sizeof(len));
    add(out, sk_buf_text(part), part->len);
}

static void put_file(const uint8_t *bytes, size_t len)
{
    static uint8_t file[SK_VOLUME_BYTES_MIN];
    sk_auto_buf text = SK_BUF_INIT, head = SK_BUF_INIT;
    sk_auto_buf note = SK_BUF_INIT, checkpoint = SK_BUF_INIT, inner = SK_BUF_INIT;
    size_t text_len = sk_get_u16(bytes + 1);
    text_len = text_len < len - 3 ? text_len : len - 3;
    expand(&text, bytes + 3, text_len);
    expand(&head, bytes + 3 + text_len, len - 3 - text_len);
    const uint8_t *seed = bytes[0] & 16 ? next_party.seed : archive.seed;
    make_note(&note, &text, seed, !(bytes[0] & 1));
    if (!(bytes[0] & 8))
        make_checkpoint(&checkpoint, &head, seed, bytes[0]);
    add_part(&inner, &note);
    add_part(&inner, &checkpoint);
    for (unsigned bit = 6; bit <= 7; bit++) {
        sk_auto_buf form = SK_BUF_INIT;
        add(&form, bit == 6 ? FORM : NO_FORM, strlen(bit == 6 ? FORM : NO_FORM));
        if (bytes[0] & 1u << bit)
            add_part(&inner, &form);
    }
    SK_FUZZ_CHECK(sk_seal_file(file, &header, inner.bytes, inner.len));
    sk_sim_make_file(FILE_, file, sizeof(file));
}

/* ---- what has to hold ---- */

static void check_unchanged(const uint8_t before[static 32])
{
    uint8_t dump[32];
    sk_world_dump(store, dump);
    SK_FUZZ_CHECK(memcmp(dump, before, sizeof(dump)) == 0);
}

static void go_back(void)
{
    close_store();
    sk_sim_load(&base);
    open_store();
}

/* As if an earlier receipt had named them. */
static void announce(void)
{
    struct sk_store *txn = NULL;
    struct sk_next_keys keys;
    memcpy(keys.dh_public, next_party.dh_public, sizeof(keys.dh_public));
    memcpy(keys.sign_public, next_party.sign_public, sizeof(keys.sign_public));
    SK_FUZZ_CHECK(sk_store_begin(&txn, store, NULL) == SK_OK);
    SK_FUZZ_CHECK(sk_known_keys_announce(store, 1, &keys, NULL) == SK_OK);
    SK_FUZZ_CHECK(sk_store_commit(&txn, NULL) == SK_OK);
}

/* Which keys are the archive's follows from which of them signed. */
static void check_keys(uint8_t how, bool new_keys)
{
    struct sk_peer peer = {.id = 0};
    bool by_next = how & 16;
    bool before = how & 32;
    SK_FUZZ_CHECK(sk_peer_load(store, 1, &peer, NULL) == SK_OK);
    SK_FUZZ_CHECK(!by_next || before);
    SK_FUZZ_CHECK(peer.known.renewed == by_next);
    SK_FUZZ_CHECK(peer.known.announced == (new_keys || (before && !by_next)));
    SK_FUZZ_CHECK(
        memcmp(peer.sign_public, by_next ? next_party.sign_public : archive.sign_public, 32) == 0);
    sk_peer_clear(&peer);
}

static void told(void *context, const char *sentence)
{
    (void)context;
    (void)fprintf(stderr, "verify: %s\n", sentence);
    abort();
}

static void check_taken(const struct sk_receipt_result *result)
{
    struct sk_receipt_result again = {.notes = NULL};
    SK_FUZZ_CHECK(result->arrived <= LOG_SIZE && result->wanted <= LOG_SIZE);
    SK_FUZZ_CHECK(result->size <= LOG_SIZE && result->number > 0);
    SK_FUZZ_CHECK(json_array_size(result->forms) <= 1 && json_array_size(result->forms_gone) == 0);
    SK_FUZZ_CHECK(sk_verify(store, told, NULL, NULL, NULL) == SK_OK);
    SK_FUZZ_CHECK(sk_receipt_take(store, FILE_, &again, NULL) == SK_OK && again.older);
    SK_FUZZ_CHECK(again.arrived == result->arrived && again.wanted == result->wanted);
    sk_receipt_result_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct sk_receipt_result result = {.notes = NULL};
    struct sk_error err = SK_ERROR_INIT;
    uint8_t before[32];
    if (!base.count)
        begin();
    if (len < 3)
        return 0;
    sk_story_random(2);
    put_file(bytes, len);
    memcpy(before, base_dump, sizeof(before));
    if (bytes[0] & 32) {
        announce();
        sk_world_dump(store, before);
    }
    enum sk_status status = sk_receipt_take(store, FILE_, &result, &err);
    if (status != SK_OK) {
        SK_FUZZ_CHECK(status == SK_DAMAGED || status == SK_REFUSED || status == SK_LIMIT);
        SK_FUZZ_CHECK(err.text[0]);
        check_unchanged(before);
    } else if (result.older || result.rollback) {
        check_unchanged(before);
    } else {
        check_keys(bytes[0], result.new_keys);
        check_taken(&result);
    }
    bool changed = (bytes[0] & 32) || (status == SK_OK && !result.older && !result.rollback);
    if (status == SK_OK)
        sk_receipt_result_clear(&result);
    if (changed)
        go_back();
    return 0;
}

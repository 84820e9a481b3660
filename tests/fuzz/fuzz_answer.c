/*
 * A whole receipt, signed and sealed by its archive, taken by a device on a disk in memory whose
 * log has four entries. The input: u8 what is not made right (bit 0 the note's signature, bit 1 the
 * device's of the checkpoint, bit 2 the archive's cosignature, bit 3 there is no checkpoint), u16
 * length of the note's text, the text, the checkpoint's text. In both, "@a" stands for the
 * archive's id, "@l" for the log's, "@0" to "@4" for its root at that size.
 *
 * It is taken, or refused with one of the classes of sync/FORMAT.md. What is refused, older, or
 * tells of a store that was put back changes no row. Nothing is acknowledged or wanted beyond the
 * log, and what was taken once is known.
 */
#include "core/verify.h"
#include "crypto/bytes.h"
#include "crypto/hash.h"
#include "sync/invite_parts.h"
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

static struct sk_store *store;
static struct sk_sim_image base; /* with the store closed */
static uint8_t base_dump[32];
static struct sk_seal_party archive;
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
    struct sk_hash h;
    uint8_t chain[32];
    sk_seal_party_init(&archive, 0x31);
    memcpy(invite.dh_public, archive.dh_public, sizeof(invite.dh_public));
    memcpy(invite.sign_public, archive.sign_public, sizeof(invite.sign_public));
    memset(invite.psk, 7, sizeof(invite.psk));
    SK_FUZZ_CHECK(sk_invite_add_archive(store, &invite, NULL) == SK_OK);
    sk_hash_init(&h, NULL, SK_LABEL_ARCHIVE_ID);
    sk_hash_add(&h, archive.sign_public, sizeof(archive.sign_public));
    sk_hash_add(&h, archive.dh_public, sizeof(archive.dh_public));
    sk_hash_end(&h, archive_id);
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

static void expand(struct sk_buf *out, const uint8_t *text, size_t len)
{
    char root[SK_BASE64_HASH_LEN + 1];
    add(out, "", 0);
    for (size_t i = 0; i < len && out->len < EXPANDED_MAX; i++) {
        uint8_t next = i + 1 < len ? text[i + 1] : 0;
        if (text[i] != '@' || !next || !memchr("al01234", next, 7)) {
            add(out, text + i, 1);
            continue;
        }
        i++;
        if (next == 'a' || next == 'l') {
            add_hex(out, next == 'a' ? archive_id : log_id);
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
static void make_note(struct sk_buf *out, const struct sk_buf *text, bool sign)
{
    char name[100];
    char line[SK_NOTE_LINE_MAX];
    key_name(name, sizeof(name));
    add(out, text->bytes, text->len);
    add(out, "\n", 1);
    if (sign && sk_note_sign(line, sk_buf_text(text), text->len, name, archive.seed) == SK_OK)
        add(out, line, strlen(line));
}

static void make_checkpoint(struct sk_buf *out, const struct sk_buf *text, uint8_t wrong)
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
    if (!(wrong & 4) && sk_note_cosign(line, at, text->len, name, 1, archive.seed) == SK_OK)
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
    make_note(&note, &text, !(bytes[0] & 1));
    if (!(bytes[0] & 8))
        make_checkpoint(&checkpoint, &head, bytes[0]);
    add_part(&inner, &note);
    add_part(&inner, &checkpoint);
    SK_FUZZ_CHECK(sk_seal_file(file, &header, inner.bytes, inner.len));
    sk_sim_make_file(FILE_, file, sizeof(file));
}

/* ---- what has to hold ---- */

static void check_unchanged(void)
{
    uint8_t dump[32];
    sk_world_dump(store, dump);
    SK_FUZZ_CHECK(memcmp(dump, base_dump, sizeof(dump)) == 0);
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
    SK_FUZZ_CHECK(sk_verify(store, told, NULL, NULL, NULL) == SK_OK);
    SK_FUZZ_CHECK(sk_receipt_take(store, FILE_, &again, NULL) == SK_OK && again.older);
    SK_FUZZ_CHECK(again.arrived == result->arrived && again.wanted == result->wanted);
    sk_receipt_result_clear(&again);
    close_store();
    sk_sim_load(&base);
    open_store();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct sk_receipt_result result = {.notes = NULL};
    struct sk_error err = SK_ERROR_INIT;
    if (!base.count)
        begin();
    if (len < 3)
        return 0;
    sk_story_random(2);
    put_file(bytes, len);
    enum sk_status status = sk_receipt_take(store, FILE_, &result, &err);
    if (status != SK_OK) {
        SK_FUZZ_CHECK(status == SK_DAMAGED || status == SK_REFUSED || status == SK_LIMIT);
        SK_FUZZ_CHECK(err.text[0]);
        check_unchanged();
        return 0;
    }
    if (result.older || result.rollback)
        check_unchanged();
    else
        check_taken(&result);
    sk_receipt_result_clear(&result);
    return 0;
}

#include "tests/vectors/make/paper.h"

#include "core/log.h"
#include "crypto/bytes.h"
#include "crypto/hash.h"
#include "sync/receipt_forms.h"
#include "tests/vectors/make/group.h"

#include <stdlib.h>
#include <string.h>

/* The device's own log: the entries of an honest bundle. */
static struct sk_draft own;

static void make_own(void)
{
    sk_draft_clear(&own);
    sk_draft_init(&own, "own");
    sk_draft_base(&own);
}

json_t *sk_receipt_keys(void)
{
    uint8_t key[32];
    json_t *entries = json_array();
    make_own();
    for (size_t i = 0; i < own.entry_count; i++)
        json_array_append_new(entries, sk_hex_json(own.entries[i], SK_ENTRY_LEN));
    sk_ratchet_receipts(key, sk_psk);
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "scalar", sk_hex_json(sk_device.scalar, 32),
                     "device_sign", sk_hex_json(sk_device.sign_public, 32), "psk",
                     sk_hex_json(sk_psk, 32), "archive_sign",
                     sk_hex_json(sk_archive.sign_public, 32), "archive_dh",
                     sk_hex_json(sk_archive.dh_public, 32), "entries", entries);
}

void sk_paper_root(uint64_t size, uint8_t out[static 32])
{
    struct sk_merkle tree;
    uint8_t leaf[32];
    sk_merkle_init(&tree);
    for (uint64_t i = 0; i < size; i++) {
        sk_merkle_leaf(leaf, own.entries[i], SK_ENTRY_LEN);
        sk_merkle_append(&tree, leaf);
    }
    sk_merkle_root(&tree, out);
}

void sk_paper_offer(struct paper *p, const char *name, uint32_t version, const char *text)
{
    struct sk_receipt_form form = {.version = version};
    uint8_t len[4];
    (void)snprintf(form.name, sizeof(form.name), "%s", name);
    sk_own_form_hash(form.hash, text, strlen(text));
    p->receipt.forms = realloc(p->receipt.forms, (p->receipt.form_count + 1) * sizeof(form));
    MUST(p->receipt.forms);
    p->receipt.forms[p->receipt.form_count++] = form;
    sk_put_u32(len, (uint32_t)strlen(text));
    MUST(sk_buf_add(&p->forms, len, sizeof(len), NULL) == SK_OK);
    MUST(sk_buf_add_text(&p->forms, text, NULL) == SK_OK);
}

void sk_paper_sign(struct paper *p, const struct sk_fixed_party *signer, bool wrong)
{
    sk_auto_buf text = SK_BUF_INIT;
    char name[SK_ARCHIVE_KEY_NAME_LEN];
    char line[SK_NOTE_LINE_MAX];
    sk_receipt_key_name(name, sk_archive.id);
    MUST(sk_receipt_format(&text, &p->receipt, NULL) == SK_OK);
    if (wrong)
        MUST(sk_note_sign(line, "other\n", 6, name, signer->seed) == SK_OK);
    else
        MUST(sk_note_sign(line, sk_buf_text(&text), text.len, name, signer->seed) == SK_OK);
    MUST(sk_buf_add_text(&p->lines, line, NULL) == SK_OK);
}

static void add_signed(struct sk_buf *inner, const struct paper *p)
{
    sk_auto_buf text = SK_BUF_INIT;
    char name[SK_ARCHIVE_KEY_NAME_LEN];
    char line[SK_NOTE_LINE_MAX];
    uint8_t len[4];
    MUST(sk_receipt_format(&text, &p->receipt, NULL) == SK_OK);
    sk_receipt_key_name(name, sk_archive.id);
    MUST(sk_note_sign(line, sk_buf_text(&text), text.len, name, p->signer->seed) == SK_OK);
    MUST(sk_buf_printf(&text, NULL, "\n%s", p->lines.len ? sk_buf_text(&p->lines) : line) == SK_OK);
    sk_put_u32(len, (uint32_t)text.len);
    MUST(sk_buf_add(inner, len, 4, NULL) == SK_OK);
    MUST(sk_buf_add(inner, text.bytes, text.len, NULL) == SK_OK);
}

static void add_head(struct sk_buf *inner, const struct paper *p)
{
    char note[SK_CHECKPOINT_NOTE_MAX] = "";
    char line[SK_NOTE_LINE_MAX] = "";
    char name[SK_ARCHIVE_KEY_NAME_LEN];
    uint8_t len[4];
    uint8_t head[32];
    sk_receipt_key_name(name, sk_archive.id);
    if (p->head != UINT64_MAX) {
        sk_paper_root(p->head, head);
        sk_fixed_checkpoint(note, p->device, p->device, p->head, head);
        MUST(sk_note_cosign(line, note, (size_t)(strstr(note, "\n\n") - note) + 1, name, 1728000000,
                            p->cosigner->seed) == SK_OK);
    }
    char *signature = p->cosigned ? strstr(note, "\n\n") + 2 : note + strlen(note);
    if (p->cosigned)
        sk_cosigned_line(line, note, (size_t)(signature - note) - 1, p->time, p->cosigned);
    sk_put_u32(len, (uint32_t)(strlen(note) + strlen(line)));
    MUST(sk_buf_add(inner, len, 4, NULL) == SK_OK);
    MUST(sk_buf_add(inner, note, (size_t)(signature - note), NULL) == SK_OK);
    MUST(sk_buf_add_text(inner, p->cosigned_first ? line : signature, NULL) == SK_OK);
    MUST(sk_buf_add_text(inner, p->cosigned_first ? signature : line, NULL) == SK_OK);
}

static void add_checkpoint(struct sk_buf *inner, const struct paper *p)
{
    uint8_t len[4];
    sk_put_u32(len, (uint32_t)p->checkpoint.len);
    MUST(sk_buf_add(inner, len, 4, NULL) == SK_OK);
    MUST(sk_buf_add(inner, p->checkpoint.bytes, p->checkpoint.len, NULL) == SK_OK);
}

json_t *sk_paper_file(const char *name, struct paper *p)
{
    static struct sk_draft draft;
    struct sk_bundle_case c = {.name = name, .edits = {{0}}};
    c.edits[0] = p->edit;
    sk_draft_init(&draft, name);
    sk_ratchet_receipts(draft.chain_key, sk_psk);
    draft.chain_index = p->index;
    draft.receiver = &sk_device;
    sk_draft_header(&draft, &c);
    add_signed(&draft.inner, p);
    if (p->checkpoint.len > 0)
        add_checkpoint(&draft.inner, p);
    else
        add_head(&draft.inner, p);
    MUST(sk_buf_add(&draft.inner, sk_buf_text(&p->forms), p->forms.len, NULL) == SK_OK);
    if (p->edit.stage == SK_STAGE_INNER)
        sk_edit_apply(&draft.inner, &p->edit);
    json_t *file = sk_draft_file(&draft, &c);
    sk_draft_clear(&draft);
    sk_receipt_clear(&p->receipt);
    sk_buf_clear(&p->forms);
    sk_buf_clear(&p->lines);
    sk_buf_clear(&p->checkpoint);
    return file;
}

struct paper sk_paper(void)
{
    struct paper p = {.receipt = {.number = 1, .day = 20001, .size = 4},
                      .signer = &sk_archive,
                      .cosigner = &sk_archive,
                      .device = &sk_device,
                      .head = 4};
    uint8_t at[32];
    make_own();
    memcpy(p.receipt.archive_id, sk_archive.id, 32);
    memcpy(p.receipt.log_id, sk_device.id, 32);
    sk_paper_root(4, p.receipt.root);
    sk_paper_root(4, at);
    MUST(sk_receipt_add_stored(&p.receipt, 0, 4, at, NULL) == SK_OK);
    return p;
}

void sk_vector_paper(const char *name, const char *shows, const char *class, struct paper *p)
{
    sk_vector(name, shows, class, sk_paper_file(name, p), NULL);
}

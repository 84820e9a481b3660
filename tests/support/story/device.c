/*
 * The story of a documenter's store.
 */
#include "core/form_offer.h"
#include "core/item.h"
#include "core/record.h"
#include "core/renew.h"
#include "core/slots.h"
#include "sync/backup.h"
#include "sync/export.h"
#include "sync/import.h"
#include "sync/invite_parts.h"
#include "sync/purge.h"
#include "sync/receipt.h"
#include "tests/support/own_form.h"
#include "tests/support/stores.h"
#include "tests/support/story/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define MANY       12
#define LONG_TEXT  2000
#define ATTACHMENT 150000
#define ATTACHED   SK_STORY_DISK "/photo.jpg"
#define ON_STICK   SK_STORY_STICK "/photo.jpg"
#define MORE_TITLE "After it"

/* The archive's invite, as the device reads it. */
static uint8_t invitation[SK_INVITE_PLAIN_LEN];

/* ---- the other end ---- */

static void prepare(void)
{
    static uint8_t bytes[ATTACHMENT];
    struct sk_store *archive = sk_test_make(SK_STORY_FAR_STORE, SK_STORE_ARCHIVE);
    struct sk_invite invite = {.alias = ""};
    int64_t peer = 0;
    sk_invite_fill(&invite, archive, "lark");
    sk_invite_encode(invitation, &invite, sk_invite_seed(archive));
    EXPECT_OK(sk_invite_add_device(archive, &invite, &peer, &sk_test_err));
    EXPECT_OK(sk_store_close(archive, &sk_test_err));
    sk_random(bytes, sizeof(bytes));
    sk_sim_make_file(ATTACHED, bytes, sizeof(bytes));
    sk_sim_make_file(ON_STICK, bytes, sizeof(bytes));
}

static enum sk_status offer(struct sk_store *archive, struct sk_error *err)
{
    const char *text = sk_test_form_text("f", 1, "F");
    enum sk_offer_outcome outcome = SK_OFFER_KNOWN;
    sk_auto_own_form own = NULL;
    sk_auto_store_txn txn = NULL;
    SK_TRY(sk_own_form_read(&own, text, strlen(text), err));
    SK_TRY(sk_store_begin(&txn, archive, err));
    SK_TRY(sk_offer_put(archive, 0, own, &outcome, err));
    return sk_store_commit(&txn, err);
}

/* The archive takes the bundle and writes a receipt to the stick, which offers a form. */
static enum sk_status archive_answers(struct sk_story *story, struct sk_error *err)
{
    struct sk_store_options options = sk_test_options(SK_STORY_FAR_STORE, SK_STORE_ARCHIVE);
    struct sk_store *archive = NULL;
    struct sk_import_result result = {.log = 0};
    char path[SK_STORY_PATH_LEN];
    char code[SK_CODE_LEN];
    sk_story_path(path, "bundle", story->bundle);
    SK_TRY(sk_store_open(&archive, &options, err));
    enum sk_status status = sk_import(archive, path, NULL, NULL, &result, err);
    sk_import_result_clear(&result);
    if (status == SK_OK) /* the receipt carries next keys */
        status = sk_archive_renew(archive, err);
    if (status == SK_OK)
        status = offer(archive, err);
    if (status == SK_OK)
        status = sk_receipt_write(archive, 1, SK_STORY_STICK "/receipt", code, err);
    enum sk_status closed = sk_store_close(archive, NULL);
    return status == SK_OK ? closed : status;
}

/* ---- records ---- */

static enum sk_status create(struct sk_story *story, struct sk_error *err)
{
    struct sk_store_options options = sk_story_options(story->plot, 0);
    SK_TRY(sk_store_create(&options, err));
    story->made = true;
    return SK_OK;
}

static enum sk_status add_one(struct sk_store *store, const char *title, const char *text,
                              struct sk_id *id, struct sk_error *err)
{
    sk_auto_json fields = json_pack("{s:s, s:s}", "title", title, "text", text);
    if (!fields)
        return sk_fail_status(err, SK_NOMEM);
    return sk_record_add(store, SK_TYPE_TESTIMONY, fields, id, err);
}

static enum sk_status add(struct sk_story *story, struct sk_error *err)
{
    struct sk_id id;
    sk_auto_store_txn txn = NULL;
    SK_TRY(sk_store_begin(&txn, story->store, err));
    SK_TRY(add_one(story->store, "Heron", "One two three, чатыры пяць.", &id, err));
    SK_TRY(sk_store_commit(&txn, err));
    story->ids[0] = id;
    return SK_OK;
}

static enum sk_status add_many(struct sk_story *story, struct sk_error *err)
{
    char text[LONG_TEXT + 1];
    struct sk_id id;
    sk_auto_store_txn txn = NULL;
    SK_TRY(sk_store_begin(&txn, story->store, err));
    for (unsigned i = 0; i < MANY; i++) {
        for (size_t at = 0; at + 4 <= LONG_TEXT; at += 4)
            (void)snprintf(text + at, 5, "%c%c%c ", 'a' + (int)(at / 4 + i) % 26,
                           'a' + (int)(at / 100) % 26, 'a' + (int)i);
        SK_TRY(add_one(story->store, "Stork", text, &id, err));
    }
    SK_TRY(sk_store_commit(&txn, err));
    story->ids[1] = id;
    return SK_OK;
}

static enum sk_status edit(struct sk_story *story, struct sk_error *err)
{
    sk_auto_item item = {.title = NULL};
    sk_auto_json fields = json_pack("{s:s}", "title", "Crane");
    sk_auto_store_txn txn = NULL;
    if (!fields)
        return sk_fail_status(err, SK_NOMEM);
    SK_TRY(sk_item_get(story->store, SK_LOG_OWN, &story->ids[0], &item, err));
    SK_TRY(sk_store_begin(&txn, story->store, err));
    SK_TRY(sk_record_edit(story->store, &item, fields, err));
    return sk_store_commit(&txn, err);
}

static enum sk_status link_two(struct sk_story *story, struct sk_error *err)
{
    sk_auto_item source = {.title = NULL};
    sk_auto_item target = {.title = NULL};
    struct sk_id id;
    sk_auto_store_txn txn = NULL;
    SK_TRY(sk_item_get(story->store, SK_LOG_OWN, &story->ids[0], &source, err));
    SK_TRY(sk_item_get(story->store, SK_LOG_OWN, &story->ids[1], &target, err));
    SK_TRY(sk_store_begin(&txn, story->store, err));
    SK_TRY(sk_link_add(story->store, &source, "witness", &target, &id, err));
    return sk_store_commit(&txn, err);
}

static enum sk_status attach_to(struct sk_story *story, const struct sk_id *record,
                                const char *path, struct sk_id *out, struct sk_error *err)
{
    sk_auto_item item = {.title = NULL};
    SK_TRY(sk_item_get(story->store, SK_LOG_OWN, record, &item, err));
    return sk_attachment_add(story->store, &item, path, NULL, out, err);
}

static enum sk_status attach(struct sk_story *story, struct sk_error *err)
{
    return attach_to(story, &story->ids[0], ATTACHED, &story->ids[2], err);
}

static enum sk_status attach_from_stick(struct sk_story *story, struct sk_error *err)
{
    return attach_to(story, &story->ids[1], ON_STICK, &story->ids[3], err);
}

static enum sk_status extract(struct sk_story *story, struct sk_error *err)
{
    char path[SK_STORY_PATH_LEN];
    sk_auto_item item = {.title = NULL};
    sk_story_path(path, "photo", story->number);
    SK_TRY(sk_item_get(story->store, SK_LOG_OWN, &story->ids[2], &item, err));
    return sk_attachment_extract(story->store, &item, path, NULL, err);
}

/* With its link and its attachment. */
static enum sk_status withdraw(struct sk_story *story, struct sk_error *err)
{
    sk_auto_item item = {.title = NULL};
    unsigned count = 0;
    sk_auto_store_txn txn = NULL;
    SK_TRY(sk_item_get(story->store, SK_LOG_OWN, &story->ids[0], &item, err));
    SK_TRY(sk_store_begin(&txn, story->store, err));
    SK_TRY(sk_record_withdraw(story->store, &item, &count, err));
    return sk_store_commit(&txn, err);
}

static enum sk_status change_passphrase(struct sk_story *story, struct sk_error *err)
{
    SK_TRY(sk_store_change_passphrase(story->store, sk_story_unlock(1), err));
    story->passphrase = 1;
    return SK_OK;
}

static enum sk_status add_slot(struct sk_story *story, struct sk_error *err)
{
    return sk_slot_add(story->store, sk_story_unlock(2), NULL, &story->slot, err);
}

static enum sk_status remove_slot(struct sk_story *story, struct sk_error *err)
{
    return sk_slot_remove(story->store, story->slot, err);
}

static enum sk_status checkpoint(struct sk_story *story, struct sk_error *err)
{
    return sk_db_checkpoint(sk_store_db(story->store), err);
}

/* ---- on the way ---- */

static enum sk_status accept_invite(struct sk_story *story, struct sk_error *err)
{
    sk_auto_invite invite = {0};
    SK_TRY(sk_invite_decode(&invite, invitation, err));
    return sk_invite_add_archive(story->store, &invite, err);
}

static enum sk_status export(struct sk_story *story, struct sk_error *err) {
    char path[SK_STORY_PATH_LEN]; struct sk_export_result result;
    sk_story_path(path, "bundle", story->number);
    SK_TRY(sk_export(story->store, path, SK_EXPORT_NEW, NULL, &result, err));
    story->bundle = story->number;
    return SK_OK;
}

static enum sk_status receive(struct sk_story *story, struct sk_error *err)
{
    struct sk_receipt_result result = {.notes = NULL};
    enum sk_status status = sk_receipt_take(story->store, SK_STORY_STICK "/receipt", &result, err);
    if (status == SK_OK)
        sk_receipt_result_clear(&result);
    return status;
}

/* The form, and a record made with it. */
static enum sk_status add_under(struct sk_story *story, struct sk_error *err)
{
    struct sk_id id;
    sk_auto_own_form own = NULL;
    sk_auto_json fields = json_pack("{s:s}", "title", "Bittern");
    sk_auto_store_txn txn = NULL;
    if (!fields)
        return sk_fail_status(err, SK_NOMEM);
    SK_TRY(sk_usable_form_find(story->store, "f", &own, err));
    SK_TRY(sk_store_begin(&txn, story->store, err));
    SK_TRY(sk_record_add_under(story->store, own, fields, &id, err));
    return sk_store_commit(&txn, err);
}

/* A record and its attachment, which the receipt covers. */
static enum sk_status purge(struct sk_story *story, struct sk_error *err)
{
    sk_auto_item item = {.title = NULL};
    struct sk_purge_result result = {.entries = 0};
    sk_auto_store_txn txn = NULL;
    SK_TRY(sk_item_get(story->store, SK_LOG_OWN, &story->ids[1], &item, err));
    SK_TRY(sk_store_begin(&txn, story->store, err));
    SK_TRY(sk_purge(story->store, &item, 1, false, NULL, &result, err));
    SK_TRY(sk_store_commit(&txn, err));
    assert_true(result.entries == 2 && result.left == 0);
    return SK_OK;
}

/* The store is closed by it, for good or ill. */
static enum sk_status back_up(struct sk_story *story, struct sk_error *err)
{
    char path[SK_STORY_PATH_LEN];
    uint64_t bytes = 0;
    sk_story_path(path, "backup", story->number);
    enum sk_status status =
        sk_backup(story->store, sk_story_unlock(story->passphrase), path, NULL, &bytes, err);
    enum sk_status closed = sk_story_close(story, NULL);
    return status == SK_OK ? closed : status;
}

/* ---- more ---- */

static enum sk_status more(struct sk_store *store, struct sk_error *err)
{
    struct sk_id id;
    sk_auto_store_txn txn = NULL;
    SK_TRY(sk_store_begin(&txn, store, err));
    SK_TRY(add_one(store, MORE_TITLE, "x", &id, err));
    return sk_store_commit(&txn, err);
}

static enum sk_status look_for_more(void *context, const struct sk_item *item, struct sk_error *err)
{
    (void)err;
    *(bool *)context |= strcmp(item->title, MORE_TITLE) == 0;
    return SK_OK;
}

static bool has_more(struct sk_store *store)
{
    bool found = false;
    return sk_item_each(store, SK_TYPE_TESTIMONY, look_for_more, &found, NULL) == SK_OK && found;
}

/* ---- the story ---- */

/* clang-format off */
static const struct sk_story_action actions[] = {
    /* name, what it does, commits, far, past */
    {"create", create, 1, false, 0},
    {"open", sk_story_open, 0, false, 0},
    {"add", add, 1, false, 0},
    {"add many", add_many, 1, false, 0},
    {"edit", edit, 1, false, 0},
    {"link", link_two, 1, false, 0},
    {"attach", attach, 1, false, 0},
    {"extract", extract, 0, false, 0},
    {"attach from the stick", attach_from_stick, 1, false, 0},
    {"withdraw", withdraw, 1, false, 0},
    {"change passphrase", change_passphrase, 0, false, 0},
    {"add slot", add_slot, 0, false, 0},
    {"remove slot", remove_slot, 0, false, 0},
    {"checkpoint", checkpoint, 0, false, 0},
    {"add", add, 1, false, 0},
    {"close", sk_story_close, 0, false, 0},
    {"reopen", sk_story_open, 0, false, 0},
    {"rekey", sk_story_rekey, 2, false, 0},
    {"accept invite", accept_invite, 1, false, 0},
    {"export", export, 2, false, 0},
    {"the archive answers", archive_answers, 0, true, 0},
    {"receive receipt", receive, 1, false, 0},
    {"add under a form", add_under, 1, false, 0},
    {"purge", purge, 1, false, 0},
    {"edit", edit, 1, false, 0},
    {"back up", back_up, 0, false, 0},
};
/* clang-format on */

const struct sk_story_plot sk_story_device = {
    .name = "device",
    .kind = SK_STORE_DEVICE,
    .prepare = prepare,
    .actions = actions,
    .count = sizeof(actions) / sizeof(actions[0]),
    .more = more,
    .has_more = has_more,
};

/* The same where every file has a name from the first. */
const struct sk_story_plot sk_story_device_named = {
    .name = "device-named",
    .kind = SK_STORE_DEVICE,
    .named = true,
    .prepare = prepare,
    .actions = actions,
    .count = sizeof(actions) / sizeof(actions[0]),
    .more = more,
    .has_more = has_more,
};

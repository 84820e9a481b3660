/*
 * The story of an archive: two devices have taken one invite, so that what comes of the second
 * waits in quarantine.
 */
#include "core/form_offer.h"
#include "sync/export.h"
#include "sync/import.h"
#include "sync/invite_parts.h"
#include "sync/peer.h"
#include "sync/receipt.h"
#include "sync/renew.h"
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

#define FIRST       SK_STORY_FAR "/first"
#define SECOND      SK_STORY_FAR "/second"
#define ATTACHED    SK_STORY_FAR "/photo.jpg"
#define DAMAGED     SK_STORY_FAR "/damaged" /* a copy of the first device's second bundle */
#define ATTACHMENT  150000
#define WAITING_LOG 2
#define MORE_ALIAS  "after-it"

static uint8_t invitation[SK_INVITE_PLAIN_LEN];

static void prepare(void)
{
    static uint8_t bytes[ATTACHMENT];
    EXPECT_OK(sk_store_close(sk_test_make(FIRST, SK_STORE_DEVICE), &sk_test_err));
    EXPECT_OK(sk_store_close(sk_test_make(SECOND, SK_STORE_DEVICE), &sk_test_err));
    sk_random(bytes, sizeof(bytes));
    sk_sim_make_file(ATTACHED, bytes, sizeof(bytes));
}

static enum sk_status create(struct sk_story *story, struct sk_error *err)
{
    struct sk_store_options options = sk_story_options(story->plot, 0);
    SK_TRY(sk_store_create(&options, err));
    story->made = true;
    return SK_OK;
}

static enum sk_status invite(struct sk_story *story, struct sk_error *err)
{
    struct sk_invite made = {.alias = ""};
    int64_t peer = 0;
    char alias[16];
    (void)snprintf(alias, sizeof(alias), "lark%u", story->number);
    sk_invite_fill(&made, story->store, alias);
    sk_invite_encode(invitation, &made, sk_invite_seed(story->store));
    enum sk_status status = sk_invite_add_device(story->store, &made, &peer, err);
    sk_invite_clear(&made);
    return status;
}

/* ---- the devices ---- */

static enum sk_status send_one(struct sk_store *store, const char *path, struct sk_error *err)
{
    struct sk_export_result result;
    struct sk_id id = sk_test_add(store, SK_TYPE_SOURCE, path);
    struct sk_id attachment;
    sk_auto_item item = sk_test_item(store, &id);
    SK_TRY(sk_attachment_add(store, &item, ATTACHED, NULL, &attachment, err));
    return sk_export(store, path, SK_EXPORT_NEW, NULL, &result, err);
}

static enum sk_status send(const char *device, const char *const *paths, size_t count,
                           struct sk_error *err)
{
    struct sk_store_options options = sk_test_options(device, SK_STORE_DEVICE);
    struct sk_store *store = NULL;
    sk_auto_invite invite = {0};
    SK_TRY(sk_invite_decode(&invite, invitation, err));
    SK_TRY(sk_store_open(&store, &options, err));
    enum sk_status status = sk_invite_add_archive(store, &invite, err);
    for (size_t i = 0; i < count && status == SK_OK; i++)
        status = send_one(store, paths[i], err);
    enum sk_status closed = sk_store_close(store, NULL);
    return status == SK_OK ? closed : status;
}

/* In its second chunk, which has a part of the attachment. */
static enum sk_status make_damaged(const char *from, struct sk_error *err)
{
    size_t len = 0;
    uint8_t *bytes = sk_sim_file_bytes(from, &len);
    assert_true(len > 3u * 65536);
    bytes[2 * 65536 + 5] ^= 1;
    enum sk_status status = sk_file_save(DAMAGED, bytes, len, true, err);
    sk_sim_free(bytes);
    return status;
}

static enum sk_status devices_send(struct sk_story *story, struct sk_error *err)
{
    static const char *const first[] = {SK_STORY_STICK "/a1", SK_STORY_STICK "/a2"};
    /* Its first bundles are under keys that the other one has spent. */
    static const char *const second[] = {SK_STORY_FAR "/lost1", SK_STORY_FAR "/lost2",
                                         SK_STORY_STICK "/b1"};
    (void)story;
    SK_TRY(send(FIRST, first, 2, err));
    SK_TRY(make_damaged(first[1], err));
    return send(SECOND, second, 3, err);
}

/* ---- the archive ---- */

static enum sk_status import_file(struct sk_story *story, const char *path, struct sk_error *err)
{
    struct sk_import_result result = {.log = 0};
    SK_TRY(sk_import(story->store, path, NULL, NULL, &result, err));
    sk_import_result_clear(&result);
    return SK_OK;
}

static enum sk_status import_first(struct sk_story *story, struct sk_error *err)
{
    return import_file(story, SK_STORY_STICK "/a1", err);
}

/* Its record is kept, and its attachment is not. */
static enum sk_status salvage_second(struct sk_story *story, struct sk_error *err)
{
    struct sk_import_result result = {.log = 0};
    SK_TRY(sk_import_salvage(story->store, DAMAGED, NULL, NULL, &result, err));
    assert_true(result.salvaged && sk_ranges_total(&result.lacking) == 1);
    sk_import_result_clear(&result);
    return SK_OK;
}

static enum sk_status import_second(struct sk_story *story, struct sk_error *err)
{
    return import_file(story, SK_STORY_STICK "/a2", err);
}

static enum sk_status put_aside(struct sk_story *story, struct sk_error *err)
{
    return import_file(story, SK_STORY_STICK "/b1", err);
}

static enum sk_status write_receipt(struct sk_story *story, struct sk_error *err)
{
    char path[SK_STORY_PATH_LEN];
    char code[SK_CODE_LEN];
    sk_story_path(path, "receipt", story->number);
    return sk_receipt_write(story->store, 1, path, code, err);
}

static enum sk_status ignore_result(void *context, const struct sk_import_result *result,
                                    struct sk_error *err)
{
    (void)context, (void)result, (void)err;
    return SK_OK;
}

static enum sk_status offer(struct sk_story *story, struct sk_error *err)
{
    const char *text = sk_test_form_text("f", 1, "F");
    enum sk_offer_outcome outcome = SK_OFFER_KNOWN;
    sk_auto_own_form own = NULL;
    sk_auto_store_txn txn = NULL;
    SK_TRY(sk_own_form_read(&own, text, strlen(text), err));
    SK_TRY(sk_store_begin(&txn, story->store, err));
    SK_TRY(sk_offer_put(story->store, 0, own, &outcome, err));
    return sk_store_commit(&txn, err);
}

static enum sk_status approve(struct sk_story *story, struct sk_error *err)
{
    return sk_approve(story->store, WAITING_LOG, NULL, ignore_result, NULL, err);
}

/* ---- more ---- */

static enum sk_status more(struct sk_store *store, struct sk_error *err)
{
    struct sk_invite made = {.alias = ""};
    int64_t peer = 0;
    sk_invite_fill(&made, store, MORE_ALIAS);
    enum sk_status status = sk_invite_add_device(store, &made, &peer, err);
    sk_invite_clear(&made);
    return status;
}

static bool has_more(struct sk_store *store)
{
    return sk_test_sql_int(store, "SELECT count(*) FROM peer WHERE alias = '" MORE_ALIAS "'") == 1;
}

/* The first device, from a position on that it has passed. */
static enum sk_status revoke(struct sk_story *story, struct sk_error *err)
{
    sk_auto_store_txn txn = NULL;
    SK_TRY(sk_store_begin(&txn, story->store, err));
    SK_TRY(sk_log_revoke(story->store, 1, 1, err));
    return sk_store_commit(&txn, err);
}

static enum sk_status renew(struct sk_story *story, struct sk_error *err)
{
    return sk_archive_renew(story->store, err);
}

/* No device has taken the next keys. */
static enum sk_status forget(struct sk_story *story, struct sk_error *err)
{
    return sk_keys_forget(story->store, true, err);
}

/* clang-format off */
static const struct sk_story_action actions[] = {
    /* name, what it does, commits, far, past */
    {"create", create, 1, false, 0},
    {"open", sk_story_open, 0, false, 0},
    {"invite", invite, 1, false, 0},
    {"the devices send", devices_send, 0, true, 0},
    {"import", import_first, 1, false, 0},
    {"offer a form", offer, 1, false, 0},
    {"write receipt", write_receipt, 1, false, 0},
    {"salvage", salvage_second, 1, false, 0},
    {"put aside", put_aside, 1, false, 0},
    {"close", sk_story_close, 0, false, 0},
    {"reopen", sk_story_open, 0, false, 0},
    /* The first of its two media files before its next name is drawn, the same after it, the
     * second one. */
    {"rekey", sk_story_rekey, 2, false, 3},
    {"import", import_second, 1, false, 0},
    {"approve", approve, 2, false, 0},
    {"revoke", revoke, 1, false, 0},
    {"renew", renew, 1, false, 0},
    {"write receipt", write_receipt, 1, false, 0},
    {"forget", forget, 1, false, 0},
    {"close", sk_story_close, 0, false, 0},
};
/* clang-format on */

const struct sk_story_plot sk_story_archive = {
    .name = "archive",
    .kind = SK_STORE_ARCHIVE,
    .named = true,
    .prepare = prepare,
    .actions = actions,
    .count = sizeof(actions) / sizeof(actions[0]),
    .more = more,
    .has_more = has_more,
};

#include "cli/commands.h"
#include "cli/invited.h"
#include "cli/items.h"
#include "cli/print.h"
#include "cli/unlock.h"
#include "core/file.h"
#include "core/purge.h"
#include "sync/invite.h"
#include "sync/receipt.h"

#include <stdlib.h>
#include <string.h>

static enum sk_status looks_like_invite(const char *path, bool *invite, struct sk_error *err)
{
    sk_auto_file file = NULL;
    uint64_t size = 0;
    bool regular = false;

    SK_TRY(sk_file_open_regular(&file, path, err));
    SK_TRY(sk_file_size(file, &size, &regular, err));
    *invite = regular && sk_invite_possible(size);
    return SK_OK;
}

/* A further archive comes too late for what was purged. */
static enum sk_status say_purged(const struct sk_run *run, struct sk_error *err)
{
    sk_auto_ranges purged = SK_RANGES_INIT;
    uint64_t count = 0;

    SK_TRY(sk_purged_ranges(run->store, &purged, err));
    count = sk_ranges_total(&purged);
    if (count > 0)
        sk_say(run->program->name, "what %llu %s was purged here: this archive gets %s without it.",
               (unsigned long long)count, sk_plural(count, "entry says", "entries say"),
               sk_plural(count, "that entry", "those entries"));
    return SK_OK;
}

static enum sk_status receive_invite(struct sk_run *run, const char *path, struct sk_error *err)
{
    sk_auto_invited invited = SK_INVITED_INIT;

    SK_TRY(sk_invited_further(run, &invited, path, err));
    if (run->json) {
        sk_auto_json result = json_pack("{s:s}", "archive", invited.archive);

        SK_TRY(sk_out_json_line(result, err));
        return say_purged(run, err);
    }
    sk_out("This store now also sends to the archive ");
    SK_TRY(sk_out_text(invited.archive, err));
    sk_out(".\n");
    return say_purged(run, err);
}

/* The words of the archive for a person: lines that stand for themselves. */
static enum sk_status out_notes(const char *notes, struct sk_error *err)
{
    while (notes && *notes) {
        size_t len = strcspn(notes, "\n");
        sk_auto_free char *line = strndup(notes, len);

        if (!line)
            return sk_fail_status(err, SK_NOMEM);
        sk_out("  ");
        SK_TRY(sk_out_text(line, err));
        sk_out("\n");
        notes += len + (notes[len] == '\n');
    }
    return SK_OK;
}

static enum sk_status out_older(const struct sk_receipt_result *result, struct sk_error *err)
{
    unsigned long long newest = result->newest;

    if (result->number > 0)
        sk_out("Receipt %llu from ", (unsigned long long)result->number);
    else
        sk_out("A receipt from ");
    SK_TRY(sk_out_text(result->archive, err));
    if (result->number > 0)
        sk_out(" is older than receipt %llu, which was taken before. Nothing was changed.\n",
               newest);
    else
        sk_out(" that was taken before; the newest is receipt %llu. Nothing was changed.\n",
               newest);
    return SK_OK;
}

static void out_new_keys(const struct sk_receipt_result *result)
{
    char safety[SK_SAFETY_LEN];

    sk_safety(safety, result->keys_id);
    sk_out("  It has new keys, to which everything is sealed from now on. Their safety\n"
           "  number is\n\n    %s\n\n"
           "  Before the next export have somebody of the archive read theirs to you, by\n"
           "  voice. If it is another, export nothing: somebody else may have sent these\n"
           "  keys. 'status' shows it again.\n",
           safety);
}

static enum sk_status out_withdrawn(struct sk_run *run, const struct sk_ranges *withdrawn,
                                    struct sk_error *err)
{
    uint64_t count = sk_ranges_total(withdrawn);

    if (count == 0)
        return SK_OK;
    sk_out("  Of %llu %s it has erased what %s, since a store that this one continues,\n"
           "  or that continues this one, withdrew %s. Here %s, and 'purge' leaves %s:\n",
           (unsigned long long)count, sk_plural(count, "entry", "entries"),
           sk_plural(count, "it says", "they say"), sk_plural(count, "it", "them"),
           sk_plural(count, "it stays", "they stay"), sk_plural(count, "it", "them"));
    return sk_out_elsewhere(run, withdrawn, err);
}

static enum sk_status out_taken(struct sk_run *run, const struct sk_receipt_result *result,
                                struct sk_error *err)
{
    sk_out("Receipt %llu from ", (unsigned long long)result->number);
    SK_TRY(sk_out_text(result->archive, err));
    if (result->rollback) {
        sk_out(": nothing was changed.\n");
        return SK_OK;
    }
    sk_out(": %llu %s arrived.", (unsigned long long)result->arrived,
           sk_plural(result->arrived, "entry of this store has", "entries of this store have"));
    if (result->wanted > 0)
        sk_out(" %llu %s asked for again: 'export' sends %s.", (unsigned long long)result->wanted,
               sk_plural(result->wanted, "is", "are"), sk_plural(result->wanted, "it", "them"));
    sk_out("\n");
    /* Nothing more is sent to one that has revoked this store. */
    if (result->on_way > 0 && result->revoked == SK_NOT_REVOKED)
        sk_out("  %llu more left from here, from position %llu on, and %s not in this receipt:\n"
               "  on the way still, maybe. If that bundle was lost, 'export --since %llu' sends\n"
               "  %s again.\n",
               (unsigned long long)result->on_way, (unsigned long long)result->on_way_from,
               sk_plural(result->on_way, "is", "are"), (unsigned long long)result->on_way_from,
               sk_plural(result->on_way, "it", "them"));
    if (result->lost > 0)
        sk_out("  It does not have %llu %s any more that it had acknowledged, from position\n"
               "  %llu on: it may have lost them. 'export --since %llu' sends them again. Ask it\n"
               "  before anything else.\n",
               (unsigned long long)result->lost, sk_plural(result->lost, "entry", "entries"),
               (unsigned long long)result->lost_from, (unsigned long long)result->lost_from);
    if (result->purged > 0)
        sk_out("  Of what is asked for, %llu %s purged here: only that\n"
               "  %s there can be sent.\n",
               (unsigned long long)result->purged,
               sk_plural(result->purged, "entry was", "entries were"),
               sk_plural(result->purged, "it was", "they were"));
    if (result->bare > 0)
        sk_out("  Of %llu %s it has no more than that %s there: what %s was\n"
               "  purged here before. Another archive may have it, or this archive in the log\n"
               "  that this store continues, or a backup that was made earlier: ask them before\n"
               "  the next purge.\n",
               (unsigned long long)result->bare, sk_plural(result->bare, "entry", "entries"),
               sk_plural(result->bare, "it is", "they are"),
               sk_plural(result->bare, "it says", "they say"));
    SK_TRY(out_withdrawn(run, &result->withdrawn, err));
    if (result->new_keys)
        out_new_keys(result);
    return SK_OK;
}

/* One sentence about the forms that came, and one about those that went. */
static enum sk_status out_forms(const struct sk_receipt_result *result, struct sk_error *err)
{
    size_t count = json_array_size(result->forms);

    for (size_t i = 0; i < count; i++) {
        const json_t *form = json_array_get(result->forms, i);

        sk_out("%s", i > 0 ? ", " : count == 1 ? "  A new form came: " : "  New forms came: ");
        SK_TRY(sk_out_text(json_string_value(json_object_get(form, "form")), err));
        sk_out(" (");
        SK_TRY(sk_out_text(json_string_value(json_object_get(form, "label")), err));
        sk_out(", version %lld)", (long long)json_integer_value(json_object_get(form, "version")));
    }
    if (count > 0)
        sk_out(". 'add NAME' records under %s.\n", sk_plural(count, "it", "them"));
    count = json_array_size(result->forms_gone);
    for (size_t i = 0; i < count; i++) {
        sk_out("%s", i > 0 ? ", " : "  Offered no more: ");
        SK_TRY(sk_out_text(json_string_value(json_array_get(result->forms_gone, i)), err));
    }
    sk_out("%s", count > 0 ? ". What was recorded stays.\n" : "");
    return SK_OK;
}

static enum sk_status out_receipt(struct sk_run *run, const struct sk_receipt_result *result,
                                  struct sk_error *err)
{
    if (run->json) {
        json_t *elsewhere = NULL;

        SK_TRY(sk_elsewhere_json(run, &result->withdrawn, &elsewhere, err));

        sk_auto_json json = json_pack(
            "{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:b, s:b, s:s}", "archive",
            result->archive, "receipt", (json_int_t)result->number, "size",
            (json_int_t)result->size, "arrived", (json_int_t)result->arrived, "wanted",
            (json_int_t)result->wanted, "on_way", (json_int_t)result->on_way, "lost",
            (json_int_t)result->lost, "purged", (json_int_t)result->purged, "bare",
            (json_int_t)result->bare, "withdrawn", (json_int_t)sk_ranges_total(&result->withdrawn),
            "withdrawn_items", elsewhere, "older", result->older, "rollback", result->rollback,
            "notes", result->notes ? result->notes : "");

        if (result->new_keys) {
            char safety[SK_SAFETY_LEN];

            sk_safety(safety, result->keys_id);
            sk_json_put(&json, "new_keys", json_string(safety));
        }
        sk_json_put(&json, "forms", json_incref(result->forms));
        sk_json_put(&json, "forms_gone", json_incref(result->forms_gone));
        if (result->revoked != SK_NOT_REVOKED)
            sk_json_put(&json, "revoked", json_integer((json_int_t)result->revoked));
        return sk_out_json_line(json, err);
    }
    if (result->older)
        SK_TRY(out_older(result, err));
    else
        SK_TRY(out_taken(run, result, err));
    SK_TRY(out_forms(result, err));
    return out_notes(result->notes, err);
}

/* The receipt was taken; what it says is no success. */
static enum sk_status refuse_revoked(struct sk_run *run, const struct sk_receipt_result *result,
                                     struct sk_error *err)
{
    sk_run_advise(run, "The receipt was taken. Everything stays here, and other archives go on as "
                       "before. Ask that archive why, by another way than this device; 'export' "
                       "leaves it out from now on.");
    return sk_fail(err, SK_REFUSED,
                   "\"%s\" has revoked this store: from position %llu of its log on it takes "
                   "nothing for this device's word",
                   result->archive, (unsigned long long)result->revoked);
}

/* Nothing was taken of it. */
static enum sk_status refuse_rollback(struct sk_run *run, const struct sk_receipt_result *result,
                                      struct sk_error *err)
{
    sk_run_advise(run, "Nothing was changed. An older copy of the store may have been put back. "
                       "Record nothing more here: 'repair NEWDIR' makes a new store of what this "
                       "one holds, for a new "
                       "invite. 'show' and 'extract' go on working here.");
    return sk_fail(err, SK_REFUSED,
                   "\"%s\" knows entries of this device that this store does not hold",
                   result->archive);
}

enum sk_status sk_cmd_receive(struct sk_run *run, struct sk_error *err)
{
    struct sk_receipt_result result = {.notes = NULL};
    bool invite = false;
    enum sk_status status;

    SK_TRY(looks_like_invite(run->args[0], &invite, err));
    if (invite)
        return receive_invite(run, run->args[0], err);
    status = sk_receipt_take(run->store, run->args[0], &result, err);
    if (status == SK_DAMAGED)
        sk_run_advise(run, "Nothing was changed. Keep the file, and ask for it again.");
    else if (status == SK_REFUSED)
        sk_run_advise(run, "Nothing was changed. Keep the file, and ask the archive.");
    SK_TRY(status);
    status = out_receipt(run, &result, err);
    sk_receipt_result_clear(&result);
    if (status == SK_OK && result.rollback)
        return refuse_rollback(run, &result, err);
    if (status == SK_OK && result.revoked != SK_NOT_REVOKED)
        return refuse_revoked(run, &result, err);
    return status;
}

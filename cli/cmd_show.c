#include "cli/commands.h"
#include "cli/items.h"
#include "core/purge.h"
#include "core/record.h"
#include "core/revoke.h"

#include <string.h>

/* One record with what belongs to it. */
struct view {
    struct sk_run *run;
    struct sk_item item;
    struct sk_record record;
    struct sk_device_name device;
    json_t *links;
    json_t *attachments;
    json_t *others; /* names of devices in whose log the record has entries that stand apart */
    struct sk_device_name heir;
    uint64_t purged; /* attachments and links of it */
    bool apart;
    bool outdated; /* the newest revision is lacking, and this is an older one */
    uint64_t newest;
    bool revoked; /* its newest entry stands where its log is revoked */
    bool incoming;
    bool headed;
};

static void view_clear(struct view *view)
{
    sk_item_clear(&view->item);
    sk_record_clear(&view->record);
    json_decref(view->links);
    json_decref(view->attachments);
    json_decref(view->others);
}
#define auto_view __attribute__((cleanup(view_clear))) struct view

static enum sk_status keep(json_t *array, json_t *element, struct sk_error *err)
{
    return json_array_append_new(array, element) == 0 ? SK_OK : sk_fail_status(err, SK_NOMEM);
}

/* Whether an attachment or a link stands apart; `in` is its device then. And whether it stands
 * where its log is revoked. log: in which it stands, or 0: the one that an id finds. */
static enum sk_status hangs_apart(struct view *view, const struct sk_id *id, int64_t log,
                                  struct sk_device_name *in, bool *apart, bool *revoked,
                                  struct sk_error *err)
{
    sk_auto_item item = {.title = NULL};
    struct sk_device_name heir = {.log = 0};

    if (log)
        SK_TRY(sk_item_get(view->run->store, log, id, &item, err));
    else
        SK_TRY(sk_item_related(view->run->store, view->item.log, id, &item, err));
    SK_TRY(sk_entry_revoked(view->run->store, item.log, item.position, revoked, err));
    SK_TRY(sk_apart(view->run, item.log, item.position, &heir, apart, err));
    return *apart ? sk_device_name(view->run->store, item.log, in, err) : SK_OK;
}

/* Keeps what the view has of a link or an attachment, with the marks of where it stands. NULL
 * stands for "no memory". */
static enum sk_status keep_marked(struct view *view, const struct sk_id *id, int64_t log,
                                  json_t *array, json_t *element, struct sk_error *err)
{
    sk_auto_json owned = element;
    struct sk_device_name in = {.log = 0};
    bool apart = false;
    bool revoked = false;

    SK_TRY(hangs_apart(view, id, log, &in, &apart, &revoked, err));
    if (apart)
        sk_json_put(&owned, "apart", json_true());
    if (revoked)
        sk_json_put(&owned, "revoked", json_true());
    return keep(array, SK_TAKE(owned), err);
}

static enum sk_status mark_text(struct view *view, const struct sk_id *id, int64_t log,
                                struct sk_error *err)
{
    struct sk_device_name in = {.log = 0};
    bool apart = false;
    bool revoked = false;

    SK_TRY(hangs_apart(view, id, log, &in, &apart, &revoked, err));
    if (revoked)
        sk_out("  (revoked)");
    if (!apart)
        return SK_OK;
    sk_out("  (apart, in the log of ");
    SK_TRY(sk_out_text(in.name, err));
    sk_out(")");
    return SK_OK;
}

/* The same record in a related log, with a newest entry that stands apart. */
static enum sk_status add_other(void *context, const struct sk_item *item, struct sk_error *err)
{
    struct view *view = context;
    struct sk_device_name device = {.log = 0};
    bool apart = false;

    SK_TRY(sk_apart(view->run, item->log, item->position, &view->heir, &apart, err));
    if (!apart)
        return SK_OK;
    SK_TRY(sk_device_name(view->run->store, item->log, &device, err));
    return keep(view->others, json_string(device.name), err);
}

static enum sk_status find_apart(struct view *view, struct sk_error *err)
{
    view->others = json_array();
    SK_TRY(sk_item_twins(view->run->store, &view->item, add_other, view, err));
    return sk_apart(view->run, view->item.log, view->item.position, &view->heir, &view->apart, err);
}

static enum sk_status link_json(void *context, const struct sk_id *link, const char *role,
                                const struct sk_id *other, struct sk_error *err)
{
    struct view *view = context;
    char id[SK_ID_TEXT_LEN];

    sk_id_format(id, other);
    return keep_marked(view, link, 0, view->links, json_pack("{s:s, s:s}", "role", role, "id", id),
                       err);
}

static enum sk_status attachment_json(void *context, const struct sk_attachment *attachment,
                                      struct sk_error *err)
{
    struct view *view = context;
    char id[SK_ID_TEXT_LEN];
    char sha256[65];

    sk_id_format(id, &attachment->id);
    sk_hex(sha256, attachment->sha256, 32);
    return keep_marked(view, &attachment->id, attachment->log, view->attachments,
                       json_pack("{s:s, s:s, s:I, s:s}", "id", id, "name", attachment->name, "size",
                                 (json_int_t)attachment->size, "sha256", sha256),
                       err);
}

static enum sk_status show_json(struct view *view, struct sk_error *err)
{
    struct sk_store *store = view->run->store;
    char id[SK_ID_TEXT_LEN];
    char day[11];

    view->links = json_array();
    view->attachments = json_array();
    SK_TRY(sk_link_each(store, &view->item, false, link_json, view, err));
    SK_TRY(sk_attachment_each(store, &view->item, attachment_json, view, err));
    sk_id_format(id, &view->item.id);

    sk_auto_json whole =
        json_pack("{s:s, s:s, s:I, s:s, s:I, s:s, s:O?, s:O, s:O}", "id", id, "type",
                  sk_type_name(view->item.type), "rev", (json_int_t)view->item.revision, "device",
                  view->device.name, "position", (json_int_t)view->item.position, "recorded",
                  sk_recorded(&view->record, day), "fields", view->record.fields, "links",
                  view->links, "attachments", view->attachments);

    if (view->record.own) {
        sk_json_put(&whole, "form", json_string(view->record.form->name));
        sk_json_put(&whole, "form_version", json_integer((json_int_t)view->record.form->version));
    }
    if (view->apart)
        sk_json_put(&whole, "apart", json_true());
    if (json_array_size(view->others) > 0)
        sk_json_put(&whole, "apart_in", json_incref(view->others));
    if (view->record.lacking)
        sk_json_put(&whole, "lacking", json_true());
    if (view->record.malformed)
        sk_json_put(&whole, "malformed", json_true());
    if (view->outdated && !view->record.lacking)
        sk_json_put(&whole, "outdated", json_true());
    if (view->revoked)
        sk_json_put(&whole, "revoked", json_true());
    if (view->purged > 0)
        sk_json_put(&whole, "purged_with_it", json_integer((json_int_t)view->purged));
    if (view->record.purged)
        sk_json_put(&whole, "purged", json_true());
    if (view->record.unproven)
        sk_json_put(&whole, "unproven", json_true());
    return sk_out_json_line(whole, err);
}

static void heading(struct view *view, const char *text)
{
    if (!view->headed)
        sk_out("\n%s\n", text);
    view->headed = true;
}

static enum sk_status link_text(void *context, const struct sk_id *link, const char *role,
                                const struct sk_id *other, struct sk_error *err)
{
    struct view *view = context;
    sk_auto_item item = {.title = NULL};
    char id[SK_ID_TEXT_LEN];

    heading(view, view->incoming ? "Linked from" : "Links");
    sk_id_format(id, other);
    sk_out("    ");
    SK_TRY(sk_out_text(role, err));
    sk_out("  %s  ", id);
    /* The other end may not have arrived yet. */
    if (sk_item_related(view->run->store, view->item.log, other, &item, NULL) == SK_OK &&
        item.title)
        SK_TRY(sk_out_text(item.title, err));
    sk_id_format(id, link);
    sk_out("  (link %.8s)", id);
    SK_TRY(mark_text(view, link, 0, err));
    sk_out("\n");
    return SK_OK;
}

static enum sk_status attachment_text(void *context, const struct sk_attachment *attachment,
                                      struct sk_error *err)
{
    char id[SK_ID_TEXT_LEN];
    char size[SK_SIZE_TEXT_LEN];
    char sha256[65];

    heading(context, "Attachments");
    sk_id_format(id, &attachment->id);
    sk_size_text(size, attachment->size);
    sk_hex(sha256, attachment->sha256, 32);
    sk_out("    %s  ", id);
    SK_TRY(sk_out_text(attachment->name, err));
    sk_out("  %s", size);
    SK_TRY(mark_text(context, &attachment->id, attachment->log, err));
    sk_out("\n        SHA-256 %s\n", sha256);
    return SK_OK;
}

static enum sk_status apart_text(struct view *view, struct sk_error *err)
{
    if (view->apart) {
        sk_out("Apart: made after the log of ");
        SK_TRY(sk_out_text(view->heir.name, err));
        sk_out(" continued this one.\n");
    }
    for (size_t i = 0; i < json_array_size(view->others); i++) {
        sk_out("The log of ");
        SK_TRY(sk_out_text(json_string_value(json_array_get(view->others, i)), err));
        sk_out(" has a later entry of it that stands apart: 'history' shows it.\n");
    }
    return SK_OK;
}

static enum sk_status show_text(struct view *view, struct sk_error *err)
{
    struct sk_store *store = view->run->store;
    const struct sk_form *form = view->record.form;
    sk_auto_buf shown = SK_BUF_INIT;
    char id[SK_ID_TEXT_LEN];
    char day[11];

    if (!form)
        form = sk_form_of(view->item.type);
    sk_id_format(id, &view->item.id);
    sk_out("%s %s\n", form ? form->label : "Record", id);
    if (form && form->hash) /* its label may be that of another type */
        sk_out("Type %s, form %s, version %u\n", sk_type_name(form->type), form->name,
               form->version);
    sk_out("Revision %u, position %llu, recorded ", view->item.revision,
           (unsigned long long)view->item.position);
    SK_TRY(sk_out_text(sk_recorded(&view->record, day), err));
    sk_out(", device ");
    SK_TRY(sk_out_text(view->device.name, err));
    sk_out("\n%s", view->record.unproven ? SK_UNPROVEN : "");
    sk_out("%s", view->revoked ? SK_REVOKED : "");
    SK_TRY(apart_text(view, err));
    if (view->outdated && !view->record.lacking)
        sk_out("An older revision: what the newest one says (position %llu) was lost in a damaged "
               "bundle.\nThe next receipt asks its device for it.\n",
               (unsigned long long)view->newest);
    sk_out("\n");
    if (!view->record.fields)
        sk_out("    %s\n", sk_no_fields(&view->item, &view->record));
    else if (form)
        SK_TRY(
            sk_fields_show(&shown, form->fields, form->field_count, view->record.fields, 4, err));
    sk_out("%s", sk_buf_text(&shown));
    SK_TRY(sk_link_each(store, &view->item, false, link_text, view, err));
    view->incoming = true;
    view->headed = false;
    SK_TRY(sk_link_each(store, &view->item, true, link_text, view, err));
    view->headed = false;
    SK_TRY(sk_attachment_each(store, &view->item, attachment_text, view, err));
    if (view->purged > 0)
        sk_out("\n%llu %s purged here.\n", (unsigned long long)view->purged,
               sk_plural(view->purged, "attachment or link of it was",
                         "attachments and links of it were"));
    return SK_OK;
}

enum sk_status sk_cmd_show(struct sk_run *run, struct sk_error *err)
{
    auto_view view = {.run = run};

    SK_TRY(sk_find_record(run, run->args[0], &view.item, err));
    SK_TRY(sk_device_name(run->store, view.item.log, &view.device, err));
    SK_TRY(sk_record_load(run->store, &view.item, view.item.position, &view.record, err));
    SK_TRY(find_apart(&view, err));
    SK_TRY(sk_lacking_newest(run->store, &view.item, &view.newest, &view.outdated, err));
    SK_TRY(sk_entry_revoked(run->store, view.item.log, view.item.position, &view.revoked, err));
    SK_TRY(sk_purged_hanging(run->store, &view.item.id, &view.purged, err));
    return run->json ? show_json(&view, err) : show_text(&view, err);
}

#include "cli/commands.h"
#include "cli/items.h"
#include "core/record.h"

#include <string.h>

/* One record with what belongs to it. */
struct view {
    struct sk_run *run;
    struct sk_item item;
    struct sk_record record;
    struct sk_device_name device;
    json_t *links;
    json_t *attachments;
    bool incoming;
    bool headed;
};

static void view_clear(struct view *view)
{
    sk_item_clear(&view->item);
    sk_record_clear(&view->record);
    json_decref(view->links);
    json_decref(view->attachments);
}
#define auto_view __attribute__((cleanup(view_clear))) struct view

static enum sk_status keep(json_t *array, json_t *element, struct sk_error *err)
{
    return json_array_append_new(array, element) == 0 ? SK_OK : sk_fail_status(err, SK_NOMEM);
}

static enum sk_status link_json(void *context, const struct sk_id *link, const char *role,
                                const struct sk_id *other, struct sk_error *err)
{
    struct view *view = context;
    char id[SK_ID_TEXT_LEN];

    (void)link;
    sk_id_format(id, other);
    return keep(view->links, json_pack("{s:s, s:s}", "role", role, "id", id), err);
}

static enum sk_status attachment_json(void *context, const struct sk_attachment *attachment,
                                      struct sk_error *err)
{
    struct view *view = context;
    char id[SK_ID_TEXT_LEN];
    char sha256[65];

    sk_id_format(id, &attachment->id);
    sk_hex(sha256, attachment->sha256, 32);
    return keep(view->attachments,
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
    sk_out("  (link %.8s)\n", id);
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
    sk_out("  %s\n        SHA-256 %s\n", size, sha256);
    return SK_OK;
}

static enum sk_status show_text(struct view *view, struct sk_error *err)
{
    struct sk_store *store = view->run->store;
    const struct sk_form *form = sk_form_of(view->item.type);
    sk_auto_buf shown = SK_BUF_INIT;
    char id[SK_ID_TEXT_LEN];
    char day[11];

    sk_id_format(id, &view->item.id);
    sk_out("%s %s\nRevision %u, position %llu, recorded ", form ? form->label : "Record", id,
           view->item.revision, (unsigned long long)view->item.position);
    SK_TRY(sk_out_text(sk_recorded(&view->record, day), err));
    sk_out(", device ");
    SK_TRY(sk_out_text(view->device.name, err));
    sk_out("\n\n");
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
    return sk_attachment_each(store, &view->item, attachment_text, view, err);
}

enum sk_status sk_cmd_show(struct sk_run *run, struct sk_error *err)
{
    auto_view view = {.run = run};

    SK_TRY(sk_find_record(run, run->args[0], &view.item, err));
    SK_TRY(sk_device_name(run->store, view.item.log, &view.device, err));
    SK_TRY(sk_record_load(run->store, &view.item, view.item.position, &view.record, err));
    return run->json ? show_json(&view, err) : show_text(&view, err);
}

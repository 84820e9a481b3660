#include "cli/commands.h"
#include "cli/print.h"
#include "core/file.h"
#include "core/form_offer.h"

#include <string.h>

#define NAME_COLUMNS 20
#define TYPE_COLUMNS 10
#define FILE_MAX     ((size_t)1024 * 1024) /* of a form as a person writes it, with blanks */

/* What `forms` is asked to do. The last two are the archive's. */
enum verb { LIST, SHOW, ADD, STOP, UNKNOWN };

static enum verb verb_of(const struct sk_run *run)
{
    static const char *const names[] = {"list", "show", "add", "stop"};
    bool archive = run->program->kind == SK_STORE_ARCHIVE;
    size_t i = 0;

    if (run->arg_count == 0)
        return LIST;
    while (i < UNKNOWN && strcmp(run->args[0], names[i]) != 0)
        i++;
    return i < ADD || archive ? (enum verb)i : UNKNOWN;
}

enum sk_status sk_check_forms(struct sk_run *run, struct sk_error *err)
{
    enum verb verb = verb_of(run);

    run->changes = verb == ADD || verb == STOP;
    if (verb == UNKNOWN)
        return sk_fail(err, SK_USAGE, "forms does %s",
                       run->program->kind == SK_STORE_ARCHIVE ? "list, show, add or stop"
                                                              : "list or show");
    if (verb == LIST && run->arg_count > 1)
        return sk_fail(err, SK_USAGE, "'forms list' takes no further argument");
    if (verb == ADD && run->arg_count < 2)
        return sk_fail(err, SK_USAGE, "which file? 'forms add FILE'");
    if (verb != LIST && run->arg_count < 2)
        return sk_fail(err, SK_USAGE, "which form? 'forms list' names them");
    return SK_OK;
}

/* ---- list ---- */

struct listing {
    struct sk_run *run;
    struct sk_out_array array;
    unsigned own; /* forms of organisations */
};

static enum sk_status list_form(struct listing *listing, const struct sk_form *form,
                                const char *archive, struct sk_error *err)
{
    listing->own += form->hash != NULL;
    if (listing->run->json) {
        json_t *json =
            json_pack("{s:s, s:s, s:I, s:s}", "form", form->name, "type", sk_type_name(form->type),
                      "version", (json_int_t)form->version, "label", form->label);

        if (archive)
            sk_json_put(&json, "archive", json_string(archive));
        return sk_out_array_add(&listing->array, json, err);
    }
    sk_out("%-*s %-*s %s", NAME_COLUMNS, form->name, TYPE_COLUMNS, sk_type_name(form->type),
           form->label);
    if (form->hash)
        sk_out(" (version %u%s", form->version, archive ? ", of " : ")");
    if (archive) {
        SK_TRY(sk_out_text(archive, err));
        sk_out(")");
    }
    sk_out("\n");
    return SK_OK;
}

static enum sk_status list_usable(void *context, struct sk_own_form *own, const char *archive,
                                  struct sk_error *err)
{
    return list_form(context, sk_own_form_of(own), archive, err);
}

static enum sk_status list_offered(void *context, struct sk_own_form *own, struct sk_error *err)
{
    return list_form(context, sk_own_form_of(own), NULL, err);
}

static enum sk_status list_all(struct listing *listing, struct sk_error *err)
{
    struct sk_store *store = listing->run->store;

    if (sk_store_kind(store) == SK_STORE_ARCHIVE)
        return sk_offer_each(store, 0, list_offered, listing, err);
    for (unsigned type = SK_TYPE_PERSON; type <= SK_TYPE_RECORD_LAST; type++)
        SK_TRY(list_form(listing, sk_form_of(type), NULL, err));
    return sk_usable_form_each(store, list_usable, listing, err);
}

static enum sk_status list(struct sk_run *run, struct sk_error *err)
{
    struct listing listing = {.run = run};

    if (run->json)
        sk_out_array_begin(&listing.array);
    SK_TRY(list_all(&listing, err));
    if (run->json)
        sk_out_array_end(&listing.array);
    else if (listing.own == 0 && run->program->kind == SK_STORE_ARCHIVE)
        sk_say(run->program->name, "no form is offered. 'forms add FILE' offers one.");
    return SK_OK;
}

/* ---- show ---- */

struct finding {
    const char *name;
    struct sk_own_form *found;
};

static enum sk_status find_offered(void *context, struct sk_own_form *own, struct sk_error *err)
{
    struct finding *finding = context;

    (void)err;
    if (strcmp(sk_own_form_of(own)->name, finding->name) == 0)
        finding->found = sk_own_form_ref(own);
    return SK_OK;
}

static enum sk_status find_own(struct sk_run *run, struct sk_own_form **out, struct sk_error *err)
{
    struct finding finding = {run->args[1], NULL};
    enum sk_status status;

    if (run->program->kind != SK_STORE_ARCHIVE)
        return sk_usable_form_find(run->store, run->args[1], out, err);
    status = sk_offer_each(run->store, 0, find_offered, &finding, err);
    *out = finding.found;
    SK_TRY(status);
    return *out ? SK_OK : sk_fail(err, SK_MISSING, "there is no form of this name");
}

static enum sk_status show(struct sk_run *run, struct sk_error *err)
{
    sk_auto_own_form own = NULL;
    sk_auto_buf text = SK_BUF_INIT;
    const struct sk_form *form = sk_form_of(sk_type_from_name(run->args[1]));

    if (!form) {
        enum sk_status status = find_own(run, &own, err);

        if (status == SK_MISSING)
            sk_run_advise(run, "Nothing was changed. 'forms list' names those there are.");
        SK_TRY(status);
        form = sk_own_form_of(own);
    }
    if (run->json && own) {
        sk_auto_json json = NULL;

        SK_TRY(sk_json_parse(&json, sk_buf_text(sk_own_form_text(own)), sk_own_form_text(own)->len,
                             err));
        return sk_out_json_line(json, err);
    }
    if (run->json)
        return sk_fail(err, SK_USAGE, "--json shows forms of organisations alone");
    SK_TRY(sk_form_fields_help(&text, form, err));
    sk_out("%s", sk_buf_text(&text));
    return SK_OK;
}

/* ---- add ---- */

static enum sk_status read_file(const char *path, struct sk_own_form **out, struct sk_error *err)
{
    sk_auto_buf file = SK_BUF_INIT;
    sk_auto_buf text = SK_BUF_INIT;
    struct sk_error why = SK_ERROR_INIT;
    enum sk_status status;

    SK_TRY(sk_file_load(&file, path, FILE_MAX, err));
    status = sk_own_form_compact(&text, sk_buf_text(&file), file.len, &why);
    if (status == SK_OK)
        status = sk_own_form_read(out, sk_buf_text(&text), text.len, &why);
    return status == SK_OK ? SK_OK : sk_fail(err, status, "%s: %s", path, why.text);
}

static enum sk_status refuse_outcome(const struct sk_form *form, enum sk_offer_outcome outcome,
                                     struct sk_error *err)
{
    if (outcome == SK_OFFER_OLDER)
        return sk_fail(err, SK_REFUSED,
                       "a higher version of %s was offered before: give this one a higher one yet",
                       form->name);
    if (outcome == SK_OFFER_OTHER)
        return sk_fail(err, SK_REFUSED,
                       "version %u of %s was offered with other content: give this one a higher "
                       "version",
                       form->version, form->name);
    return SK_OK;
}

static enum sk_status add(struct sk_run *run, struct sk_error *err)
{
    sk_auto_own_form own = NULL;
    sk_auto_store_txn txn = NULL;
    enum sk_offer_outcome outcome = SK_OFFER_KNOWN;
    enum sk_status status = read_file(run->args[1], &own, err);

    if (status == SK_REFUSED)
        sk_run_advise(run, "Nothing was changed. How a form is written stands in the manual page.");
    SK_TRY(status);

    const struct sk_form *form = sk_own_form_of(own);

    SK_TRY(sk_store_begin(&txn, run->store, err));
    SK_TRY(sk_offer_put(run->store, 0, own, &outcome, err));
    status = refuse_outcome(form, outcome, err);
    if (status != SK_OK)
        sk_run_advise(run, "Nothing was changed.");
    SK_TRY(status);
    SK_TRY(sk_store_commit(&txn, err));
    sk_say(run->program->name, "%s, version %u, %s. The next 'receipt' takes it to each device.",
           form->name, form->version,
           outcome == SK_OFFER_KNOWN ? "was offered before" : "is offered now");
    return SK_OK;
}

/* ---- stop ---- */

static enum sk_status stop(struct sk_run *run, struct sk_error *err)
{
    sk_auto_store_txn txn = NULL;
    enum sk_status status;

    SK_TRY(sk_store_begin(&txn, run->store, err));
    status = sk_offer_stop(run->store, 0, run->args[1], err);
    if (status == SK_MISSING)
        sk_run_advise(run, "Nothing was changed. 'forms list' names those that are.");
    SK_TRY(status);
    SK_TRY(sk_store_commit(&txn, err));
    sk_say(run->program->name,
           "%s is offered no more: a device that takes the next 'receipt' records nothing new "
           "under it. What was recorded stays.",
           run->args[1]);
    return SK_OK;
}

enum sk_status sk_cmd_forms(struct sk_run *run, struct sk_error *err)
{
    switch (verb_of(run)) {
    case SHOW:
        return show(run, err);
    case ADD:
        return add(run, err);
    case STOP:
        return stop(run, err);
    case LIST:
    case UNKNOWN:
    default:
        return list(run, err);
    }
}

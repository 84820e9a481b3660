#include "core/form_offer.h"

#include "core/form_log.h"
#include "core/store_internal.h"

#include <string.h>

/* ---- offering ---- */

struct offer {
    bool found, offered;
    int64_t version;
    uint8_t hash[SK_HASH_LEN];
};

static enum sk_status find_offer(struct sk_store *store, int64_t peer, const char *name,
                                 struct offer *out, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    *out = (struct offer){.found = false};
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT version, hash, offered FROM form WHERE peer = ?1 AND name = ?2",
                         err));
    sk_bind_int(stmt, 1, peer);
    sk_bind_text(stmt, 2, name);
    SK_TRY(sk_step(stmt, &out->found, err));
    if (!out->found)
        return SK_OK;
    out->version = sk_column_int(stmt, 0);
    out->offered = sk_column_int(stmt, 2) != 0;
    return sk_column_copy(stmt, 1, out->hash, sizeof(out->hash), err);
}

static enum sk_status check_count(struct sk_store *store, int64_t peer, const char *name,
                                  struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT count(*) FROM form WHERE peer = ?1 AND offered AND name <> ?2",
                         err));
    sk_bind_int(stmt, 1, peer);
    sk_bind_text(stmt, 2, name);
    SK_TRY(sk_step(stmt, &row, err));
    if (sk_column_int(stmt, 0) >= (int64_t)SK_OFFERS_MAX)
        return sk_fail(err, SK_LIMIT, "an archive offers at most %u forms", SK_OFFERS_MAX);
    return SK_OK;
}

static enum sk_status write_offer(struct sk_store *store, int64_t peer,
                                  const struct sk_own_form *own, struct sk_error *err)
{
    const struct sk_form *form = sk_own_form_of(own);
    const struct sk_buf *text = sk_own_form_text(own);
    sk_auto_stmt stmt = NULL;
    SK_TRY(check_count(store, peer, form->name, err));
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "INSERT INTO form(peer, name, version, hash, offered, text) "
                         "VALUES(?1, ?2, ?3, ?4, 1, ?5) ON CONFLICT(peer, name) DO UPDATE SET "
                         "version = ?3, hash = ?4, offered = 1, text = ?5",
                         err));
    sk_bind_int(stmt, 1, peer);
    sk_bind_text(stmt, 2, form->name);
    sk_bind_int(stmt, 3, form->version);
    sk_bind_bytes(stmt, 4, form->hash, SK_HASH_LEN);
    sk_bind_bytes(stmt, 5, sk_buf_text(text), text->len);
    return sk_run(stmt, err);
}

enum sk_status sk_offer_put(struct sk_store *store, int64_t peer, const struct sk_own_form *own,
                            enum sk_offer_outcome *outcome, struct sk_error *err)
{
    const struct sk_form *form = sk_own_form_of(own);
    struct offer before;
    SK_TRY(find_offer(store, peer, form->name, &before, err));
    if (before.found && before.version > (int64_t)form->version)
        *outcome = SK_OFFER_OLDER;
    else if (!before.found || before.version < (int64_t)form->version)
        *outcome = SK_OFFER_NEW;
    else if (memcmp(before.hash, form->hash, sizeof(before.hash)) != 0)
        *outcome = SK_OFFER_OTHER;
    else
        *outcome = before.offered ? SK_OFFER_KNOWN : SK_OFFER_NEW;
    return *outcome == SK_OFFER_NEW ? write_offer(store, peer, own, err) : SK_OK;
}

enum sk_status sk_offer_stop(struct sk_store *store, int64_t peer, const char *name,
                             struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    struct offer before;
    SK_TRY(find_offer(store, peer, name, &before, err));
    if (!before.offered)
        return sk_fail(err, SK_MISSING, "no form of this name is offered");
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "UPDATE form SET offered = 0, text = x'' WHERE peer = ?1 AND name = ?2",
                         err));
    sk_bind_int(stmt, 1, peer);
    sk_bind_text(stmt, 2, name);
    return sk_run(stmt, err);
}

/* ---- listing ---- */

static enum sk_status read_column(struct sk_stmt *stmt, int column, struct sk_own_form **out,
                                  struct sk_error *err)
{
    size_t len = 0;
    const uint8_t *text = sk_column_bytes(stmt, column, &len);
    struct sk_error why = SK_ERROR_INIT;
    enum sk_status status = sk_own_form_read(out, (const char *)text, len, &why);
    return status == SK_REFUSED
               ? sk_fail(err, SK_DAMAGED, "a form in the database is not one: %s", why.text)
           : status == SK_OK ? SK_OK
                             : sk_fail(err, status, "%s", why.text);
}

enum sk_status sk_offer_each(struct sk_store *store, int64_t peer, sk_offer_each_fn *each,
                             void *context, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT text FROM form WHERE peer = ?1 AND offered ORDER BY name", err));
    sk_bind_int(stmt, 1, peer);
    for (;;) {
        sk_auto_own_form own = NULL;
        bool row = false;
        SK_TRY(sk_step(stmt, &row, err));
        if (!row)
            return SK_OK;
        SK_TRY(read_column(stmt, 0, &own, err));
        SK_TRY(each(context, own, err));
    }
}

/* ---- recording under ---- */

struct usable {
    struct sk_store *store;
    sk_usable_form_fn *each;
    void *context;
};

/* A form of the own log, unless an archive says more of its name. */
static enum sk_status add_logged(void *context, struct sk_own_form *own, struct sk_error *err)
{
    const struct usable *usable = context;
    sk_auto_stmt stmt = NULL;
    bool known = false;
    SK_TRY(sk_db_prepare(usable->store->db, &stmt, "SELECT 1 FROM form WHERE name = ?1", err));
    sk_bind_text(stmt, 1, sk_own_form_of(own)->name);
    SK_TRY(sk_step(stmt, &known, err));
    return known ? SK_OK : usable->each(usable->context, own, NULL, err);
}

enum sk_status sk_usable_form_each(struct sk_store *store, sk_usable_form_fn *each, void *context,
                                   struct sk_error *err)
{
    struct usable usable = {store, each, context};
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(store->db, &stmt,
                         "SELECT form.text, peer.alias FROM form JOIN peer ON "
                         "peer.id = form.peer WHERE form.offered ORDER BY form.name, form.peer",
                         err));
    for (;;) {
        sk_auto_own_form own = NULL;
        bool row = false;
        SK_TRY(sk_step(stmt, &row, err));
        if (!row)
            return sk_log_form_each(store, add_logged, &usable, err);
        SK_TRY(read_column(stmt, 0, &own, err));
        SK_TRY(each(context, own, sk_column_text(stmt, 1), err));
    }
}

struct wanted {
    const char *text;
    size_t name_len;
    const char *archive; /* the beginning of its name, "" for any */
    struct sk_own_form *found;
    bool several; /* that are not the same */
};

static enum sk_status match(void *context, struct sk_own_form *own, const char *archive,
                            struct sk_error *err)
{
    struct wanted *wanted = context;
    const struct sk_form *form = sk_own_form_of(own);
    (void)err;
    if (strlen(form->name) != wanted->name_len ||
        strncmp(form->name, wanted->text, wanted->name_len) != 0 ||
        strncmp(archive ? archive : "", wanted->archive, strlen(wanted->archive)) != 0)
        return SK_OK;
    if (!wanted->found)
        wanted->found = sk_own_form_ref(own);
    else if (memcmp(sk_own_form_of(wanted->found)->hash, form->hash, SK_HASH_LEN) != 0)
        wanted->several = true;
    return SK_OK;
}

enum sk_status sk_usable_form_find(struct sk_store *store, const char *text,
                                   struct sk_own_form **out, struct sk_error *err)
{
    size_t len = strcspn(text, "@");
    struct wanted wanted = {text, len, text[len] == '@' ? text + len + 1 : "", NULL, false};
    enum sk_status status = sk_usable_form_each(store, match, &wanted, err);
    sk_auto_own_form found = wanted.found;
    SK_TRY(status);
    if (!found)
        return sk_fail(err, SK_MISSING, "there is no form of this name");
    if (wanted.several)
        return sk_fail(err, SK_USAGE,
                       "two archives offer forms of this name, and not the same: write NAME@ and "
                       "the beginning of the archive's name");
    *out = sk_own_form_ref(found);
    return SK_OK;
}

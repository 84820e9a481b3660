/*
 * Forms of organisations: what archives offer, devices record under, and a log has to hold. By
 * sync/FORMAT.md, "Forms"; and, of what can be recorded under, core/form_offer.h.
 */
#include "core/form_offer.h"
#include "core/item_internal.h"
#include "sync/receipt.h"
#include "tests/model/real.h"
#include "tests/support/own_form.h"

#include <string.h>

/* ---- in a log ---- */

bool m_holds_form(const struct m_log_at *log, int form)
{
    for (int p = 0; p < M_LOG; p++) {
        const struct m_entry *entry = log->held[p] == M_NONE ? NULL : &m.entries[log->held[p]];
        if (entry && entry->type == SK_TYPE_FORM && entry->form == form && log->payload[p])
            return true;
    }
    return false;
}

bool m_has_form(const struct m_device *device, int form)
{
    for (int p = 0; p < device->history.size; p++) {
        const struct m_entry *entry = &m.entries[device->history.at[p]];
        if (entry->type == SK_TYPE_FORM && entry->form == form && m_has(device, p))
            return true;
    }
    return false;
}

bool m_formless(const struct m_device *device, int position)
{
    const struct m_entry *entry = &m.entries[device->history.at[position]];
    return sk_type_is_record(entry->type) && entry->form && !m_has_form(device, entry->form);
}

bool m_waited_for(const struct m_log_at *log, int form)
{
    for (int p = 0; p < M_LOG; p++)
        if (log->held[p] != M_NONE && log->payload[p] && m.entries[log->held[p]].form == form)
            return m.entries[log->held[p]].type != SK_TYPE_FORM && !m_holds_form(log, form);
    return false;
}

/* ---- what is offered ---- */

static const char *const names[M_NAMES] = {"f", "g"};
static const char *const variants[] = {"One", "Other"};

/* The number of a form, a new one if it has to be. */
static int number_of(int name, int version, int variant)
{
    for (int i = 1; i <= m.form_count; i++)
        if (m.forms[i].name == name && m.forms[i].version == version &&
            m.forms[i].variant == variant)
            return i;
    if (m.form_count + 1 == M_FORMS)
        return 0;
    m.forms[++m.form_count].name = name;
    m.forms[m.form_count].version = version;
    m.forms[m.form_count].variant = variant;
    return m.form_count;
}

static struct sk_own_form *real_form(int form)
{
    return sk_test_form(names[m.forms[form].name], (unsigned)m.forms[form].version,
                        variants[m.forms[form].variant]);
}

static void compare_form(const char *what, const struct sk_own_form *own, int form)
{
    sk_auto_own_form expected = real_form(form);
    r_equal(what, memcmp(sk_own_form_of(own)->hash, sk_own_form_of(expected)->hash, SK_HASH_LEN),
            0);
}

/* Versions of a name only rise, and a version stays what it was. */
static enum sk_offer_outcome put(struct m_offer *offer, int form)
{
    int before = offer->form ? m.forms[offer->form].version : 0;
    if (before > m.forms[form].version)
        return SK_OFFER_OLDER;
    if (before == m.forms[form].version && offer->form != form)
        return SK_OFFER_OTHER;
    if (offer->form == form && offer->offered)
        return SK_OFFER_KNOWN;
    *offer = (struct m_offer){form, true};
    return SK_OFFER_NEW;
}

struct listing {
    const struct m_offer *offers;
    int name;
};

static enum sk_status see_offer(void *context, struct sk_own_form *own, struct sk_error *err)
{
    struct listing *listing = context;
    (void)err;
    while (listing->name < M_NAMES && !listing->offers[listing->name].offered)
        listing->name++;
    r_equal("more forms are offered than in the model", listing->name < M_NAMES, true);
    compare_form("a form that is offered", own, listing->offers[listing->name++].form);
    return SK_OK;
}

void r_compare_offers(struct sk_store *store, int64_t peer, const struct m_offer *offers)
{
    struct listing listing = {.offers = offers};
    EXPECT_OK(sk_offer_each(store, peer, see_offer, &listing, &sk_test_err));
    for (; listing.name < M_NAMES; listing.name++)
        r_equal("a form is offered no more", offers[listing.name].offered, false);
}

/* ---- at the archive ---- */

/* Mostly the next version, else the same one or the one before, in one of two wordings. */
static int choose_form(const struct m_archive *archive, uint32_t by)
{
    int name = (int)(by % M_NAMES);
    int before = archive->offers[name].form ? m.forms[archive->offers[name].form].version : 0;
    int version = before + 1;
    if (by / 4 % 4 == 0 && before > 0)
        version = before - (int)(by / 16 % 2);
    return number_of(name, version > 0 ? version : 1, (int)(by / 32 % 2));
}

static bool offer(int number, uint32_t by)
{
    struct m_archive *archive = &m.archives[number];
    struct sk_store *store = r.archives[number].store;
    struct sk_store *txn = NULL;
    enum sk_offer_outcome outcome = SK_OFFER_KNOWN;
    int form = choose_form(archive, by);
    if (form == 0)
        return false;
    sk_auto_own_form own = real_form(form);
    bool any = archive->offers[m.forms[form].name].form != 0;
    enum sk_offer_outcome expected = put(&archive->offers[m.forms[form].name], form);
    EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
    EXPECT_OK(sk_offer_put(store, 0, own, &outcome, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    r_equal("what becomes of an offer", outcome, expected);
    if (expected == SK_OFFER_NEW)
        m_met(any ? M_OFFERED_NEWER_MET : M_OFFERED_MET);
    else if (expected != SK_OFFER_KNOWN)
        m_met(M_OFFERED_NOT_MET);
    return true;
}

static bool stop(int number, uint32_t by)
{
    struct m_offer *offer = &m.archives[number].offers[by % M_NAMES];
    struct sk_store *store = r.archives[number].store;
    struct sk_store *txn = NULL;
    EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
    EXPECT(offer->offered ? SK_OK : SK_MISSING,
           sk_offer_stop(store, 0, names[by % M_NAMES], &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    m_met(offer->offered ? M_OFFER_STOPPED_MET : M_OFFER_NONE_MET);
    offer->offered = false;
    return true;
}

/* ---- a receipt ---- */

void m_fill_offers(const struct m_archive *archive, const struct m_log_at *log,
                   struct m_file *receipt)
{
    for (int name = 0; name < M_NAMES; name++) {
        if (!archive->offers[name].offered)
            continue;
        if (log->revoked == M_NEVER)
            receipt->offers[name] = archive->offers[name].form;
        else
            m_met(M_FORM_REVOKED_MET);
    }
}

/* Whether records of the own log are under a form that it has lost. */
static bool is_missed(const struct m_device *device, int form)
{
    for (int p = 0; p < device->history.size; p++)
        if (m.entries[device->history.at[p]].form == form && m_has(device, p) &&
            m_formless(device, p))
            return true;
    return false;
}

static void keep_form(struct m_device *device, struct m_offer *offer, int form, struct r_forms *out)
{
    int name = m.forms[form].name;
    int before = offer->form;
    switch (put(offer, form)) {
    case SK_OFFER_NEW:
        out->news[name] = form;
        m_met(before && before != form ? M_FORM_NEWER_MET : M_FORM_TAKEN_MET);
        break;
    case SK_OFFER_OLDER:
        out->words++;
        m_met(M_FORM_OLDER_MET);
        break;
    case SK_OFFER_OTHER:
        out->words++;
        m_met(M_FORM_OTHER_MET);
        break;
    default:
        break;
    }
    if (!is_missed(device, form))
        return;
    out->again[name] = form;
    m_met(M_FORM_AGAIN_MET);
}

struct r_forms r_keep_forms(struct m_device *device, struct m_end *end,
                            const struct m_file *receipt)
{
    struct r_forms out = {.words = 0};
    for (int name = 0; name < M_NAMES; name++) {
        struct m_offer *offer = &end->offers[name];
        if (receipt->offers[name]) {
            keep_form(device, offer, receipt->offers[name], &out);
        } else if (offer->offered) {
            out.gone[name] = offer->form;
            offer->offered = false;
            m_met(M_FORM_GONE_MET);
        }
    }
    return out;
}

/* A form that the real log has got at its end. */
static void note_form(int device, int form)
{
    struct m_device *d = &m.devices[device];
    struct sk_entry real = r_entry_at(device, d->history.size);
    struct m_entry *entry = r_new_entry(d);
    r_equal("type of a form", real.type, SK_TYPE_FORM);
    *entry = (struct m_entry){.id = real.id, .type = SK_TYPE_FORM, .revision = 1, .form = form};
}

void r_compare_forms(int device, const struct r_forms *expected,
                     const struct sk_receipt_result *result)
{
    size_t news = 0;
    size_t gone = 0;
    for (int name = 0; name < M_NAMES; name++) {
        int form = expected->news[name];
        const json_t *told = json_array_get(result->forms, news);
        if (form) {
            r_equal("version of a form that is new",
                    json_integer_value(json_object_get(told, "version")), m.forms[form].version);
            r_equal("its name",
                    strcmp(json_string_value(json_object_get(told, "form")), names[name]), 0);
            news++;
        }
        if (expected->gone[name])
            r_equal(
                "name of one that is gone",
                strcmp(json_string_value(json_array_get(result->forms_gone, gone++)), names[name]),
                0);
        if (expected->again[name])
            note_form(device, expected->again[name]);
    }
    r_equal("forms that are new", (long long)json_array_size(result->forms), (long long)news);
    r_equal("forms that are gone", (long long)json_array_size(result->forms_gone), (long long)gone);
}

/* ---- at the device ---- */

/* The newest of a name in the own log; 0: none. */
static int own_form(const struct m_device *device, int name)
{
    int found = 0;
    for (int p = 0; p < device->history.size; p++) {
        const struct m_entry *entry = &m.entries[device->history.at[p]];
        if (entry->type == SK_TYPE_FORM && m.forms[entry->form].name == name && m_has(device, p) &&
            (!found || m.forms[entry->form].version > m.forms[found].version))
            found = entry->form;
    }
    return found;
}

/* What can be recorded under: what archives offer, and if none ever did, what stands in the log. */
static enum sk_status expect_usable(const struct m_device *device, int name, int *form)
{
    bool any = false;
    *form = 0;
    for (int i = 0; i < M_ARCHIVES; i++) {
        const struct m_offer *offer = &device->ends[i].offers[name];
        any = any || offer->form;
        if (!offer->offered)
            continue;
        if (*form && *form != offer->form) {
            m_met(M_UNDER_SEVERAL_MET);
            return SK_USAGE;
        }
        *form = offer->form;
    }
    if (!any)
        *form = own_form(device, name);
    if (*form && !any)
        m_met(M_UNDER_OWN_MET);
    if (!*form)
        m_met(M_UNDER_NONE_MET);
    return *form ? SK_OK : SK_MISSING;
}

static bool add_under(int number, uint32_t by)
{
    struct m_device *device = &m.devices[number];
    struct sk_store *store = r.devices[number].store;
    struct sk_own_form *found = NULL;
    int form = 0;
    if (r_full(device))
        return false;
    int name = by % 8 == 1; /* mostly the first, which archives offer from the beginning on */
    enum sk_status expected = expect_usable(device, name, &form);
    EXPECT(expected, sk_usable_form_find(store, names[name], &found, &sk_test_err));
    if (expected != SK_OK)
        return true;
    sk_auto_own_form own = found;
    compare_form("a form to record under", own, form);
    struct m_entry record = {.type = SK_TYPE_TESTIMONY, .revision = 1, .form = form};
    bool first = !m_has_form(device, form);
    int at = m.entry_count + first;
    m.entries[at] = record;
    r_set_title(&m.entries[at]);
    record = m.entries[at];
    record.id = sk_test_add_under(store, own, record.title);
    if (first) {
        note_form(number, form);
        m_met(M_UNDER_FIRST_MET);
    }
    *r_new_entry(device) = record;
    m_met(M_UNDER_MET);
    return true;
}

/* What no command does, and a program that is not ours may. An erasure names a type from 1 to 8,
 * and erases whatever it is. */
static bool erase_form(int number, uint32_t by)
{
    struct m_device *device = &m.devices[number];
    struct sk_store *store = r.devices[number].store;
    struct sk_store *txn = NULL;
    const struct m_entry *found[M_LOG];
    unsigned count = 0;
    for (int p = 0; p < device->history.size; p++)
        if (m.entries[device->history.at[p]].type == SK_TYPE_FORM && m_has(device, p))
            found[count++] = &m.entries[device->history.at[p]];
    if (count == 0 || r_full(device))
        return false;
    struct sk_entry entry = {.type = SK_TYPE_ERASURE,
                             .flags = SK_TYPE_SOURCE,
                             .revision = 2,
                             .id = found[by % count]->id};
    EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
    EXPECT_OK(sk_record_append(store, &entry, NULL, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    r_note_erasure(device, &entry);
    m_met(M_FORM_ERASED_MET);
    return true;
}

bool r_act_form(const struct r_action *action)
{
    int archive = (int)(action->by[0] % M_ARCHIVES);
    int device = (int)(action->by[0] % M_DEVICES);
    uint32_t by = action->by[1];
    bool done = false;
    switch ((int)action->kind) {
    case R_OFFER:
        done = offer(archive, by);
        break;
    case R_STOP:
        done = stop(archive, by);
        break;
    case R_ADD_UNDER:
        done = add_under(device, by);
        break;
    case R_ERASE_FORM:
        done = erase_form(device, by);
        break;
    default:
        return false;
    }
    if (done && (action->kind == R_OFFER || action->kind == R_STOP))
        r_compare_archive(archive);
    else if (done)
        r_compare_device(device);
    return done;
}

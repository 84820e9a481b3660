#include "cli/succeed.h"

#include "core/text.h"

#include <string.h>

/* ---- losses ---- */

void sk_succeed_clear(struct sk_succeed *succeed)
{
    json_decref(succeed->losses);
    json_decref(succeed->saved);
    sk_buf_clear(&succeed->lines);
    sk_buf_clear(&succeed->saved_lines);
}

void sk_succeed_begin(struct sk_succeed *succeed)
{
    succeed->losses = succeed->run->json ? json_array() : NULL;
    succeed->saved = succeed->run->json ? json_array() : NULL;
}

static const char *loss_name(enum sk_loss_kind kind)
{
    static const char *const names[] = {"entries",  "refused", "content", "attachment",
                                        "revision", "unknown", "proof"};

    return names[kind];
}

static enum sk_status loss_json(struct sk_succeed *succeed, const struct sk_loss *loss,
                                const char *id, struct sk_error *err)
{
    json_t *json = json_pack("{s:s, s:I, s:I, s:s?, s:s?, s:s?}", "kind", loss_name(loss->kind),
                             "from", (json_int_t)loss->from, "to", (json_int_t)loss->to, "id", id,
                             "type", id ? sk_type_name(loss->type) : NULL, "title",
                             loss->title[0] ? loss->title : NULL);

    if (loss->revision > 0)
        sk_json_put(&json, "rev", json_integer((json_int_t)loss->revision));
    if (loss->kind == SK_LOSS_BODY)
        sk_json_put(&json, "bytes", json_integer((json_int_t)loss->bytes));
    json_t *to = loss->kind == SK_LOSS_PROOF ? succeed->saved : succeed->losses;

    return json_array_append_new(to, json) == 0 ? SK_OK : sk_fail_status(err, SK_NOMEM);
}

static enum sk_status loss_text(struct sk_buf *out, const struct sk_loss *loss, const char *id,
                                struct sk_error *err)
{
    unsigned long long from = loss->from;
    unsigned long long last = loss->to - 1;
    char size[SK_SIZE_TEXT_LEN];

    if (!id && from == last)
        SK_TRY(sk_buf_printf(out, err, "  position %llu of the old log: ", from));
    else if (!id)
        SK_TRY(sk_buf_printf(out, err, "  positions %llu to %llu of the old log: ", from, last));
    else
        SK_TRY(sk_buf_printf(out, err, "  %s %s", sk_type_name(loss->type), id));
    if (id && loss->title[0]) {
        SK_TRY(sk_buf_add_text(out, " \"", err));
        SK_TRY(sk_text_show(out, loss->title, strlen(loss->title), false, 0, err));
        SK_TRY(sk_buf_add_text(out, "\"", err));
    }
    switch (loss->kind) {
    case SK_LOSS_ENTRIES:
        return sk_buf_add_text(out, "nothing is left\n", err);
    case SK_LOSS_REFUSED:
        return sk_buf_add_text(out,
                               "not what the log was signed for, beyond it, or never "
                               "saved: refused\n",
                               err);
    case SK_LOSS_UNKNOWN:
        return sk_buf_add_text(out, "of a kind that this version does not know, left out\n", err);
    case SK_LOSS_PAYLOAD:
        return sk_buf_printf(out, err, ", revision %u (position %llu): what it said is lost\n",
                             loss->revision, from);
    case SK_LOSS_BODY:
        sk_size_text(size, loss->bytes);
        return sk_buf_printf(out, err, " (position %llu): its %s are lost\n", from, size);
    case SK_LOSS_PROOF:
        return sk_buf_printf(out, err, ", revision %u (position %llu)\n", loss->revision, from);
    case SK_LOSS_REVISION:
        break;
    }
    return sk_buf_printf(out, err, ": its newest entry (position %llu) is lost\n", from);
}

enum sk_status sk_succeed_loss(void *context, const struct sk_loss *loss, struct sk_error *err)
{
    struct sk_succeed *succeed = context;
    char id[SK_ID_TEXT_LEN];

    if (loss->id)
        sk_id_format(id, loss->id);
    struct sk_buf *lines = loss->kind == SK_LOSS_PROOF ? &succeed->saved_lines : &succeed->lines;

    return succeed->run->json ? loss_json(succeed, loss, loss->id ? id : NULL, err)
                              : loss_text(lines, loss, loss->id ? id : NULL, err);
}

enum sk_status sk_succeed_also(struct sk_store *store, void *context, struct sk_error *err)
{
    struct sk_succeed *succeed = context;

    memcpy(succeed->new_id, sk_store_id(store), sizeof(succeed->new_id));
    return succeed->invited ? sk_invited_accept(store, succeed->invited, err) : SK_OK;
}

/* ---- the report ---- */

static enum sk_status report_json(const struct sk_succeed *s, const char *dir, const char *safety,
                                  const char *old, struct sk_error *err)
{
    const struct sk_remains_facts *f = &s->facts;
    sk_auto_json json = json_pack(
        "{s:s, s:s, s:s?, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:O, s:O}", "store",
        dir, "safety_number", safety, "continues", s->result.continues ? old : NULL, "head",
        f->head_known, "log_doubtful", f->pages.log_doubtful, "size", (json_int_t)f->size,
        "carried", (json_int_t)s->result.carried, "purged", (json_int_t)s->result.purged,
        "unproven", (json_int_t)s->result.unproven, "uncovered", (json_int_t)f->uncovered, "beyond",
        (json_int_t)f->beyond, "bad_pages", (json_int_t)f->bad_pages, "unread",
        (json_int_t)s->result.unread, "lost", s->losses, "unproven_entries", s->saved);

    return sk_out_json_line(json, err);
}

static void report_doubts(const struct sk_succeed *s)
{
    const struct sk_remains_facts *f = &s->facts;

    if (s->result.unread > 0)
        sk_out(
            "%llu %s failed: the disk could not be read (I/O error), which may be no damage. Copy "
            "the folder to another disk, or try again, with another new folder, before you take "
            "anything for lost.\n",
            (unsigned long long)s->result.unread, sk_plural(s->result.unread, "read", "reads"));
    if (f->undone > 0)
        sk_out("%llu %s of a command that was interrupted before anything of it was saved, and %s "
               "left out.\n",
               (unsigned long long)f->undone, sk_plural(f->undone, "entry is", "entries are"),
               sk_plural(f->undone, "was", "were"));
    if (f->bad_pages > 0)
        sk_out("%llu of %llu pages of the old database do not open.\n",
               (unsigned long long)f->bad_pages, (unsigned long long)f->pages.pages);
    if (f->pages.log_doubtful)
        sk_out(
            "Its write-ahead log is missing, damaged or of another state: what was recorded last "
            "may be lost.\n");
    if (!f->head_known)
        sk_out("The signed head of the old log is lost: how long the log was is not known, and "
               "nothing proves that it is all here.\n");
    if (s->result.unproven > 0)
        sk_out(
            "%llu of the entries %s saved without a proof: the seal of its page alone vouches for "
            "each, which whoever can open the store could have made, since the proof under the "
            "signed head was lost with their neighbours. 'show', 'history' and 'verify' will "
            "always say so, here and at the archive. They are listed below.\n",
            (unsigned long long)s->result.unproven, sk_plural(s->result.unproven, "was", "were"));
    if (f->uncovered > 0)
        sk_out("%llu of these %s beyond the newest signed head that is left: no signature covers "
               "%s. Look at what was recorded last.\n",
               (unsigned long long)f->uncovered, sk_plural(f->uncovered, "lies", "lie"),
               sk_plural(f->uncovered, "it", "them"));
    if (f->beyond > 0)
        sk_out("%llu %s beyond the signed head and %s not taken.\n", (unsigned long long)f->beyond,
               sk_plural(f->beyond, "entry stands", "entries stand"),
               sk_plural(f->beyond, "was", "were"));
    if (!s->result.continues)
        sk_out("The key of the old log is lost: the new log cannot name it, and archives will show "
               "what they had before beside what comes.\n");
}

enum sk_status sk_succeed_report(struct sk_succeed *s, const char *dir, struct sk_error *err)
{
    char safety[SK_SAFETY_LEN];
    char old[65];

    sk_safety(safety, s->new_id);
    sk_hex(old, s->facts.log_id, sizeof(s->facts.log_id));
    if (s->run->json)
        return report_json(s, dir, safety, old, err);
    sk_out("safety number: %s\n%llu of %llu entries were brought back.\n", safety,
           (unsigned long long)s->result.carried, (unsigned long long)s->facts.size);
    if (s->result.purged > 0)
        sk_out("%llu of them had been purged, and %s brought back without what %s.\n",
               (unsigned long long)s->result.purged, sk_plural(s->result.purged, "was", "were"),
               sk_plural(s->result.purged, "it says", "they say"));
    report_doubts(s);
    if (s->result.losses > 0)
        sk_out("%s:\n%s", s->result.unread > 0 ? "Not brought back, or lost" : "Lost",
               sk_buf_text(&s->lines));
    if (s->result.unproven > 0)
        sk_out("Saved without a proof:\n%s", sk_buf_text(&s->saved_lines));
    return SK_OK;
}

enum sk_status sk_succeed_end(struct sk_succeed *s, struct sk_error *err)
{
    const struct sk_remains_facts *f = &s->facts;

    if (s->result.unread > 0)
        return sk_fail(
            err, SK_IO,
            "the new store was made, but may lack what could not be read: try again into "
            "another folder");
    if (s->result.losses > 0 || f->pages.log_doubtful || !f->head_known)
        return sk_fail(err, SK_DAMAGED,
                       "the new store was made, but something is lost or may be: see above");
    if (s->result.unproven > 0)
        return sk_fail(err, SK_DAMAGED,
                       "the new store was made, but not all of it is proven: see above");
    return SK_OK;
}

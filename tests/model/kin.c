/*
 * Logs that continue one another, what of them is shown, and what a withdrawal in one does in the
 * others. By sync/FORMAT.md, "Continuation".
 */
#include "tests/model/model.h"

#include <string.h>

static const struct m_entry *entry_at(const struct m_log_at *log, int position)
{
    return log->held[position] == M_NONE ? NULL : &m.entries[log->held[position]];
}

static int find(const struct m_archive *archive, int log)
{
    for (int i = 0; i < archive->log_count; i++)
        if (archive->logs[i].log == log)
            return i;
    return M_NONE;
}

/* ---- statements ---- */

/* Whether the log that is continued holds another history than the statement names. */
static bool contradicted(const struct m_archive *archive, const struct m_entry *entry)
{
    const struct m_history *told = &m.told[entry->told];
    int old = find(archive, entry->old_log);
    struct m_history held;
    if (old == M_NONE || m_held_size(&archive->logs[old]) < told->size)
        return false;
    return m_known_at(&archive->logs[old], told->size, &held) && !m_same(&held, told, told->size);
}

/* What an entry commits to breaks a rule: it is not shown. */
static bool is_misread(const struct m_archive *archive, const struct m_log_at *log, int position)
{
    const struct m_entry *entry = entry_at(log, position);
    if (!entry || !log->payload[position])
        return false;
    return entry->malformed ||
           (sk_type_is_record(entry->type) && entry->form && !m_holds_form(log, entry->form)) ||
           (entry->type == SK_TYPE_CONTINUATION && contradicted(archive, entry));
}

bool m_is_astray(const struct m_log_at *log, int position)
{
    const struct m_entry *entry = entry_at(log, position);
    for (int at = position - 1; entry && at >= 0; at--) {
        const struct m_entry *other = entry_at(log, at);
        if (other && m_same_id(&other->id, &entry->id))
            return other->revision + 1 == entry->revision && log->held[at] != entry->before;
    }
    return false;
}

bool m_is_malformed(const struct m_archive *archive, const struct m_log_at *log, int position)
{
    return m_is_astray(log, position) || is_misread(archive, log, position);
}

int m_malformed(const struct m_archive *archive, const struct m_log_at *log, int n0, int n1)
{
    int count = 0;
    for (int position = n0; position < n1; position++)
        count += m_is_malformed(archive, log, position);
    return count;
}

void m_note_believed(const struct m_archive *archive, struct m_believed *out)
{
    memset(out, 0, sizeof(*out));
    for (int i = 0; i < archive->log_count; i++)
        for (int position = 0; position < M_LOG; position++) {
            const struct m_entry *entry = entry_at(&archive->logs[i], position);
            out->at[i].at[position] = entry && entry->type == SK_TYPE_CONTINUATION &&
                                      archive->logs[i].payload[position] &&
                                      !is_misread(archive, &archive->logs[i], position);
        }
}

bool m_is_refuted(const struct m_archive *archive, const struct m_believed *before)
{
    for (int i = 0; i < archive->log_count; i++)
        for (int position = 0; position < M_LOG; position++)
            if (before->at[i].at[position] && archive->logs[i].payload[position] &&
                is_misread(archive, &archive->logs[i], position))
                return true;
    return false;
}

/* A statement between any two logs, known here or not: numbers of logs. */
struct edge {
    int new_log, old_log, size;
};
struct edges {
    int count;
    struct edge items[M_LOGS * M_LOGS];
};

static bool add_edge(struct edges *edges, int new_log, int old_log, int size)
{
    for (int i = 0; i < edges->count; i++) {
        const struct edge *e = &edges->items[i];
        if (e->new_log == new_log && e->old_log == old_log && e->size == size)
            return false;
    }
    edges->items[edges->count++] = (struct edge){new_log, old_log, size};
    return true;
}

static bool reached(const struct edges *edges, int log)
{
    for (int i = 0; i < edges->count; i++)
        if (edges->items[i].old_log == log)
            return true;
    return false;
}

/* The statements in a log that count: its first entry, and those about logs it was led to. */
static void believe(const struct m_archive *archive, const struct m_log_at *log,
                    struct edges *edges)
{
    struct edges own = {0};
    bool more = true;
    while (more) {
        more = false;
        for (int position = 0; position < M_LOG; position++) {
            const struct m_entry *entry = entry_at(log, position);
            if (!entry || entry->type != SK_TYPE_CONTINUATION || !log->payload[position] ||
                is_misread(archive, log, position))
                continue;
            bool counts =
                position == 0 ? entry->new_log == log->log : reached(&own, entry->new_log);
            if (counts)
                more |= add_edge(&own, entry->new_log, entry->old_log, m.told[entry->told].size);
        }
    }
    for (int i = 0; i < own.count; i++)
        (void)add_edge(edges, own.items[i].new_log, own.items[i].old_log, own.items[i].size);
}

/* By one step or several; the size is that of the last one. */
static void close_over(struct edges *edges)
{
    bool more = true;
    while (more) {
        more = false;
        for (int i = 0; i < edges->count; i++)
            for (int j = 0; j < edges->count; j++) {
                const struct edge a = edges->items[i];
                const struct edge b = edges->items[j];
                if (a.old_log == b.new_log)
                    more |= add_edge(edges, a.new_log, b.old_log, b.size);
            }
    }
}

/* How many logs are below that one. */
static int depth_of(const struct edges *edges, int log)
{
    bool below[M_LOGS] = {false};
    int count = 0;
    for (int i = 0; i < edges->count; i++) {
        const struct edge *e = &edges->items[i];
        if (e->new_log != log || e->old_log == log || below[e->old_log])
            continue;
        below[e->old_log] = true;
        count++;
    }
    return count;
}

void m_kin_of(const struct m_archive *archive, struct m_kin *out)
{
    struct edges edges = {0};
    memset(out->sibling, 0, sizeof(out->sibling));
    for (int i = 0; i < M_LOGS; i++)
        for (int j = 0; j < M_LOGS; j++)
            out->size[i][j] = M_NONE;
    for (int i = 0; i < archive->log_count; i++)
        believe(archive, &archive->logs[i], &edges);
    close_over(&edges);
    for (int i = 0; i < edges.count; i++) {
        const struct edge *e = &edges.items[i];
        int old = find(archive, e->old_log);
        int new = find(archive, e->new_log);
        if (new == M_NONE)
            continue;
        if (old != M_NONE && (out->size[old][new] == M_NONE || e->size < out->size[old][new]))
            out->size[old][new] = e->size;
        for (int j = 0; j < edges.count; j++) {
            int other = find(archive, edges.items[j].new_log);
            if (edges.items[j].old_log == e->old_log && other != M_NONE && other != new)
                out->sibling[new][other] = true;
        }
    }
    for (int i = 0; i < archive->log_count; i++)
        out->depth[i] = depth_of(&edges, archive->logs[i].log);
    for (int i = 0; i < archive->log_count; i++)
        for (int j = 0; j < archive->log_count; j++)
            if (out->size[i][j] != M_NONE || out->size[j][i] != M_NONE)
                out->sibling[i][j] = out->sibling[j][i] = false;
}

/* ---- withdrawal ---- */

/* By an erasure before a position: of the log itself M_NEVER, for another log where it is revoked.
 */
static bool withdrawn_in(const struct m_log_at *log, const struct sk_id *id, int before)
{
    for (int position = 0; position < M_LOG && position < before; position++) {
        const struct m_entry *entry = entry_at(log, position);
        if (entry && entry->type == SK_TYPE_ERASURE && m_same_id(&entry->id, id))
            return true;
    }
    return false;
}

static int place(const struct m_log_at *log, int entry)
{
    for (int position = 0; position < M_LOG; position++)
        if (log->held[position] == entry)
            return position;
    return M_NONE;
}

/* The last position of an item whose entry stands in a log that this one continues and that has
 * withdrawn it. */
static int last_withdrawn(const struct m_archive *archive, const struct m_kin *kin,
                          const struct m_log_at *log, const struct sk_id *id)
{
    int own = (int)(log - archive->logs);
    int last = M_NONE;
    for (int old = 0; old < archive->log_count; old++) {
        const struct m_log_at *older = &archive->logs[old];
        if (kin->size[old][own] == M_NONE || !withdrawn_in(older, id, older->revoked))
            continue;
        for (int position = 0; position < M_LOG; position++) {
            const struct m_entry *entry = entry_at(log, position);
            if (entry && m_same_id(&entry->id, id) && position > last &&
                place(&archive->logs[old], log->held[position]) != M_NONE)
                last = position;
        }
    }
    return last;
}

static bool hangs_on_withdrawn(const struct m_log_at *heir, const struct m_entry *entry)
{
    if (entry->type == SK_TYPE_ATTACHMENT)
        return withdrawn_in(heir, &entry->on[0], heir->revoked);
    return entry->type == SK_TYPE_LINK && (withdrawn_in(heir, &entry->on[0], heir->revoked) ||
                                           withdrawn_in(heir, &entry->on[1], heir->revoked));
}

static bool withdrawn_later(const struct m_archive *archive, const struct m_kin *kin,
                            const struct m_log_at *log, const struct m_entry *entry, bool hanging)
{
    int own = (int)(log - archive->logs);
    for (int at = 0; at < archive->log_count; at++) {
        const struct m_log_at *heir = &archive->logs[at];
        if (kin->size[own][at] != M_NONE && (withdrawn_in(heir, &entry->id, heir->revoked) ||
                                             (hanging && hangs_on_withdrawn(heir, entry))))
            return true;
    }
    return false;
}

static enum m_gone gone(const struct m_archive *archive, const struct m_kin *kin,
                        const struct m_log_at *log, int position, bool hanging)
{
    const struct m_entry *entry = entry_at(log, position);
    if (withdrawn_in(log, &entry->id, M_NEVER))
        return M_GONE_OWN;
    if (withdrawn_later(archive, kin, log, entry, hanging))
        return M_GONE_LATER;
    return position <= last_withdrawn(archive, kin, log, &entry->id) ? M_GONE_BEFORE : M_GONE_NOT;
}

enum m_gone m_gone(const struct m_archive *archive, const struct m_kin *kin,
                   const struct m_log_at *log, int position)
{
    return gone(archive, kin, log, position, true);
}

enum m_gone m_gone_itself(const struct m_archive *archive, const struct m_kin *kin,
                          const struct m_log_at *log, int position)
{
    return gone(archive, kin, log, position, false);
}

bool m_would_take(const struct m_archive *archive, const struct m_kin *kin,
                  const struct m_log_at *log, int position)
{
    const struct m_entry *entry = entry_at(log, position);
    if (!entry || log->payload[position] || entry->type == SK_TYPE_ERASURE ||
        m_gone_itself(archive, kin, log, position) != M_GONE_NOT)
        return false;
    for (int at = 0; at < M_LOG; at++) { /* what it hung on went with it, and is remembered */
        const struct m_entry *other = entry_at(log, at);
        if (other && log->later[at] && m_same_id(&other->id, &entry->id))
            return false;
    }
    return true;
}

/* ---- revocation ---- */

static void note_void(const struct m_archive *archive, const struct m_kin *kin,
                      const struct m_log_at *log)
{
    int own = (int)(log - archive->logs);
    for (int position = log->revoked; position < M_LOG; position++) {
        const struct m_entry *entry = entry_at(log, position);
        for (int other = 0; other < archive->log_count; other++)
            if (entry && entry->type == SK_TYPE_ERASURE &&
                (kin->size[own][other] != M_NONE || kin->size[other][own] != M_NONE))
                m_met(M_VOID_MET);
    }
}

/* What it hung on went with it, and is not known any more. */
static void allow_again(const struct m_archive *archive, const struct m_kin *kin,
                        struct m_log_at *log)
{
    for (int position = 0; position < M_LOG; position++)
        if (log->later[position])
            log->later[position] =
                withdrawn_later(archive, kin, log, entry_at(log, position), false);
}

void m_allow_again(struct m_archive *archive, const struct m_kin *kin)
{
    for (int i = 0; i < archive->log_count; i++)
        allow_again(archive, kin, &archive->logs[i]);
}

void m_revoke(struct m_archive *archive, struct m_log_at *log, int from)
{
    struct m_kin kin;
    int own = (int)(log - archive->logs);
    log->revoked = from;
    m_kin_of(archive, &kin);
    note_void(archive, &kin, log);
    for (int old = 0; old < archive->log_count; old++)
        if (kin.size[old][own] != M_NONE)
            allow_again(archive, &kin, &archive->logs[old]);
}

/* ---- what is shown ---- */

struct m_item m_item_at(const struct m_archive *archive, const struct m_kin *kin,
                        const struct m_log_at *log, const struct sk_id *id)
{
    struct m_item item = {.shown = M_NONE};
    const struct m_entry *last = NULL;
    for (int position = 0; position < M_LOG; position++) {
        const struct m_entry *entry = entry_at(log, position);
        if (!entry || !m_same_id(&entry->id, id))
            continue;
        item.there = true;
        item.revision = entry->revision;
        item.erased = item.erased || log->later[position];
        last = entry;
        if (log->payload[position] && !is_misread(archive, log, position))
            item.shown = position;
    }
    if (!last)
        return item;
    item.erased = item.erased || withdrawn_in(log, id, M_NEVER) ||
                  withdrawn_later(archive, kin, log, last, false) ||
                  (item.shown == M_NONE && last_withdrawn(archive, kin, log, id) != M_NONE);
    return item;
}

/* Whether an entry of a log that is continued stands apart. */
static bool stands_apart(const struct m_archive *archive, const struct m_kin *kin, int log,
                         int position)
{
    int least = M_NONE;
    for (int heir = 0; heir < archive->log_count; heir++) {
        int size = kin->size[log][heir];
        if (size == M_NONE)
            continue;
        if (place(&archive->logs[heir], archive->logs[log].held[position]) != M_NONE)
            return false;
        if (least == M_NONE || size < least)
            least = size;
    }
    return least != M_NONE && position >= least;
}

int m_apart(const struct m_archive *archive, const struct m_kin *kin, int log)
{
    int count = 0;
    for (int position = 0; position < M_LOG; position++)
        count += archive->logs[log].held[position] != M_NONE &&
                 stands_apart(archive, kin, log, position);
    return count;
}

static bool is_later(const struct m_kin *kin, int a, int b)
{
    int more = kin->depth[a] - kin->depth[b];
    return more > 0 || (more == 0 && a > b);
}

static bool is_revoked(const struct m_log_at *log, int position)
{
    return log->revoked != M_NEVER && position >= log->revoked;
}

/* Whether the item in `other` is shown in the place of that in `log`. */
static bool hides(const struct m_archive *archive, const struct m_kin *kin, int log, int other,
                  const struct sk_id *id)
{
    bool heir = kin->size[log][other] != M_NONE;
    bool elder = kin->size[other][log] != M_NONE;
    if (!heir && !elder && !kin->sibling[log][other])
        return false;
    struct m_item mine = m_item_at(archive, kin, &archive->logs[log], id);
    struct m_item theirs = m_item_at(archive, kin, &archive->logs[other], id);
    if (!theirs.there || theirs.shown == M_NONE || is_revoked(&archive->logs[other], theirs.shown))
        return false;
    int at = place(&archive->logs[other], archive->logs[log].held[mine.shown]);
    if (at == M_NONE || at > theirs.shown)
        return false;
    if (at ==
        theirs.shown) /* the same entry: the one that continues (more); of siblings, the later */
        return heir || (!elder && is_later(kin, other, log));
    return !elder || !stands_apart(archive, kin, other, theirs.shown);
}

bool m_listed(const struct m_archive *archive, const struct m_kin *kin, int log,
              const struct sk_id *id)
{
    for (int other = 0; other < archive->log_count; other++)
        if (other != log && hides(archive, kin, log, other, id))
            return false;
    return true;
}

/*
 * What archives and devices must make of what comes: one-time keys, gaps, forks. By sync/FORMAT.md,
 * "Ratchet" and "What an archive does with them".
 */
#include "tests/model/model.h"

#include <string.h>

struct m_world m;

bool m_same(const struct m_history *a, const struct m_history *b, int size)
{
    return a->size >= size && b->size >= size &&
           memcmp(a->at, b->at, (size_t)size * sizeof(a->at[0])) == 0;
}

bool m_same_id(const struct sk_id *a, const struct sk_id *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

bool m_erased_in(const struct m_history *history, const struct sk_id *id)
{
    for (int i = 0; i < history->size; i++) {
        const struct m_entry *entry = &m.entries[history->at[i]];
        if (entry->type == SK_TYPE_ERASURE && m_same_id(&entry->id, id))
            return true;
    }
    return false;
}

bool m_has(const struct m_device *device, int position)
{
    const struct m_entry *entry = &m.entries[device->history.at[position]];
    return entry->type != SK_TYPE_ERASURE && !m_erased_in(&device->history, &entry->id) &&
           !device->purged.at[position];
}

void m_covered(const struct m_device *device, int archive, struct m_marks *out)
{
    const struct m_end *end = &device->ends[archive];
    *out = (struct m_marks){{false}};
    if (end->newest == M_NONE)
        return;
    const struct m_file *receipt = &m.files[end->newest];
    if (!m_same(&receipt->history, &device->history, receipt->history.size))
        return;
    for (int position = 0, range = -1; position < device->history.size; position++) {
        if (!receipt->stored.at[position])
            continue;
        range += position == 0 || !receipt->stored.at[position - 1];
        const struct m_history *to = &receipt->ends[range];
        out->at[position] = m_same(to, &device->history, to->size) &&
                            !receipt->wanted.at[position] && !receipt->malformed.at[position] &&
                            !receipt->only.at[position] && !receipt->elsewhere.at[position];
    }
}

/* ---- keys ---- */

enum m_match m_chain_find(const struct m_chain *chain, int index, int *file)
{
    for (int i = 0; i < chain->count; i++)
        if (chain->spent[i].index == index) {
            *file = chain->spent[i].file;
            return M_MATCH_SPENT;
        }
    return index < chain->next + M_FAR ? M_MATCH_READY : M_MATCH_NONE;
}

void m_chain_spend(struct m_chain *chain, int index, int file)
{
    chain->spent[chain->count].index = index;
    chain->spent[chain->count++].file = file;
    if (index >= chain->next)
        chain->next = index + 1;
}

/* ---- what is held ---- */

int m_held_size(const struct m_log_at *log)
{
    int size = 0;
    while (size < M_LOG && log->held[size] != M_NONE)
        size++;
    return size;
}

struct m_log_at *m_log_find(struct m_archive *archive, int log)
{
    for (int i = 0; i < archive->log_count; i++)
        if (archive->logs[i].log == log)
            return &archive->logs[i];
    return NULL;
}

bool m_known_at(const struct m_log_at *log, int position, struct m_history *out)
{
    if (position <= m_held_size(log)) {
        out->size = position;
        memcpy(out->at, log->held, sizeof(out->at));
        return true;
    }
    for (int i = 0; i < log->part_count; i++) {
        const struct m_file *file = &m.files[log->parts[i].file];
        if (file->n0 <= position && position <= file->n1) {
            *out = file->history;
            out->size = position;
            return true;
        }
    }
    return false;
}

bool m_forks(const struct m_log_at *log, const struct m_file *file)
{
    for (int position = file->n0; position <= file->n1; position++) {
        struct m_history known;
        if (m_known_at(log, position, &known) && !m_same(&known, &file->history, position))
            return true;
    }
    for (int position = file->n0; position < file->n1; position++)
        if (log->held[position] != M_NONE && log->held[position] != file->history.at[position])
            return true;
    return false;
}

/* What is known of related logs while a bundle comes. */
struct before {
    struct m_kin kin;
    struct m_believed believed;
};

static void look_before(const struct m_archive *archive, struct before *out)
{
    m_kin_of(archive, &out->kin);
    m_note_believed(archive, &out->believed);
}

/* Drops what may not be here any more, now that more is known. */
static void settle(struct m_archive *archive, const struct before *before)
{
    struct m_kin kin;
    m_kin_of(archive, &kin);
    if (m_is_refuted(archive, &before->believed)) {
        m_met(M_REFUTED_MET);
        m_allow_again(archive, &kin);
    }
    for (int i = 0; i < archive->log_count; i++)
        for (int position = 0; position < M_LOG; position++) {
            struct m_log_at *log = &archive->logs[i];
            if (log->lacking[position])
                log->lacking[position] = m_gone_itself(archive, &kin, log, position) == M_GONE_NOT;
            if (!log->payload[position])
                continue;
            enum m_gone gone = m_gone(archive, &kin, log, position);
            log->payload[position] = gone == M_GONE_NOT;
            log->later[position] = log->later[position] || gone == M_GONE_LATER;
            log->gone[position] = log->gone[position] || gone != M_GONE_NOT;
            if (gone == M_GONE_OWN)
                m_met(M_WITHDRAWN_MET);
            if (gone == M_GONE_LATER)
                m_met(M_WITHDRAWN_LATER_MET);
            if (gone == M_GONE_BEFORE)
                m_met(M_WITHDRAWN_BEFORE_MET);
        }
}

/* What is to be told of a payload that came, or did not. */
static void note_payload(const struct m_log_at *log, const struct m_file *file, int position,
                         bool held)
{
    if (file->bare.at[position])
        m_met(log->payload[position] ? M_PURGED_THERE_MET : M_PURGED_BARE_MET);
    if (!file->payload[position] || log->payload[position])
        return;
    if (log->gone[position])
        m_met(M_VOID_AGAIN_MET);
    else if (held)
        m_met(M_PURGED_FILLED_MET);
}

static void take_payload(const struct m_archive *archive, const struct m_kin *kin,
                         struct m_log_at *log, int position)
{
    const struct m_entry *entry = &m.entries[log->held[position]];
    enum m_gone gone = m_gone(archive, kin, log, position);
    if (gone == M_GONE_NOT && entry->type == SK_TYPE_FORM && m_waited_for(log, entry->form))
        m_met(M_FORM_CAME_MET);
    log->payload[position] = gone == M_GONE_NOT;
    log->later[position] = log->later[position] || gone == M_GONE_LATER;
    log->gone[position] = log->gone[position] || gone != M_GONE_NOT;
    if (gone != M_GONE_NOT)
        m_met(M_WITHDRAWN_FIRST_MET);
}

/* The entries; which of them were held before. */
static void take_entries(struct m_log_at *log, const struct m_file *file, bool held[static M_LOG],
                         struct m_learned *out)
{
    *out = (struct m_learned){0};
    for (int position = file->n0; position < file->n1; position++) {
        held[position] = log->held[position] != M_NONE;
        if (held[position])
            out->entries_known++;
        else
            out->entries_new++;
        log->held[position] = file->history.at[position];
    }
}

static void take_payloads(struct m_archive *archive, struct m_log_at *log,
                          const struct m_file *file, const struct m_marks *came,
                          const bool held[static M_LOG], const struct m_kin *kin)
{
    for (int position = file->n0; position < file->n1; position++) {
        if (m_gone(archive, kin, log, position) == M_GONE_NOT)
            note_payload(log, file, position, held[position]);
        if (!came->at[position] || log->payload[position])
            continue;
        take_payload(archive, kin, log, position);
        if (log->lacking[position])
            m_met(M_LACKING_CAME_MET);
        log->lacking[position] = false;
    }
}

void m_merge(struct m_archive *archive, struct m_log_at *log, int number, struct m_learned *out)
{
    const struct m_file *file = &m.files[number];
    struct m_marks came;
    bool held[M_LOG] = {false};
    static struct before before;
    look_before(archive, &before);
    memcpy(came.at, file->payload, sizeof(came.at));
    take_entries(log, file, held, out);
    take_payloads(archive, log, file, &came, held, &before.kin);
    for (int position = file->n0; position < file->n1; position++)
        log->lacking[position] = false;
    log->parts[log->part_count++].file = number;
    settle(archive, &before);
}

void m_salvage(struct m_archive *archive, struct m_log_at *log, int number,
               const struct m_marks *came, bool lost, struct m_learned *out)
{
    const struct m_file *file = &m.files[number];
    bool held[M_LOG] = {false};
    static struct before before;
    look_before(archive, &before);
    take_entries(log, file, held, out);
    take_payloads(archive, log, file, came, held, &before.kin);
    for (int position = file->n0; position < file->n1 && lost; position++) {
        if (held[position] || !m_would_take(archive, &before.kin, log, position))
            continue;
        log->lacking[position] = true;
        m_met(M_LACKING_MET);
        if (m.entries[log->held[position]].type == SK_TYPE_FORM)
            m_met(M_FORM_LACKING_MET);
    }
    log->parts[log->part_count++].file = number;
    settle(archive, &before);
}

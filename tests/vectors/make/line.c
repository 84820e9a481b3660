#include "tests/vectors/make/line.h"

#include <stdio.h>
#include <string.h>

static struct {
    const struct line *log;
    const struct part *part;
} now;

/* The whole log from position 0, so that each entry names the one before and its own payload. */
static void whole_log(struct sk_draft *draft)
{
    for (unsigned i = 0; now.log[i].type; i++) {
        const struct line *l = &now.log[i];
        sk_draft_entry(draft, l->type, l->id, l->revision);
        draft->entries[i][l->at] ^= l->mix;
        if (l->text)
            sk_draft_payload(draft, i, l->text, strlen(l->text), l->body);
    }
}

static bool stays_out(const struct part *p, unsigned position)
{
    return position < 64 && p->without >> position & 1;
}

static void start(struct sk_draft *draft)
{
    static struct sk_draft whole;
    const struct part *p = now.part;
    uint8_t leaf[32];
    draft->chain_index = p->index;
    draft->number = p->index + 1;
    if (p->n0 == p->n1) {
        draft->signer = draft->log = &sk_stranger;
        sk_draft_entry(draft, SK_TYPE_EVENT, 9, 1);
        return;
    }
    sk_draft_init(&whole, "whole");
    whole_log(&whole);
    MUST(p->n1 <= whole.entry_count);
    draft->salt = (uint8_t)(whole.salt + p->n0);
    for (unsigned i = 0; i < p->n0; i++) {
        sk_merkle_leaf(leaf, whole.entries[i], SK_ENTRY_LEN);
        sk_merkle_append(&draft->before, leaf);
    }
    for (unsigned i = p->n0; i < p->n1; i++)
        memcpy(draft->entries[draft->entry_count++], whole.entries[i], SK_ENTRY_LEN);
    for (unsigned i = p->n0; i < p->n1; i++)
        if (now.log[i].text && !stays_out(p, i))
            sk_draft_payload(draft, i - p->n0, now.log[i].text, strlen(now.log[i].text),
                             now.log[i].body);
    for (unsigned i = p->n0; i < p->n1; i++)
        MUST(memcmp(draft->entries[i - p->n0], whole.entries[i], SK_ENTRY_LEN) == 0);
    sk_draft_clear(&whole);
}

void sk_vector_log(const char *name, const char *shows, const struct line *log,
                   const struct part parts[static PARTS_MAX])
{
    json_t *files = json_array();
    now.log = log;
    for (size_t k = 0; k < PARTS_MAX && parts[k].n1 > 0; k++) {
        char full[100];
        (void)snprintf(full, sizeof(full), "%s %zu", name, k);
        struct sk_bundle_case c = {.name = full, .start = start, .edits = {{0}}};
        now.part = &parts[k];
        json_array_append_new(files, sk_bundle_file(&c));
    }
    sk_vector(name, shows, "ok", files, NULL);
}

/*
 * The vectors of what travels (tests/vectors/bundle).
 *
 *     bundle_vectors make DIR    writes the files
 *     bundle_vectors same DIR    makes them anew in memory: the files hold the same bytes
 *     bundle_vectors check DIR   runs each vector of the files through the programs' own code
 */
#include "core/json.h"
#include "tests/support/famine.h"
#include "tests/support/stores.h"
#include "tests/support/temp_dir.h"
#include "tests/vectors/make/group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLAGS (JSON_INDENT(1) | JSON_ENSURE_ASCII)

/* The least that the folder holds, and of these that must fail: a file that is lost is a failure.
 */
#define LEAST      1000
#define LEAST_FAIL 700

/* No vector may make its reader ask for a longer block: frames come in buffers of 1 to 3 MiB, and
 * nothing in them is longer. Some say that they are of gigabytes. */
#define MOST_BYTES ((size_t)4 << 20)

static json_t *vectors; /* of the group that is being made */
static const struct sk_group *group;
static unsigned count, failing, wrong;

const struct sk_group sk_groups[] = {
    {"length", "the lengths that a volume can have", sk_run_length, NULL, sk_make_lengths},
    {"code", "the courier's code of a file's hash (input), as it was typed", sk_run_code, NULL,
     sk_make_codes},
    {"ratchet",
     "the keys of an index, from the PSK (input), and the tag under an N0 of 1, 2, 3 and 29 zeros",
     sk_run_ratchet, NULL, sk_make_ratchet},
    {"entry", "entries of a log", sk_run_entry, NULL, sk_make_entries},
    {"text", "texts of payloads", sk_run_text, NULL, sk_make_texts},
    {"note", "signed checkpoints", sk_run_note, sk_note_keys, sk_make_notes},
    {"manifest", "manifests, before the signature is looked at", sk_run_manifest, NULL,
     sk_make_manifests},
    {"frames", "frames and the payloads in them, without entries", sk_run_frames, NULL,
     sk_make_frames},
    {"receipt-text", "texts of receipts", sk_run_receipt_text, NULL, sk_make_receipt_texts},
    {"invite", "contents of invites, up to the zeros at the end", sk_run_invite, NULL,
     sk_make_invites},
    {"invite-file", "invites as they travel", sk_run_invite_file, NULL, sk_make_invite_files},
    {"envelope", "bundles whose envelope was altered, each the first that its archive sees",
     sk_run_bundle, sk_bundle_keys, sk_make_envelopes},
    {"bundle", "bundles whose content was altered and then sealed and signed", sk_run_bundle,
     sk_bundle_keys, sk_make_bundles},
    {"salvage", "damaged bundles of which an archive is told to keep what verifies", sk_run_salvage,
     sk_bundle_keys, sk_make_salvages},
    {"sequence", "several bundles, one after the other, into one archive", sk_run_sequence,
     sk_bundle_keys, sk_make_sequences},
    {"receipt", "receipts as they travel, each the first that its device sees", sk_run_receipt,
     sk_receipt_keys, sk_make_receipts},
    {"receipt-sequence", "several receipts, one after the other, for one device",
     sk_run_receipt_sequence, sk_receipt_keys, sk_make_receipt_sequences},
};
const size_t sk_group_count = sizeof(sk_groups) / sizeof(sk_groups[0]);

/* ---- making ---- */

static void report(const char *name, const json_t *got, const char *want)
{
    char *text = json_dumps(got, JSON_COMPACT);
    (void)fprintf(stderr, "%s, \"%s\": gives %.300s, not %s\n", group->name, name, text, want);
    free(text);
    wrong++;
}

static bool is_new(const char *name)
{
    size_t i;
    json_t *vector;
    json_array_foreach(vectors, i, vector)
    {
        if (strcmp(json_string_value(json_object_get(vector, "name")), name) == 0)
            return false;
    }
    return true;
}

void sk_vector(const char *name, const char *shows, const char *class, json_t *input, json_t *keys)
{
    json_t *vector = json_pack("{s:s, s:s, s:o}", "name", name, "shows", shows, "input", input);
    MUST(vector && is_new(name));
    if (keys)
        json_object_set_new(vector, "keys", keys);
    json_t *got = group->run(vector);
    if (strcmp(json_string_value(json_object_get(got, "class")), class) != 0)
        report(name, got, class);
    json_object_set_new(vector, "expect", got);
    json_array_append_new(vectors, vector);
}

void sk_vector_steps(const char *name, const char *shows, const char *classes, json_t *files,
                     json_t *keys)
{
    sk_auto_buf words = SK_BUF_INIT;
    size_t i;
    json_t *step;
    sk_vector(name, shows, "ok", files, keys);
    json_t *got = json_object_get(json_array_get(vectors, json_array_size(vectors) - 1), "expect");
    json_array_foreach(json_object_get(json_object_get(got, "content"), "steps"), i, step)
    {
        MUST(sk_buf_printf(&words, NULL, "%s%s", i ? " " : "",
                           json_string_value(json_object_get(step, "class"))) == SK_OK);
    }
    if (strcmp(sk_buf_text(&words), classes) != 0)
        report(name, got, classes);
}

void sk_vector_bytes(const char *name, const char *shows, const char *class, const void *bytes,
                     size_t len, json_t *keys)
{
    sk_vector(name, shows, class, sk_hex_json(bytes, len), keys);
}

void sk_vector_edited(const struct sk_edit_case *c, const struct sk_buf *honest, json_t *keys)
{
    sk_auto_buf bytes = SK_BUF_INIT;
    MUST(sk_buf_add(&bytes, honest->bytes, honest->len, NULL) == SK_OK);
    for (size_t i = 0; i < 3; i++)
        if (c->edits[i].stage)
            sk_edit_apply(&bytes, &c->edits[i]);
    sk_vector_bytes(c->name, c->shows, c->class, bytes.bytes, bytes.len, keys);
}

void sk_vector_bundle(const struct sk_bundle_case *c)
{
    sk_vector(c->name, c->shows, c->status == SK_OK ? "ok" : sk_status_name(c->status),
              sk_bundle_file(c), NULL);
}

static char *make_group(const struct sk_group *g)
{
    json_t *keys = g->keys ? g->keys() : json_object();
    group = g;
    vectors = json_array();
    sk_group_keys = keys;
    sk_fixed_random(g->name);
    g->make();
    sk_run_end();
    json_t *whole =
        json_pack("{s:s, s:o, s:o}", "about", g->about, "keys", keys, "vectors", vectors);
    char *text = json_dumps(whole, FLAGS);
    MUST(text);
    json_decref(whole);
    return text;
}

static char *group_path(const char *dir, const struct sk_group *g)
{
    char name[64];
    (void)snprintf(name, sizeof(name), "%s.json", g->name);
    return sk_temp_path(dir, name);
}

static void make(const char *dir, const struct sk_group *g)
{
    char *text = make_group(g);
    char *path = group_path(dir, g);
    sk_auto_buf line = SK_BUF_INIT;
    MUST(sk_buf_printf(&line, NULL, "%s\n", text) == SK_OK);
    sk_temp_write(path, line.bytes, line.len);
    free(path);
    free(text);
}

static void same(const char *dir, const struct sk_group *g)
{
    char *text = make_group(g);
    char *path = group_path(dir, g);
    size_t len = 0;
    char *held = (char *)sk_temp_read(path, &len);
    size_t want = strlen(text);
    if (!held || len != want + 1 || memcmp(held, text, want) != 0 || held[want] != '\n') {
        (void)fprintf(stderr, "%s is not what is made now: `bundle_vectors make` writes it\n",
                      path);
        wrong++;
    }
    free(held);
    free(path);
    free(text);
}

/* ---- checking ---- */

static bool is_ok(const json_t *result)
{
    return strcmp(json_string_value(json_object_get(result, "class")), "ok") == 0;
}

/* Whether something of it must not be taken: a file, one of several, or what a salvage leaves out.
 */
static bool must_fail(const json_t *want)
{
    const json_t *content = json_object_get(want, "content");
    const json_t *steps = json_object_get(content, "steps");
    bool fails = !is_ok(want) || json_is_true(json_object_get(content, "salvaged"));
    for (size_t i = 0; i < json_array_size(steps); i++)
        fails = fails || !is_ok(json_array_get(steps, i));
    return fails;
}

/* Memory is taken for what is there, not for what is said, and never beyond a limit. */
static void check_memory(const char *name)
{
    if (sk_famine_longest() > MOST_BYTES) {
        (void)fprintf(stderr, "%s, \"%s\": a block of %zu bytes was asked for\n", group->name, name,
                      sk_famine_longest());
        wrong++;
    }
}

static void check_vector(const json_t *vector)
{
    const json_t *want = json_object_get(vector, "expect");
    const char *name = json_string_value(json_object_get(vector, "name"));
    const char *class = json_string_value(json_object_get(want, "class"));
    MUST(name && class && json_string_value(json_object_get(vector, "shows")));
    sk_famine_begin(&(struct sk_famine){.number = 0});
    json_t *got = group->run(vector);
    sk_famine_end();
    if (!json_equal(got, want))
        report(name, got, class);
    check_memory(name);
    json_decref(got);
    count++;
    failing += must_fail(want);
}

static void check(const char *dir, const struct sk_group *g)
{
    char *path = group_path(dir, g);
    json_t *whole = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    size_t i;
    json_t *vector;
    MUST(whole && json_array_size(json_object_get(whole, "vectors")) > 0);
    group = g;
    sk_group_keys = json_object_get(whole, "keys");
    json_array_foreach(json_object_get(whole, "vectors"), i, vector)
    {
        check_vector(vector);
    }
    sk_run_end();
    json_decref(whole);
    free(path);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *word;
        void (*run)(const char *dir, const struct sk_group *g);
    } ways[] = {{"make", make}, {"same", same}, {"check", check}};
    size_t way = 0;
    void *state = NULL;
    while (argc == 3 && way < 3 && strcmp(argv[1], ways[way].word) != 0)
        way++;
    if (argc != 3 || way == 3) {
        (void)fprintf(stderr, "usage: bundle_vectors make|same|check DIR\n");
        return 64;
    }
    MUST(sk_test_begin(&state) == 0);
    sk_fixed_init();
    for (size_t i = 0; i < sk_group_count; i++)
        ways[way].run(argv[2], &sk_groups[i]);
    sk_fixed_end();
    if (ways[way].run == check) {
        (void)printf("%u vectors, %u of them must fail\n", count, failing);
        MUST(count >= LEAST && failing >= LEAST_FAIL && 3 * failing >= 2 * count);
    }
    return wrong ? 1 : 0;
}

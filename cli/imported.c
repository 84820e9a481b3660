#include "cli/imported.h"

#include "cli/commands.h"
#include "core/text.h"

#include <string.h>

#define NO_SANDBOX                                                                                 \
    "Nothing was imported. Keep the bundles; import them on a Linux of 2018 or later, outside of " \
    "containers that forbid system call filters. '--without-sandbox' reads them without: then "    \
    "a hostile bundle that finds a fault in this program has the whole archive."

static const struct sk_worker worker = SK_WORKER_INIT;

enum sk_status sk_check_sandbox(struct sk_run *run, struct sk_error *err)
{
    if (sk_run_option(run, "--without-sandbox"))
        return SK_OK;
    enum sk_status status = sk_worker_check(&worker, err);
    if (status == SK_CONFIG)
        sk_run_advise(run, "%s", NO_SANDBOX);
    return status;
}

const struct sk_worker *sk_run_worker(const struct sk_run *run)
{
    if (!sk_run_option(run, "--without-sandbox"))
        return &worker;
    sk_say(run->program->name,
           "warning: bundles are read without a sandbox: one that finds a fault in this program "
           "has the whole archive.");
    return NULL;
}

const char *sk_sandbox_advice(void)
{
    return sk_worker_check(&worker, NULL) == SK_OK ? NULL : NO_SANDBOX;
}

/* The name of a file as JSON can hold it: bytes that are no UTF-8 are written as they are shown. */
static enum sk_status name_text(struct sk_buf *out, const char *file, struct sk_error *err)
{
    size_t len = strlen(file);

    return sk_text_valid(file, len) ? sk_buf_add_text(out, file, err)
                                    : sk_text_show(out, file, len, false, 0, err);
}

/* NULL: no memory. */
static json_t *object_of(const char *file, enum sk_status status,
                         const struct sk_import_result *result)
{
    const struct sk_import_result none = {.log = 0};
    const struct sk_import_result *r = status == SK_OK ? result : &none;

    enum sk_status told = status == SK_OK && r->salvaged ? SK_DAMAGED : status;

    json_t *element =
        json_pack("{s:s?, s:s?, s:o, s:I, s:I, s:I, s:o, s:b, s:s?}", "file", file, "device",
                  status == SK_OK ? r->device : NULL, "bundle",
                  status == SK_OK ? json_integer((json_int_t)r->bundle) : json_null(), "new",
                  (json_int_t)r->entries_new, "known", (json_int_t)r->entries_known, "quarantined",
                  (json_int_t)r->quarantined, "gaps", sk_ranges_json(&r->gaps), "fork", r->fork,
                  "error", told == SK_OK ? NULL : sk_status_name(told));

    if (r->salvaged) {
        sk_json_put(&element, "salvaged", json_true());
        sk_json_put(&element, "payloads", json_integer((json_int_t)r->payloads));
        sk_json_put(&element, "lacking", sk_ranges_json(&r->lacking));
    }
    return element;
}

enum sk_status sk_imported_json(struct sk_out_array *array, const char *file, enum sk_status status,
                                const struct sk_import_result *result, struct sk_error *err)
{
    sk_auto_buf name = SK_BUF_INIT;

    if (file)
        SK_TRY(name_text(&name, file, err));

    json_t *object = object_of(file ? sk_buf_text(&name) : NULL, status, result);

    if (array)
        return sk_out_array_add(array, object, err);

    sk_auto_json owned = object;

    return sk_out_json_line(owned, err);
}

void sk_imported_say_failure(const struct sk_run *run, const char *file, enum sk_status status,
                             const struct sk_error *reason, const char *advice)
{
    const char *words = reason->text[0] ? reason->text : sk_status_text(status);
    bool named = strncmp(words, file, strlen(file)) == 0;

    sk_say(run->program->name, "%s%s%s. %s", named ? "" : file, named ? "" : ": ", words, advice);
}

static enum sk_status out_state(const struct sk_import_result *result, struct sk_error *err)
{
    sk_auto_buf gaps = SK_BUF_INIT;

    if (result->waiting) {
        sk_out("    in quarantine: ");
        SK_TRY(sk_out_text(result->reason, err));
        sk_out("\n");
    } else if (result->quarantined > 0) {
        sk_out("    %llu %s malformed and put aside; 'quarantine' lists them\n",
               (unsigned long long)result->quarantined,
               sk_plural(result->quarantined, "entry is", "entries are"));
    }
    if (result->fork)
        sk_out("    WARNING: this device has two histories. It is frozen: what it sent is kept, "
               "what comes goes to quarantine. Ask its owner.\n");
    if (result->gaps.count == 0)
        return SK_OK;
    SK_TRY(sk_ranges_text(&gaps, &result->gaps, err));
    sk_out("    missing before it: %s; 'receipt' asks for them\n", sk_buf_text(&gaps));
    return SK_OK;
}

enum sk_status sk_imported_text(const char *file, const struct sk_import_result *result,
                                struct sk_error *err)
{
    if (file) {
        SK_TRY(sk_out_text(file, err));
        sk_out(": ");
    }
    sk_out("bundle %llu of ", (unsigned long long)result->bundle);
    SK_TRY(sk_out_text(result->device, err));
    sk_out(result->known_file ? ", imported before; %llu new, %llu known\n"
           : result->salvaged ? ", salvaged: %llu new, %llu known\n"
                              : ": %llu new, %llu known\n",
           (unsigned long long)result->entries_new, (unsigned long long)result->entries_known);
    return out_state(result, err);
}

/* Every command's function; one file cmd_<name>.c each, shared by the programs that have it. */
#ifndef SK_CLI_COMMANDS_H
#define SK_CLI_COMMANDS_H

#include "cli/command.h"
#include "core/form.h"

#define SK_COMMAND_LIST(X) \
    X(add)                 \
    X(approve)             \
    X(attach)              \
    X(backup)              \
    X(check)               \
    X(checkpoint)          \
    X(copy)                \
    X(devices)             \
    X(edit)                \
    X(export)              \
    X(extract)             \
    X(forms)               \
    X(history)             \
    X(import)              \
    X(init)                \
    X(invite)              \
    X(link)                \
    X(list)                \
    X(passphrase)          \
    X(purge)               \
    X(quarantine)          \
    X(receipt)             \
    X(receive)             \
    X(rekey)               \
    X(renew)               \
    X(repair)              \
    X(restore)             \
    X(revoke)              \
    X(search)              \
    X(show)                \
    X(slot)                \
    X(status)              \
    X(verify)              \
    X(watch)               \
    X(withdraw)

#define SK_COMMAND_DECLARE(name) \
    SK_MUST_CHECK enum sk_status sk_cmd_##name(struct sk_run *run, struct sk_error *err);
SK_COMMAND_LIST(SK_COMMAND_DECLARE)
#undef SK_COMMAND_DECLARE

/* What these refuse before a store is opened. */
SK_MUST_CHECK enum sk_status sk_check_add(struct sk_run *run, struct sk_error *err);
SK_MUST_CHECK enum sk_status sk_check_checkpoint(struct sk_run *run, struct sk_error *err);
SK_MUST_CHECK enum sk_status sk_check_edit(struct sk_run *run, struct sk_error *err);
SK_MUST_CHECK enum sk_status sk_check_export(struct sk_run *run, struct sk_error *err);
SK_MUST_CHECK enum sk_status sk_check_forms(struct sk_run *run, struct sk_error *err);
SK_MUST_CHECK enum sk_status sk_check_list(struct sk_run *run, struct sk_error *err);
SK_MUST_CHECK enum sk_status sk_check_purge(struct sk_run *run, struct sk_error *err);
SK_MUST_CHECK enum sk_status sk_check_renew(struct sk_run *run, struct sk_error *err);
SK_MUST_CHECK enum sk_status sk_check_revoke(struct sk_run *run, struct sk_error *err);
SK_MUST_CHECK enum sk_status sk_check_sandbox(struct sk_run *run, struct sk_error *err);
SK_MUST_CHECK enum sk_status sk_check_search(struct sk_run *run, struct sk_error *err);
SK_MUST_CHECK enum sk_status sk_check_slot(struct sk_run *run, struct sk_error *err);
SK_MUST_CHECK enum sk_status sk_check_watch(struct sk_run *run, struct sk_error *err);

/* The fields of a form with their names, types, labels and choices; appended raw. */
SK_MUST_CHECK enum sk_status sk_form_fields_help(struct sk_buf *out, const struct sk_form *form,
                                                 struct sk_error *err);

/* The fields of the form that the arguments of `add` name, for its help. */
SK_MUST_CHECK enum sk_status sk_cmd_add_help(const struct sk_run *run, struct sk_buf *out,
                                             struct sk_error *err);

#endif

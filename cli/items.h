/* What the commands that show records share: which device a log is, the rows of lists. */
#ifndef SK_CLI_ITEMS_H
#define SK_CLI_ITEMS_H

#include "cli/command.h"
#include "cli/print.h"
#include "core/item.h"
#include "core/lacking.h"
#include "core/log.h"

/* The name of the device behind a log, read once as long as the same log is asked for. */
struct sk_device_name {
    int64_t log;
    char name[128]; /* alias as stored, "own" for a documenter's own log */
};
SK_MUST_CHECK enum sk_status sk_device_name(struct sk_store *store, int64_t log,
                                            struct sk_device_name *cache, struct sk_error *err);

/* Whether an entry stands apart (sk_entry_apart()); then `heir` is the device whose log continues
 * the entry's without it. */
SK_MUST_CHECK enum sk_status sk_apart(struct sk_run *run, int64_t log, uint64_t position,
                                      struct sk_device_name *heir, bool *apart,
                                      struct sk_error *err);

/* A list of records on its way out, as `list` and `search` print it. */
struct sk_item_list {
    struct sk_run *run;
    struct sk_device_name device;
    struct sk_out_array array;
    uint64_t count;
    uint64_t apart;
    uint64_t unproven;
    uint64_t outdated; /* an older revision is shown, since the newest is lacking */
    uint64_t revoked;
    unsigned columns;
};
void sk_item_list_begin(struct sk_item_list *list, struct sk_run *run);
enum sk_status sk_item_list_add(void *context, const struct sk_item *item, struct sk_error *err);
void sk_item_list_end(struct sk_item_list *list);

/* The records, attachments and links at positions of the own log that an archive erased by the word
 * of another store, and what to do about it: as lines, or as an array of {"id", "type", "title"}
 * (*out: owned by the caller). */
SK_MUST_CHECK enum sk_status sk_out_elsewhere(struct sk_run *run, const struct sk_ranges *withdrawn,
                                              struct sk_error *err);
SK_MUST_CHECK enum sk_status sk_elsewhere_json(struct sk_run *run,
                                               const struct sk_ranges *withdrawn, json_t **out,
                                               struct sk_error *err);
/* Says how many records no list has, since all that they say is lacking (core/lacking.h). */
SK_MUST_CHECK enum sk_status sk_say_unlisted(const struct sk_run *run, struct sk_error *err);

/* "2024-07-14T14:30:05+03:00" as recorded, or the day of the entry when that is erased. */
struct sk_record;
const char *sk_recorded(const struct sk_record *record, char day[static 11]);

/* A line about an entry that bears the mark (core/entry.h). */
#define SK_UNPROVEN                                                                      \
    "(saved without a proof: 'repair' saved this entry from damage, and nothing proved " \
    "that it had been signed)\n"

/* A line about an entry at a position from which on its log is revoked. */
#define SK_REVOKED                                                                          \
    "(revoked: this entry came where the device's log is revoked; it is kept as evidence, " \
    "not as the device's word)\n"

/* What stands in place of the fields when a record has none to show. */
const char *sk_no_fields(const struct sk_item *item, const struct sk_record *record);

/* Finds a record, attachment or link by "ID" or, at an archive, "ID@DEVICE", with advice when there
 * is none. Errors: of sk_item_find(), sk_device_find(). */
SK_MUST_CHECK enum sk_status sk_find_item(struct sk_run *run, const char *text, struct sk_item *out,
                                          struct sk_error *err);

/* Finds a record (not a link or attachment). Errors: those of sk_item_find(), SK_REFUSED. */
SK_MUST_CHECK enum sk_status sk_find_record(struct sk_run *run, const char *text,
                                            struct sk_item *out, struct sk_error *err);

/* Finds a device's log, with advice when there is none. Errors: those of sk_device_find(). */
SK_MUST_CHECK enum sk_status sk_find_device(struct sk_run *run, const char *text, bool waiting,
                                            struct sk_log *out, struct sk_error *err);

#endif

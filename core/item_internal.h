/*
 * What item.c, apply.c and search.c share. Private to core.
 */
#ifndef SK_CORE_ITEM_INTERNAL_H
#define SK_CORE_ITEM_INTERNAL_H

#include "core/continuation.h"
#include "core/file.h"
#include "core/form_own.h"
#include "core/item.h"
#include "core/record.h"

/* What a payload's text says, once it was found well formed for its type. */
struct sk_meaning {
    json_t *json;                /* owned */
    const char *title;           /* borrowed from json */
    json_t *fields;              /* of a record; borrowed */
    const char *recorded;        /* NULL of a form */
    struct sk_own_form *own;     /* of a form, that; of a record, the one that it names; or NULL */
    struct sk_id source, target; /* of a link */
    const char *role;
    struct sk_attachment attachment;
    struct sk_continuation continuation;
};
void sk_meaning_clear(struct sk_meaning *meaning);
/* Roles of links: 1 to 40 of a-z, 0-9 and hyphens. */
bool sk_role_valid(const char *role);

#define sk_auto_meaning __attribute__((cleanup(sk_meaning_clear))) struct sk_meaning

/* Reads a payload's text. forms: where a record's form is looked for when that is an
 * organisation's; NULL: there are none. Errors: SK_REFUSED with the reason, SK_NOMEM, those of
 * `forms`. */
SK_MUST_CHECK
enum sk_status sk_meaning_read(struct sk_meaning *out, unsigned type, const char *text, size_t len,
                               uint64_t body_len, const struct sk_form_source *forms,
                               struct sk_error *err);

/* Reads only what the search index took from it, without checking it again. Errors: SK_REFUSED. */
SK_MUST_CHECK
enum sk_status sk_meaning_words(struct sk_meaning *out, unsigned type, const char *text, size_t len,
                                struct sk_error *err);

/* Adds the words of a meaning to the search index under an item's row, or takes them out. */
SK_MUST_CHECK
enum sk_status sk_search_add(struct sk_store *store, int64_t item, const struct sk_meaning *meaning,
                             struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_search_remove(struct sk_store *store, int64_t item,
                                const struct sk_meaning *meaning, struct sk_error *err);

/* Appends the text whose words the index has. */
SK_MUST_CHECK
enum sk_status sk_search_text(struct sk_buf *out, const struct sk_meaning *meaning,
                              struct sk_error *err);

/*
 * Compares the index with the words it should hold (search_check.c): begin, add each item that is
 * shown, end; clear in any case. Errors: those of reading; SK_DAMAGED when the index itself cannot
 * be read.
 */
struct sk_search_check {
    struct sk_store *store;
    struct sk_word_reader *words;
    uint64_t expected; /* sum over all occurrences */
    int64_t item;      /* whose words are being added */
};
SK_MUST_CHECK
enum sk_status sk_search_check_begin(struct sk_search_check *check, struct sk_store *store,
                                     struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_search_check_add(struct sk_search_check *check, int64_t item,
                                   const struct sk_meaning *meaning, struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_search_check_end(struct sk_search_check *check, bool *same, struct sk_error *err);
void sk_search_check_clear(struct sk_search_check *check);

/* The columns that sk_item_from_row() wants, of a table or alias `item`. */
#define SK_ITEM_COLUMNS                                                               \
    "item.id, item.uid, item.log, item.type, item.revision, item.entry, item.shown, " \
    "item.erased, item.title, "                                                       \
    "item.shown = 0 AND EXISTS (SELECT 1 FROM purged WHERE purged.entry = item.entry)"
/* What stands in two logs is the same entry, byte for byte but for the mark (core/entry.h). */
#define SK_SAME_ENTRY(a, b)                                                          \
    "substr(" a ".bytes, 1, 7) = substr(" b ".bytes, 1, 7) AND substr(" a ".bytes, " \
    "9) = substr(" b ".bytes, 9) "
/* The same for sets of entries: what is compared of one, as one value, for which IN finds an index.
 */
#define SK_UNMARKED(entry) \
    "CAST(substr(" entry ".bytes, 1, 7) || substr(" entry ".bytes, 9) AS BLOB)"
/* The entry that the item `one` shows stands in the item `other`, up to the one that that shows; to
 * follow CROSS JOIN. */
#define SK_SHOWN_STANDS_IN(one, other)                                                    \
    "entry AS mine ON mine.id = " one ".shown CROSS JOIN entry AS theirs ON theirs.item " \
    "= " other ".id AND theirs.id <= " other ".shown AND " SK_SAME_ENTRY("theirs", "mine")
/* The revision of an entry, whose number stands there with the highest byte first. */
#define SK_REVISION_OF(row) "(SELECT substr(bytes, 29, 4) FROM entry WHERE id = " row ")"
/* Of an item: what it shows stands where its log is revoked. */
#define SK_SHOWS_REVOKED(item)                                                           \
    "EXISTS (SELECT 1 FROM revoked WHERE revoked.log = " item ".log AND revoked.peer = " \
    "0 AND revoked.position <= (" item ".shown & 1099511627775))"
/*
 * Of an item that is shown: no related log shows the same revision in its place, or a later one.
 * Where that of the other has the same number, the log that is preferred is shown; where it has a
 * lower one, the other does not take the place. So of several none gives way in a ring. A revision
 * that a log got after another continued it, or that is revoked, takes no place.
 */
#define SK_ITEM_ONCE                                                                           \
    "NOT EXISTS (SELECT 1 FROM kin CROSS JOIN item AS twin ON twin.uid = item.uid AND "        \
    "twin.log = kin.other CROSS JOIN " SK_SHOWN_STANDS_IN(                                     \
        "item", "twin") "WHERE kin.log = item.log AND twin.shown <> 0 AND "                    \
                        "(kin.relation <> 2 OR (twin.shown & 1099511627775) < "                \
                        "kin.size) AND NOT " SK_SHOWS_REVOKED("twin") " AND (" SK_REVISION_OF( \
                            "twin.shown") ", kin.prefer) > "                                   \
                                          "(" SK_REVISION_OF("item.shown") ", 0))"
/* Of the items that hung on the record ?1 and were purged. */
#define SK_PURGED_ON                                                             \
    "SELECT entry.item FROM purged CROSS JOIN entry ON entry.id = purged.entry " \
    "WHERE purged.source = ?1 AND length(purged.source) > 0 "                    \
    "UNION ALL "                                                                 \
    "SELECT entry.item FROM purged CROSS JOIN entry ON entry.id = purged.entry " \
    "WHERE purged.target = ?1 AND length(purged.target) > 0"
/* Of the items that hang on the record ?1: attachments, links at either end, purged ones too. */
#define SK_HANGS_ON_ANY                                  \
    "SELECT item FROM attachment WHERE record = ?1 "     \
    "UNION ALL SELECT item FROM link WHERE source = ?1 " \
    "UNION ALL SELECT item FROM link WHERE target = ?1 " \
    "UNION ALL " SK_PURGED_ON
/* Of an item, under that name: its log has withdrawn it, by an erasure that counts in other logs:
 * it stands before the position from which the log is revoked. */
#define SK_WITHDRAWN(item)                                                                    \
    item ".erased = 1 AND (NOT EXISTS (SELECT 1 FROM revoked WHERE revoked.log = " item       \
         ".log AND revoked.peer = 0) OR EXISTS (SELECT 1 FROM revoked CROSS JOIN entry AS e " \
         "ON e.item = " item ".id WHERE revoked.log = " item ".log AND revoked.peer = 0 AND " \
         "substr(e.bytes, 3, 2) = x'0900' AND (e.id & 1099511627775) < revoked.position))"
/* Of an item: it stands in the log ?2 or in one related to it. */
#define SK_ITEM_RELATED \
    "(item.log = ?2 OR item.log IN (SELECT kin.other FROM kin WHERE kin.log = ?2))"
/* Of an attachment or a link: such a one, once, with those of the log ?2 itself first. */
#define SK_ITEM_HANGS_ON                                                         \
    SK_ITEM_RELATED " AND NOT item.erased AND item.shown <> 0 AND " SK_ITEM_ONCE \
                    " ORDER BY item.log <> ?2, item.log, item.id"
SK_MUST_CHECK
enum sk_status sk_item_from_row(struct sk_stmt *stmt, struct sk_item *out, struct sk_error *err);

/* Calls `each` for every row of a bound statement that gives SK_ITEM_COLUMNS. */
SK_MUST_CHECK
enum sk_status sk_item_rows(struct sk_stmt *stmt, sk_item_each_fn *each, void *context,
                            struct sk_error *err);

/*
 * Appends an entry of the own log: fills in day, commitment and previous. payload: salt, text,
 * hashes and body are ready; NULL for an erasure. Errors: SK_CONFIG (an archive), SK_LIMIT,
 * SK_REFUSED.
 */
SK_MUST_CHECK
enum sk_status sk_record_append(struct sk_store *store, struct sk_entry *entry,
                                struct sk_payload *payload, struct sk_error *err);

/* The same for a payload that is a text alone, which is written as it is. */
SK_MUST_CHECK
enum sk_status sk_record_append_text(struct sk_store *store, struct sk_entry *entry,
                                     const struct sk_buf *text, struct sk_error *err);

SK_MUST_CHECK
enum sk_status sk_record_append_json(struct sk_store *store, struct sk_entry *entry,
                                     const json_t *json, struct sk_error *err);

/* How it came that nothing of an item is here any more: `item.erased`. */
enum sk_erased {
    SK_ERASED_NOT = 0,
    SK_ERASED_OWN = 1,       /* its log has withdrawn it */
    SK_ERASED_LATER = 2,     /* a log that continues its own has; what comes later goes as well */
    SK_ERASED_INHERITED = 3, /* a log that its own continues has withdrawn all that stands in both,
                                and there is no more; a later revision is shown */
};

/* An item as it stands before an entry is applied. */
struct sk_item_state {
    int64_t row;
    unsigned type;
    int64_t entry;
    int64_t shown;
    enum sk_erased erased;
};
SK_MUST_CHECK
enum sk_status sk_item_state_get(struct sk_store *store, int64_t item, struct sk_item_state *out,
                                 struct sk_error *err);

/* Takes out what the shown revision put into the tables: words, link, attachment. */
SK_MUST_CHECK
enum sk_status sk_item_hide(struct sk_store *store, const struct sk_item_state *state,
                            struct sk_error *err);

/* The same, and no revision is the shown one. */
SK_MUST_CHECK
enum sk_status sk_item_show_none(struct sk_store *store, const struct sk_item_state *state,
                                 struct sk_error *err);

/* Destroys payloads, words and media of an item. */
SK_MUST_CHECK
enum sk_status sk_item_erase(struct sk_store *store, const struct sk_item_state *state,
                             enum sk_erased how, struct sk_error *err);

/*
 * After a log has withdrawn an item for the first time: erases it, and what hangs on it, in the
 * logs that this one continues; and in those that continue this one, as far as they hold the same
 * entries.
 */
SK_MUST_CHECK
enum sk_status sk_item_erase_twins(struct sk_store *store, const struct sk_id *uid, int64_t log,
                                   struct sk_error *err);

/*
 * After an entry of an item came: what of it, or of the same item in related logs, may have to be
 * erased is noted; and erased when all entries and payloads of a bundle are here, since an item may
 * have very many.
 */
SK_MUST_CHECK
enum sk_status sk_item_touched(struct sk_store *store, int64_t item, struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_item_settle_touched(struct sk_store *store, struct sk_error *err);

/* `below` of sk_item_withdrawn(), kept at hand while no entry comes and no relation of logs
 * changes. What changes one of these calls the second. */
SK_MUST_CHECK
enum sk_status sk_item_below(struct sk_store *store, int64_t item, uint64_t *below,
                             struct sk_error *err);
void sk_item_below_changed(struct sk_store *store);

/* The same for every item that its log has withdrawn: the relations of logs have changed. */
SK_MUST_CHECK
enum sk_status sk_item_erase_related(struct sk_store *store, struct sk_error *err);

/* Erases what an item holds that was withdrawn in a log which its log continues. */
SK_MUST_CHECK
enum sk_status sk_item_erase_inherited(struct sk_store *store, int64_t item, struct sk_error *err);

/* Lets what a related log has erased of an item come again, unless it is withdrawn in one that
 * still is related, and was not revoked. */
SK_MUST_CHECK
enum sk_status sk_item_allow_again(struct sk_store *store, int64_t item, struct sk_error *err);

/* The same for all items: logs that were related are not any more. */
SK_MUST_CHECK
enum sk_status sk_item_allow_unrelated(struct sk_store *store, struct sk_error *err);

/* Whether an item holds what sk_item_erase_inherited() would have erased. */
SK_MUST_CHECK
enum sk_status sk_item_holds_withdrawn(struct sk_store *store, int64_t item, bool *out,
                                       struct sk_error *err);

/* Whether a log that continues this one has withdrawn an item. */
SK_MUST_CHECK
enum sk_status sk_item_withdrawn_later(struct sk_store *store, int64_t log, const struct sk_id *uid,
                                       bool *out, struct sk_error *err);

/* Calls `each` for every item that a statement, bound and not stepped yet, names in its first
 * column. It is read to its end first, since what is done may change what it would give. */
typedef enum sk_status sk_items_of_fn(struct sk_store *store, int64_t item, struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_items_of(struct sk_store *store, struct sk_stmt *stmt, sk_items_of_fn *each,
                           struct sk_error *err);

/* Looks once more at what an entry of an item commits to: its form came or went (form_log.c). What
 * is shown afterwards is the newest that is well formed. */
SK_MUST_CHECK
enum sk_status sk_entry_judge_again(struct sk_store *store, int64_t item, int64_t entry,
                                    struct sk_error *err);

/*
 * What is noted of forms in logs (form_log.c): that an entry is one; that an entry of a record
 * names one, held or not; and that neither is so any more, of an item's entries up to `last` or of
 * one. The records that it makes a difference to are judged again.
 */
SK_MUST_CHECK
enum sk_status sk_form_entry_note(struct sk_store *store, int64_t entry,
                                  const struct sk_own_form *own, struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_form_use_note(struct sk_store *store, int64_t entry,
                                const uint8_t hash[static SK_HASH_LEN], struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_forms_forget(struct sk_store *store, int64_t item, int64_t last,
                               struct sk_error *err);
SK_MUST_CHECK
enum sk_status sk_form_use_forget(struct sk_store *store, int64_t entry, struct sk_error *err);

/*
 * Marks of entries that are well signed and not well formed (marks.c). They follow from what is
 * here, not from the order in which it came. The first: what is wrong with an entry's payload.
 */
SK_MUST_CHECK
enum sk_status sk_mark_payload(struct sk_store *store, int64_t entry_row, const char *reason,
                               struct sk_error *err);

/* The reason of an entry that is malformed by the hash of the revision before it alone. */
#define SK_UNCHAINED "it does not follow the revision before it"

/* Whether what an entry commits to was found to break a rule. */
SK_MUST_CHECK
enum sk_status sk_mark_found(struct sk_store *store, int64_t entry_row, bool *out,
                             struct sk_error *err);

/* Takes away what was found in the payload of one entry: it is looked at again. */
SK_MUST_CHECK
enum sk_status sk_mark_drop(struct sk_store *store, int64_t entry_row, struct sk_error *err);

/* Takes away what was found in the payloads of an item's entries up to `last`: they are erased, or
 * looked at again. */
SK_MUST_CHECK
enum sk_status sk_marks_drop(struct sk_store *store, int64_t item, int64_t last,
                             struct sk_error *err);

/*
 * Reads the bytes of a payload's body and holds them against the block hashes and, if it is given,
 * the SHA-256 (32 bytes), writing them to a file if one is given. Errors: SK_MISSING, SK_DAMAGED,
 * SK_FULL, SK_IO.
 */
SK_MUST_CHECK
enum sk_status sk_attachment_check(struct sk_store *store, const struct sk_payload *payload,
                                   const uint8_t *sha256, struct sk_file *to,
                                   const struct sk_progress *progress, struct sk_error *err);

#endif

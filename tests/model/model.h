/*
 * A plain model of what devices and archives must know of each other, by sync/FORMAT.md alone:
 * arrays of plain values and no byte of the programs' data. A copy of a struct is an older state of
 * it.
 *
 * What was ever written is numbered: entries (struct m_entry), logs, pairs of an invite, files. A
 * log's history is a row of such numbers, and two histories are the same if the rows are.
 */
#ifndef SK_TESTS_MODEL_H
#define SK_TESTS_MODEL_H

#include "core/log.h"

#define M_DEVICES  3
#define M_ARCHIVES 2
#define M_LOG      120 /* entries of a log */
#define M_ROOM     100 /* nothing is recorded behind that */
#define M_ENTRIES  1500
#define M_LOGS     24
#define M_PAIRS    32
#define M_FILES    100
#define M_SPENT    100 /* of a chain */
#define M_PARTS    100 /* segments of a log */
#define M_TITLE    40
#define M_NONE     (-1)

#define M_NEAR    64
#define M_FAR     4096
#define M_NOTICES 16

/* What a log held up to a position: numbers of entries. */
struct m_history {
    int size;
    int16_t at[M_LOG];
};

/* An entry. Restored logs hold those of older ones. */
struct m_entry {
    struct sk_id id;
    unsigned type; /* enum sk_type */
    uint32_t revision;
    char title[M_TITLE];  /* of a record: a word of its own is in it */
    bool malformed;       /* signed well, and no record */
    int before;           /* of an erasure: the entry that it follows */
    struct sk_id on[2];   /* what an attachment or link hangs on */
    int new_log, old_log; /* of a continuation */
    int told;             /* of a continuation: index in m_told */
};

/* A chain of one-time keys at the end that reads. */
struct m_chain {
    int next; /* indexes below were seen: skipped or spent */
    int count;
    struct {
        int index;
        int file;
    } spent[M_SPENT];
};

/* Ranges of positions, each by itself. */
struct m_marks {
    bool at[M_LOG];
};

/* ---- a device ---- */

/* What a device knows of one archive. */
struct m_end {
    bool there;
    int pair;
    int send;
    struct m_chain receive;
    int number; /* of the newest receipt taken */
    struct m_marks exported, acknowledged, wanted;
};

struct m_device {
    int log;
    int number; /* of the newest bundle */
    struct m_history history;
    struct m_end ends[M_ARCHIVES];
};

/* ---- an archive ---- */

struct m_part {
    int file;
};

struct m_log_at {
    int log;
    int pair;
    enum sk_log_state state;
    int16_t held[M_LOG]; /* entry or M_NONE */
    bool payload[M_LOG];
    bool later[M_LOG]; /* what came was withdrawn in a log that continues this one */
    int part_count;
    struct m_part parts[M_PARTS];
};

struct m_pair_at {
    bool there;
    int log; /* enrolled under it, or M_NONE */
    int send;
    int number; /* of the newest receipt */
    struct m_chain receive;
    int notice_count;
    int notices[M_NOTICES]; /* indexes, oldest first */
};

enum m_reason { M_WAITS, M_FORK, M_FROZEN };

struct m_quarantined {
    int file;
    enum m_reason reason;
};

struct m_archive {
    struct m_pair_at pairs[M_PAIRS];
    int log_count;
    struct m_log_at logs[M_LOGS]; /* in the order in which they came */
    int quarantine_count;
    struct m_quarantined quarantine[M_PARTS]; /* in that order */
};

/* ---- what travels ---- */

struct m_slot {
    int pair;
    int index;
};

struct m_file {
    bool receipt;
    bool lost;
    int log; /* of the bundle; that the receipt is for */
    int slot_count;
    struct m_slot slots[M_ARCHIVES];
    int number;
    int n0, n1;
    struct m_history history; /* at n1; of a receipt: at its size */
    bool payload[M_LOG];
    /* A receipt. */
    int archive;
    struct m_marks stored;
    int stored_count;
    struct m_history ends[M_LOG / 2]; /* the history at the end of each stored range */
    struct m_marks wanted;
    int words; /* lines for a person */
};

/* ---- everything that was ever written ---- */

struct m_world {
    int entry_count;
    struct m_entry entries[M_ENTRIES];
    int told_count;
    struct m_history told[M_LOGS]; /* the history that a continuation names */
    int log_count;
    int pair_count;
    struct {
        int archive;
    } pairs[M_PAIRS];
    int file_count;
    struct m_file files[M_FILES];
    struct m_device devices[M_DEVICES];
    struct m_archive archives[M_ARCHIVES];
};
extern struct m_world m;

/* ---- outcomes ---- */

/* X(name, words): each has to be met by a run. */
/* clang-format off */
#define M_OUTCOMES(X)                                                        \
    X(TAKEN, "a bundle was taken")                                           \
    X(GAP, "it left a gap")                                                  \
    X(CLOSED, "it closed a gap")                                             \
    X(AGAIN, "it held entries that were there")                              \
    X(KNOWN, "the same file again")                                          \
    X(DAMAGED, "a damaged copy")                                             \
    X(DAMAGED_SPENT, "a damaged copy of what is there")                      \
    X(DAMAGED_TAG, "a copy whose beginning is damaged")                      \
    X(INTACT, "an intact copy after a damaged one")                          \
    X(NOT_FOR, "not for this archive")                                       \
    X(SKIPPED, "an index that was skipped")                                  \
    X(NEAR, "an index up to 63 ahead")                                       \
    X(FAR, "an index up to 4,095 ahead")                                     \
    X(BEYOND, "an index beyond all windows")                                 \
    X(USED_TWICE, "another bundle under a spent index")                      \
    X(FORK, "a log with two histories")                                      \
    X(FROZEN, "a bundle of a frozen log")                                    \
    X(WAITING, "a bundle of a log that waits")                               \
    X(APPROVED, "a log approved")                                            \
    X(APPROVED_FORK, "a fork among what waited")                             \
    X(NOT_APPROVED, "a log that waits for nothing")                          \
    X(RECEIPT, "a receipt taken")                                            \
    X(RECEIPT_AGAIN, "the same receipt again")                               \
    X(RECEIPT_OLDER, "an older receipt")                                     \
    X(RECEIPT_SPENT, "another receipt under a spent index")                  \
    X(RECEIPT_OTHERS, "a receipt for another store of the same invite")      \
    X(RECEIPT_NOT_FOR, "a receipt not for this store")                       \
    X(RECEIPT_DAMAGED, "a damaged receipt")                                  \
    X(RECEIPT_FAR, "a receipt's index 64 to 4,095 ahead")                    \
    X(RECEIPT_BEYOND, "a receipt's index beyond all windows")                \
    X(ROLLBACK, "a rollback told")                                           \
    X(WANTED, "a range wanted")                                              \
    X(WANTED_SENT, "a wanted range exported again")                          \
    X(NOTHING, "nothing to export")                                          \
    X(EXPORT_FAILED, "an export onto a full medium")                         \
    X(CONTINUES, "a log that continues another")                             \
    X(CONTINUES_NOT, "one that names another history")                       \
    X(MALFORMED, "a malformed record listed")                                \
    X(WITHDRAWN, "what was there was withdrawn")                             \
    X(WITHDRAWN_FIRST, "a text came after its withdrawal")                   \
    X(WITHDRAWN_LATER, "withdrawn in a log that continues")                  \
    X(WITHDRAWN_BEFORE, "withdrawn in the log that is continued")            \
    X(HIDDEN, "the same record in two logs, listed once")                    \
    X(APART, "an entry that stands apart")                                   \
    X(ARCHIVE_BACK, "an older copy of an archive put back")                  \
    X(COMPLETE, "all of a log at every archive, and acknowledged")
/* clang-format on */
enum m_outcome {
#define M_OUTCOME_ENUM(name, words) M_##name##_MET,
    M_OUTCOMES(M_OUTCOME_ENUM)
#undef M_OUTCOME_ENUM
        M_OUTCOME_COUNT,
};
void m_met(enum m_outcome outcome);

/* ---- rules (rules.c, kin.c) ---- */

bool m_same(const struct m_history *a, const struct m_history *b, int size);
/* Whether an entry has a text or bytes at all, and whether its device withdrew it in that history.
 */
bool m_erased_in(const struct m_history *history, const struct sk_id *id);
bool m_same_id(const struct sk_id *a, const struct sk_id *b);

enum m_match { M_MATCH_NONE, M_MATCH_READY, M_MATCH_SPENT };
/* How a reading end meets an index; *file: what spent it. */
enum m_match m_chain_find(const struct m_chain *chain, int index, int *file);
void m_chain_spend(struct m_chain *chain, int index, int file);

/* The part of a log that is held without a gap. */
int m_held_size(const struct m_log_at *log);
/* The history that the archive knows at a position; false when it knows none. */
bool m_known_at(const struct m_log_at *log, int position, struct m_history *out);
struct m_log_at *m_log_find(struct m_archive *archive, int log);

/* Whether a bundle contradicts what is known of its log. */
bool m_forks(const struct m_log_at *log, const struct m_file *file);

/* What the archive learns from a bundle that fits. */
struct m_learned {
    int entries_new, entries_known;
};
void m_merge(struct m_archive *archive, struct m_log_at *log, int file, struct m_learned *out);

/* Entries that are listed as malformed within [n0, n1). */
int m_malformed(const struct m_archive *archive, const struct m_log_at *log, int n0, int n1);
bool m_is_malformed(const struct m_archive *archive, const struct m_log_at *log, int position);

/* How logs of an archive are related: sizes[old][new] is how much of `old` the log `new` that
 * continues it knows, M_NONE when it does not; siblings continue the same one. Indexes of
 * archive->logs. */
struct m_kin {
    int size[M_LOGS][M_LOGS];
    bool sibling[M_LOGS][M_LOGS];
};
void m_kin_of(const struct m_archive *archive, struct m_kin *out);

/* Why an archive must not hold what an entry commits to. */
enum m_gone { M_GONE_NOT, M_GONE_OWN, M_GONE_LATER, M_GONE_BEFORE };
enum m_gone m_gone(const struct m_archive *archive, const struct m_kin *kin,
                   const struct m_log_at *log, int position);

/* An item in a log of an archive, or of a device's own. */
struct m_item {
    bool there;
    uint32_t revision; /* of the newest entry */
    int shown;         /* position, or M_NONE */
    bool erased;
};
struct m_item m_item_at(const struct m_archive *archive, const struct m_kin *kin,
                        const struct m_log_at *log, const struct sk_id *id);
/* Whether a shown item is listed, or the same in a related log in its place. */
bool m_listed(const struct m_archive *archive, const struct m_kin *kin, int log,
              const struct sk_id *id);
/* Entries of a log that stand apart. */
int m_apart(const struct m_archive *archive, const struct m_kin *kin, int log);

#endif

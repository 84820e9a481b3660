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
#define M_NEVER    9999 /* a position behind every other: not revoked */

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
    int len;              /* of an attachment */
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
    int number;  /* of the newest receipt taken */
    int newest;  /* that receipt's file, or M_NONE */
    int revoked; /* the earliest position that any receipt has said, or M_NEVER */
    struct m_marks exported, acknowledged, wanted;
};

struct m_device {
    int log;
    int number; /* of the newest bundle */
    struct m_history history;
    struct m_end ends[M_ARCHIVES];
    struct m_marks purged;
    unsigned char promised[M_LOG]; /* of what was purged: bits of the archives that have it */
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
    bool later[M_LOG];   /* what came was withdrawn in a log that continues this one */
    bool gone[M_LOG];    /* something has withdrawn it, once */
    bool lacking[M_LOG]; /* a salvage brought the entry alone */
    int revoked;         /* the position from which on it is, or M_NEVER */
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

enum m_reason { M_WAITS, M_FORK, M_FROZEN, M_REVOKED };

struct m_quarantined {
    int file;
    enum m_reason reason;
    int from; /* with M_REVOKED: the position, when it came */
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
    struct m_marks bare; /* entries without a payload, since it was purged */
    /* A receipt. */
    int archive;
    struct m_marks stored;
    int stored_count;
    struct m_history ends[M_LOG / 2]; /* the history at the end of each stored range */
    struct m_marks wanted, malformed, lacking;
    struct m_marks only; /* entries that the archive has without what they commit to */
    int revoked;         /* or M_NEVER */
    int words;           /* lines for a person */
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
    struct m_marks bare[M_LOGS]; /* positions of a log that ever left as purged */
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
    X(REVOKED, "a log revoked")                                              \
    X(REVOKED_MARKS, "revoked where entries are held")                       \
    X(REVOKED_EARLIER, "revoked from an earlier position on")                \
    X(REVOKED_LATER, "a revocation that would begin later")                  \
    X(STRADDLES, "a bundle around the position of a revocation")             \
    X(BEHIND, "a bundle behind it")                                          \
    X(BEFORE, "a bundle before it")                                          \
    X(WANTED_BEFORE, "a gap before it is asked for")                         \
    X(WANTED_CUT, "a gap behind it is not")                                  \
    X(VOID, "a withdrawal behind it that counts in no other log")            \
    X(VOID_AGAIN, "what such a one had erased came again")                   \
    X(TOLD, "a device learns that it was revoked")                           \
    X(TOLD_ONLY, "and is told by an archive with another history")           \
    X(TOLD_KEPT, "a later receipt that says nothing of it")                  \
    X(TOLD_LATER, "a later receipt that says a later position")              \
    X(LEFT_OUT, "an export that leaves an archive out")                      \
    X(ALL_REVOKED, "an export for which no archive is left")                 \
    X(FORGOTTEN, "an older copy of a device that knows of no revocation")    \
    X(ARCHIVE_FORGOT, "an older copy of an archive from before one")         \
    X(PURGED, "a purge that took something")                                 \
    X(PURGE_HELD, "a purge held back by an archive")                         \
    X(PURGE_SHOWN, "a revision that stays for an older one")                 \
    X(PURGE_REFUSED, "a purge of what was withdrawn")                        \
    X(PURGED_EDIT, "a change of what was purged")                            \
    X(PURGED_SENT, "an export of what was purged")                           \
    X(PURGED_THERE, "it came where its payload is")                          \
    X(PURGED_BARE, "it came where its payload is not")                       \
    X(PURGED_FILLED, "a payload that came after its entry")                  \
    X(PURGED_WITHDRAWN, "what was purged was withdrawn")                     \
    X(PURGED_RESTORED, "a store restored with what was purged")              \
    X(PURGED_ASKED, "an archive asks for what was purged")                   \
    X(PURGED_SAFE, "what was purged is at an archive in the end")            \
    X(BARE, "an archive that has an entry and not what it says")            \
    X(BARE_SENT, "a device that has it sends it by itself")                  \
    X(BARE_HELD, "a purge held back, since an archive has the entry alone")  \
    X(LOST, "an archive lost what it had acknowledged")                      \
    X(SALVAGED, "what was left of a damaged bundle")                         \
    X(SALVAGED_ALL, "a damaged bundle of which nothing was lost")            \
    X(SALVAGED_NOT, "a damaged bundle of which nothing can be kept")         \
    X(SALVAGED_BARRED, "one that would have to wait if it were whole")       \
    X(LACKING, "an entry that is lacking")                                   \
    X(LACKING_ASKED, "it is asked for")                                      \
    X(LACKING_CAME, "it came")                                               \
    X(PURGE_MALFORMED, "a purge held back, since it was put aside")          \
    X(PURGE_LACKING, "a purge held back by what an archive lacks")           \
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
/* Whether a device still has what its entry commits to. */
bool m_has(const struct m_device *device, int position);
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
/* What it keeps of one that is damaged, of which these payloads came, and others did if not `lost`.
 */
void m_salvage(struct m_archive *archive, struct m_log_at *log, int file,
               const struct m_marks *came, bool lost, struct m_learned *out);

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
/* The same without knowing what it hangs on, which its payload says. */
enum m_gone m_gone_itself(const struct m_archive *archive, const struct m_kin *kin,
                          const struct m_log_at *log, int position);

/* Whether an archive would keep what an entry that it holds commits to, if that came. */
bool m_would_take(const struct m_archive *archive, const struct m_kin *kin,
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
/* Revokes a log: what erasures there keep out of other logs may come again. */
void m_revoke(struct m_archive *archive, struct m_log_at *log, int from);
/* Positions that the newest receipt of an archive covers, for a purge. */
void m_covered(const struct m_device *device, int archive, struct m_marks *out);
/* Entries of a log that stand apart. */
int m_apart(const struct m_archive *archive, const struct m_kin *kin, int log);

#endif

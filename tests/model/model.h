/*
 * A plain model of what devices and archives must know of each other, by sync/FORMAT.md alone:
 * arrays of plain values and no byte of the programs' data. A copy of a struct is an older state of
 * it.
 *
 * What was ever written is numbered: entries (struct m_entry), logs, pairs of an invite, files,
 * pairs of keys of an archive. A log's history is a row of such numbers, and two histories are the
 * same if the rows are.
 */
#ifndef SK_TESTS_MODEL_H
#define SK_TESTS_MODEL_H

#include "core/log.h"
#include "tests/model/outcomes.h"

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
#define M_NAMES    2   /* of forms */
#define M_FORMS    60  /* of organisations, from 1 on */
#define M_RENEWALS 64  /* pairs of keys of an archive */
#define M_KEYS     160 /* of both */
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
    int before;           /* of a revision above 1: the entry that it follows */
    struct sk_id on[2];   /* what an attachment or link hangs on */
    int new_log, old_log; /* of a continuation */
    int told;             /* of a continuation: index in m_told */
    int form;             /* that it is, or that a record was made with; 0: a form of the program */
};

/* What an archive offers under a name, there or as a device had it last; 0: nothing yet. */
struct m_offer {
    int form;
    bool offered;
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
    int in_force, announced, before; /* keys of the archive, or M_NONE */
    struct m_offer offers[M_NAMES];
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
    int shown; /* the newest of the archive's keys that a bundle was sealed to, or M_NONE */
    int part_count;
    struct m_part parts[M_PARTS];
};

struct m_pair_at {
    bool there;
    int log; /* enrolled under it, or M_NONE */
    int send;
    int number;  /* of the newest receipt */
    int carried; /* which of the archive's keys its invite carried */
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

/* Its keys stand in the order in which it made them: some were forgotten, then comes the pair in
 * force, then the next one, if there is one. What is known of a device is an index of them. */
struct m_archive {
    int key_count, forgotten;
    int keys[M_RENEWALS];
    struct m_offer offers[M_NAMES];
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
    int key; /* of a bundle: to which of the archive's keys it is sealed */
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
    int signer, next;    /* keys; M_NONE without a line `next` */
    int offers[M_NAMES]; /* forms, 0 for none */
    struct m_marks stored;
    int stored_count;
    struct m_history ends[M_LOG / 2]; /* the history at the end of each stored range */
    struct m_marks wanted, malformed, lacking;
    struct m_marks only;      /* entries that the archive has without what they commit to */
    struct m_marks elsewhere; /* and would not take, since a related log has withdrawn them */
    int revoked;              /* or M_NEVER */
    int words;                /* lines for a person */
};

/* ---- everything that was ever written ---- */

struct m_world {
    int entry_count;
    struct m_entry entries[M_ENTRIES];
    int told_count;
    struct m_history told[M_LOGS]; /* the history that a continuation names */
    int log_count;
    int key_count;
    int form_count;
    struct {
        int name, version, variant;
    } forms[M_FORMS];
    int pair_count;
    struct {
        int archive;
        int key; /* that the invite carries */
    } pairs[M_PAIRS];
    int file_count;
    struct m_file files[M_FILES];
    struct m_marks bare[M_LOGS]; /* positions of a log that ever left as purged */
    struct m_device devices[M_DEVICES];
    struct m_archive archives[M_ARCHIVES];
};
extern struct m_world m;

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
/* It names another entry as the revision before it than the one that stands there. */
bool m_is_astray(const struct m_log_at *log, int position);

/* How logs of an archive are related: sizes[old][new] is how much of `old` the log `new` that
 * continues it knows, M_NONE when it does not; siblings continue the same one. Indexes of
 * archive->logs. */
struct m_kin {
    int size[M_LOGS][M_LOGS];
    bool sibling[M_LOGS][M_LOGS];
    int depth[M_LOGS]; /* how many logs it continues, known here or not */
};
void m_kin_of(const struct m_archive *archive, struct m_kin *out);

/* Statements that are believed; whether one that was is not any more, since what came contradicts
 * it; and, if so, what had been withdrawn by way of it may come again. */
struct m_believed {
    struct m_marks at[M_LOGS];
};
void m_note_believed(const struct m_archive *archive, struct m_believed *out);
bool m_is_refuted(const struct m_archive *archive, const struct m_believed *before);
void m_allow_again(struct m_archive *archive, const struct m_kin *kin);

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

/* ---- forms of organisations (forms.c) ---- */

/* Whether a log holds a form, at an archive or at its device. */
bool m_holds_form(const struct m_log_at *log, int form);
bool m_has_form(const struct m_device *device, int form);
/* Whether the record at a position is under a form that its device's log has not, or has lost. */
bool m_formless(const struct m_device *device, int position);
/* A form comes into a log: whether records there have waited for it. */
bool m_waited_for(const struct m_log_at *log, int form);
/* What a receipt offers; none to who has a device that is revoked. */
void m_fill_offers(const struct m_archive *archive, const struct m_log_at *log,
                   struct m_file *receipt);

/* ---- renewed keys (renewals.c) ---- */

/* Which of an archive's keys are the newest. */
int m_newest_keys(const struct m_archive *archive);
/* Which of them open a bundle; M_NONE when it was sealed to none that are left. */
int m_opens(const struct m_archive *archive, const struct m_slot *slot);
/* The newest that a log, or (log NULL) who has the invite, is known to have. */
int m_known_keys(const struct m_archive *archive, int pair, const struct m_log_at *log);
/* Whether only such keys as were forgotten are known. */
bool m_left_behind(const struct m_archive *archive, int pair, const struct m_log_at *log);
/* A bundle that such keys opened was taken, or put into quarantine. */
void m_note_keys(const struct m_archive *archive, struct m_log_at *log, int key);

/* By which keys a receipt is signed: the newest that the log is known to have. It names newer ones.
 */
void m_sign(const struct m_archive *archive, const struct m_log_at *log, struct m_file *receipt);

/* To which keys a device seals. */
int m_seals_to(const struct m_end *end);
/* What the keys of a receipt make of it: SK_OK, or why it is not taken. */
enum sk_status m_check_keys(const struct m_end *end, const struct m_file *receipt);
/* What is kept of them when it is taken; whether next keys are new. */
bool m_keep_keys(struct m_end *end, const struct m_file *receipt);

#endif

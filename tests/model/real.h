/*
 * The real side: stores and files on the disk in memory (tests/support/sim), and the sequence of
 * actions on them and on the model at once.
 */
#ifndef SK_TESTS_MODEL_REAL_H
#define SK_TESTS_MODEL_REAL_H

#include "core/renew.h"
#include "tests/model/model.h"
#include "tests/support/stores.h"

#define R_COPIES  8 /* older copies of the folders of stores */
#define R_BACKUPS 8

struct r_store {
    char path[48];
    struct sk_store *store;
};

/* An older copy of a store's folder, or a backup: where it lies, and the model's part then. */
struct r_copy {
    char path[48];
    bool archive;
    int owner; /* device or archive */
    union {
        struct m_device device;
        struct m_archive at;
    } model;
};

struct r_invite {
    int pair;
    int device;
    char path[48];
};

struct r_world {
    struct r_store devices[M_DEVICES];
    struct r_store archives[M_ARCHIVES];
    uint8_t log_ids[M_LOGS][SK_HASH_LEN];
    int copy_count;
    struct r_copy copies[R_COPIES];
    int backup_count;
    struct r_copy backups[R_BACKUPS];
    int invite_count;
    struct r_invite invites[M_PAIRS];
    bool damaged[M_FILES][M_ARCHIVES]; /* a damaged copy of it came there */
    bool clean[M_DEVICES];             /* nothing older was put back, and no key used twice */
    bool behind[M_ARCHIVES];           /* an older copy of it was put back */
    int changes[M_ARCHIVES];           /* imports and approvals that may have changed it */
    struct sk_archive_keys keys[M_KEYS];
    int name; /* of the next file */
};
extern struct r_world r;

/* The world before the first action, made once: every sequence begins with a copy of it. */
void r_make(void);

/* Each with its weight. */
/* clang-format off */
#define R_ACTIONS(X)                                                                       \
    X(ADD, 16) X(EDIT, 9) X(ATTACH, 5) X(LINK, 5) X(WITHDRAW, 8) X(SPOIL, 2) X(EXPORT, 16) \
    X(EXPORT_SINCE, 4) X(EXPORT_FAILS, 2) X(BURN, 2) X(LOSE, 4) X(IMPORT, 32)              \
    X(IMPORT_DAMAGED, 5) X(RECEIPT, 9) X(BURN_RECEIPTS, 2) X(TAKE, 12) X(TAKE_DAMAGED, 2)  \
    X(COPY, 5) X(PUT_BACK, 4) X(COPY_ARCHIVE, 2) X(PUT_BACK_ARCHIVE, 2) X(BACKUP, 5)       \
    X(RESTORE, 5) X(APPROVE, 5) X(INVITE, 1) X(ROUND, 8) X(REVOKE, 3) X(PURGE, 8)          \
    X(SALVAGE, 6) X(RENEW, 4) X(FORGET, 4) X(OFFER, 5) X(STOP, 1) X(ADD_UNDER, 8)          \
    X(ERASE_FORM, 2)
/* clang-format on */
enum r_kind {
#define R_KIND_ENUM(name, weight) R_##name,
    R_ACTIONS(R_KIND_ENUM)
#undef R_KIND_ENUM
        R_KIND_COUNT,
};

/* An action and what it chooses by, of what there is when it is its turn; what cannot be done is
 * passed over. Any row of actions is a sequence. */
struct r_action {
    enum r_kind kind;
    uint32_t by[3];
};
/* The fixed beginning of the sequence with that seed, if it has one; how many actions. */
#define R_OPENING_MAX 24
int r_opening(uint64_t seed, struct r_action *out);

const char *r_kind_name(enum r_kind kind);
unsigned r_weight(enum r_kind kind);

/* Does one, on both sides, and compares; whether there was anything to do. */
bool r_act(const struct r_action *action);

/* At the end: delivers what can be delivered, and looks at everything. */
void r_end(void);

/* ---- between its files ---- */

/* Ends the sequence as failed. */
_Noreturn void r_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Fails unless two numbers are equal. */
void r_equal(const char *what, long long real, long long model);

/* A path for a new file or folder: "/sim/<disk>/<word><number>". */
void r_path(char out[static 48], const char *disk, const char *word);
void r_file_path(char out[static 48], int file);
void r_open(struct r_store *at, enum sk_store_kind kind);
void r_close(struct r_store *at);
void r_copy_folder(const char *from, const char *to);

/* actions of devices and files (devices.c, exports.c), of archives (archives.c), receipts
 * (receipts.c), older copies (copies.c), revocations (revocations.c), purges (purges.c), damaged
 * bundles (salvages.c), keys of archives (renewals.c), forms (forms.c)
 */
bool r_act_device(const struct r_action *action);
bool r_act_export(const struct r_action *action);
bool r_act_archive(const struct r_action *action);
bool r_act_receipt(const struct r_action *action);
bool r_act_copy(const struct r_action *action);
bool r_act_revoke(const struct r_action *action);
bool r_act_purge(const struct r_action *action);
bool r_act_salvage(const struct r_action *action);
bool r_act_renew(const struct r_action *action);
bool r_act_form(const struct r_action *action);

/* The next entry of a device's log, to be filled in; whether nothing more is to be recorded there.
 */
struct m_entry *r_new_entry(struct m_device *device);
bool r_full(const struct m_device *device);
/* What the real log has at a position. */
struct sk_entry r_entry_at(int device, int position);
/* A title with a word that stands for the entry. */
void r_set_title(struct m_entry *entry);
/* An erasure that the real log has. */
void r_note_erasure(struct m_device *device, const struct sk_entry *real);

/* Why a bundle waits; the words of a revocation until the next call. */
const char *r_reason(const struct m_quarantined *q);
/* A file that is on its way to that archive, or was there before (M_NONE: to anybody), or M_NONE.
 */
int r_pick_file(int archive, uint32_t by);
/* The slot of a bundle by which that archive reads it; NULL. */
const struct m_slot *r_slot_for(int archive, int file);
/* The log that a bundle is of, new if it has to be. */
struct m_log_at *r_place_log(struct m_archive *archive, int pair, int log);
bool r_export(int device, bool everything);
void r_import(int archive, int file, const char *path, int flip);
/* Whether a receipt was written; none is for who was left behind. */
bool r_receipt(int archive, int log);
void r_take(int device, int file, const char *path, int flip);
void r_invite(int archive, int device);
/* Numbers the newest keys of an archive, which it has just made. */
void r_note_keys(int archive);
bool r_accept(int device, const struct r_invite *invite);
/* A copy of a file with one bit flipped, in one of three places; which offset. */
int r_damaged_copy(int file, uint32_t by, char path[static 48]);

/* Everything that a store shows against the model (compare.c). */
void r_compare_device(int device);
void r_compare_archive(int archive);
void r_compare_words(int archive);
/* What is known of an archive's keys, there and at a device (renewals.c). */
struct sk_peer;
void r_compare_end_keys(const struct sk_peer *peer, const struct m_end *end);
void r_compare_keys(int archive);
/* The safety number that a person is told is made of these keys; M_NONE: none is told. */
struct sk_receipt_result;
void r_compare_new_keys(const struct sk_receipt_result *result, int keys);

/* What a receipt that is taken does with forms (forms.c): what is to be told of it, and the forms
 * that go into the log again. */
struct r_forms {
    int news[M_NAMES], gone[M_NAMES], again[M_NAMES]; /* forms, or 0, by name */
    int words;
};
struct r_forms r_keep_forms(struct m_device *device, struct m_end *end,
                            const struct m_file *receipt);
void r_compare_forms(int device, const struct r_forms *expected,
                     const struct sk_receipt_result *result);
/* Forms that a store offers, or has been offered by a peer, against the model. */
void r_compare_offers(struct sk_store *store, int64_t peer, const struct m_offer *offers);
/* A position of a revocation as the model has it. */
int r_revoked(uint64_t from);
void r_verify(struct sk_store *store);

#endif

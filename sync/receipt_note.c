#include "sync/receipt_note.h"

#include "core/text.h"
#include "sync/receipt_forms.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Remarks stop before the text could grow over SK_RECEIPT_MAX. */
#define REMARKS_MAX (SK_RECEIPT_MAX / 2)
#define SHOWN_MAX   8 /* characters that one byte of words can become: <U+001B> */

/* Lines that are ranges and nothing else. */
#define WANTED    "wanted "
#define BARE      "bare "
#define WITHDRAWN "withdrawn "

void sk_receipt_clear(struct sk_receipt *receipt)
{
    free(receipt->stored);
    receipt->stored = NULL;
    receipt->stored_count = 0;
    sk_ranges_clear(&receipt->wanted);
    sk_ranges_clear(&receipt->bare);
    sk_ranges_clear(&receipt->withdrawn);
    sk_ranges_clear(&receipt->malformed);
    sk_buf_clear(&receipt->remarks);
    free(receipt->forms);
    receipt->forms = NULL;
    receipt->form_count = 0;
}

void sk_receipt_key_name(char out[static SK_ARCHIVE_KEY_NAME_LEN],
                         const uint8_t archive_id[static SK_HASH_LEN])
{
    static const char prefix[] = "skrynia-archive/";
    memcpy(out, prefix, sizeof(prefix) - 1);
    sk_hex(out + sizeof(prefix) - 1, archive_id, SK_HASH_LEN);
}

static enum sk_status push_stored(struct sk_receipt *receipt,
                                  const struct sk_receipt_stored *stored, struct sk_error *err)
{
    struct sk_receipt_stored *items =
        reallocarray(receipt->stored, receipt->stored_count + 1, sizeof(*items));
    if (!items)
        return sk_fail_status(err, SK_NOMEM);
    receipt->stored = items;
    items[receipt->stored_count++] = *stored;
    return SK_OK;
}

enum sk_status sk_receipt_add_stored(struct sk_receipt *receipt, uint64_t from, uint64_t to,
                                     const uint8_t root[static SK_MERKLE_LEN], struct sk_error *err)
{
    struct sk_receipt_stored stored = {.from = from, .to = to};
    memcpy(stored.root, root, sizeof(stored.root));
    return push_stored(receipt, &stored, err);
}

/* ---- writing ---- */

#define NUMBERS_MAX 3

/* How a remark stands in the text, and what a person is told. */
static const struct {
    const char *word;
    unsigned numbers;
    const char *before, *after; /* around the first number; NULL: only the words are told */
} remarks[SK_REMARK_KINDS] = {
    [SK_REMARK_QUARANTINED] = {"quarantined ", 3, "bundle ", " is in quarantine: "},
    [SK_REMARK_MALFORMED] = {"malformed ", 1, "entry ", " was put aside: "},
    [SK_REMARK_NOTICE] = {"notice ", 0, NULL, NULL},
};

enum sk_status sk_receipt_add_remark(struct sk_receipt *receipt, enum sk_remark kind,
                                     const uint64_t *numbers, const char *words,
                                     struct sk_error *err)
{
    struct sk_buf *out = &receipt->remarks;
    if (receipt->remark_counts[kind] == SK_RECEIPT_LIST_MAX ||
        out->len + strlen(words) * SHOWN_MAX > REMARKS_MAX)
        return SK_OK;
    receipt->remark_counts[kind]++;
    SK_TRY(sk_buf_add_text(out, remarks[kind].word, err));
    for (unsigned i = 0; i < remarks[kind].numbers; i++)
        SK_TRY(sk_buf_printf(out, err, "%" PRIu64 " ", numbers[i]));
    SK_TRY(sk_text_show(out, words, strlen(words), false, 0, err));
    return sk_buf_add_byte(out, '\n', err);
}

static enum sk_status format_ranges(struct sk_buf *out, const char *word,
                                    const struct sk_ranges *ranges, struct sk_error *err)
{
    for (size_t i = 0; i < ranges->count && i < SK_RECEIPT_LIST_MAX; i++)
        SK_TRY(sk_buf_printf(out, err, "%s%" PRIu64 " %" PRIu64 "\n", word, ranges->items[i].from,
                             ranges->items[i].to));
    return SK_OK;
}

enum sk_status sk_receipt_format(struct sk_buf *out, const struct sk_receipt *receipt,
                                 struct sk_error *err)
{
    char archive[2 * SK_HASH_LEN + 1];
    char log[2 * SK_HASH_LEN + 1];
    char day[11];
    char root[SK_BASE64_HASH_LEN + 1];
    sk_hex(archive, receipt->archive_id, SK_HASH_LEN);
    sk_hex(log, receipt->log_id, SK_HASH_LEN);
    sk_day_format(day, receipt->day);
    sk_base64_hash(root, receipt->root);
    SK_TRY(sk_buf_printf(out, err,
                         SK_RECEIPT_CONTEXT "\narchive %s\nlog %s\nnumber %" PRIu64
                                            "\nday %s\nsize %" PRIu64 "\nroot %s\n",
                         archive, log, receipt->number, day, receipt->size, root));
    for (size_t i = 0; i < receipt->stored_count && i < SK_RECEIPT_LIST_MAX; i++) {
        sk_base64_hash(root, receipt->stored[i].root);
        SK_TRY(sk_buf_printf(out, err, "stored %" PRIu64 " %" PRIu64 " %s\n",
                             receipt->stored[i].from, receipt->stored[i].to, root));
    }
    SK_TRY(format_ranges(out, WANTED, &receipt->wanted, err));
    SK_TRY(format_ranges(out, BARE, &receipt->bare, err));
    SK_TRY(format_ranges(out, WITHDRAWN, &receipt->withdrawn, err));
    if (receipt->revokes)
        SK_TRY(sk_buf_printf(out, err, "revoked %" PRIu64 "\n", receipt->revoked));
    if (receipt->renews)
        SK_TRY(sk_next_keys_format(out, &receipt->next, err));
    SK_TRY(sk_buf_add(out, sk_buf_text(&receipt->remarks), receipt->remarks.len, err));
    return sk_receipt_forms_format(out, receipt, err);
}

/* ---- reading ---- */

#define ID_TEXT_LEN 64 /* SK_HASH_LEN bytes as hex digits */

struct cursor {
    const char *at;
    const char *end;
};

/* Goes over `word` if the text continues with it. */
static bool accept(struct cursor *c, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(c->end - c->at) < len || memcmp(c->at, word, len) != 0)
        return false;
    c->at += len;
    return true;
}

/* Decimal, without leading zeros, below 2^63. */
static bool take_number(struct cursor *c, uint64_t *out)
{
    const char *start = c->at;
    uint64_t value = 0;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++) {
        uint64_t digit = (uint64_t)(*c->at - '0');
        if (value > ((uint64_t)INT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return c->at > start && (*start != '0' || c->at == start + 1);
}

static bool take_id(struct cursor *c, uint8_t out[static SK_HASH_LEN])
{
    static const char digits[] = "0123456789abcdef";
    if (c->end - c->at < ID_TEXT_LEN)
        return false;
    for (size_t i = 0; i < ID_TEXT_LEN; i++) {
        const char *digit = memchr(digits, c->at[i], 16);
        if (!digit)
            return false;
        unsigned value = (unsigned)(digit - digits);
        out[i / 2] = (uint8_t)(i % 2 ? out[i / 2] | value : value << 4);
    }
    c->at += ID_TEXT_LEN;
    return true;
}

static bool take_day(struct cursor *c, uint32_t *out)
{
    char text[11] = "";
    if (c->end - c->at < 10)
        return false;
    memcpy(text, c->at, 10);
    c->at += 10;
    return sk_day_parse(out, text) == SK_OK;
}

static bool take_root(struct cursor *c, uint8_t out[static SK_MERKLE_LEN])
{
    if (c->end - c->at < SK_BASE64_HASH_LEN || sk_base64_hash_parse(out, c->at) != SK_OK)
        return false;
    c->at += SK_BASE64_HASH_LEN;
    return true;
}

static bool take_head(struct cursor *c, struct sk_receipt *r)
{
    return accept(c, SK_RECEIPT_CONTEXT "\narchive ") && take_id(c, r->archive_id) &&
           accept(c, "\nlog ") && take_id(c, r->log_id) && accept(c, "\nnumber ") &&
           take_number(c, &r->number) && r->number > 0 && accept(c, "\nday ") &&
           take_day(c, &r->day) && accept(c, "\nsize ") && take_number(c, &r->size) &&
           accept(c, "\nroot ") && take_root(c, r->root) && accept(c, "\n");
}

static bool take_range(struct cursor *c, uint64_t *from, uint64_t *to)
{
    return take_number(c, from) && accept(c, " ") && take_number(c, to) && *from < *to;
}

static enum sk_status take_stored(struct cursor *c, struct sk_receipt *r, struct sk_error *err)
{
    while (accept(c, "stored ")) {
        struct sk_receipt_stored stored;
        const struct sk_receipt_stored *last =
            r->stored_count ? &r->stored[r->stored_count - 1] : NULL;
        if (!take_range(c, &stored.from, &stored.to) || !accept(c, " ") ||
            !take_root(c, stored.root) || !accept(c, "\n") || (last && stored.from <= last->to) ||
            r->stored_count == SK_RECEIPT_LIST_MAX)
            return sk_fail(err, SK_DAMAGED, "the receipt's list of what is stored is malformed");
        SK_TRY(push_stored(r, &stored, err));
    }
    return SK_OK;
}

static enum sk_status take_ranges(struct cursor *c, const char *word, struct sk_ranges *out,
                                  struct sk_error *err)
{
    uint64_t end = 0;
    while (accept(c, word)) {
        uint64_t from = 0;
        uint64_t to = 0;
        if (!take_range(c, &from, &to) || !accept(c, "\n") || (out->count > 0 && from <= end) ||
            out->count == SK_RECEIPT_LIST_MAX)
            return sk_fail(err, SK_DAMAGED, "the receipt's lines \"%s\" are malformed", word);
        SK_TRY(sk_ranges_add(out, from, to, err));
        end = to;
    }
    return SK_OK;
}

static enum sk_status take_revoked(struct cursor *c, struct sk_receipt *r, struct sk_error *err)
{
    r->revokes = accept(c, "revoked ");
    if (!r->revokes)
        return SK_OK;
    return take_number(c, &r->revoked) && accept(c, "\n")
               ? SK_OK
               : sk_fail(err, SK_DAMAGED, "the receipt's revocation is malformed");
}

static enum sk_status take_next(struct cursor *c, struct sk_receipt *r, struct sk_error *err)
{
    r->renews = accept(c, "next ");
    if (!r->renews)
        return SK_OK;
    return take_id(c, r->next.dh_public) && accept(c, " ") && take_id(c, r->next.sign_public) &&
                   accept(c, "\n") && sk_next_keys_usable(&r->next)
               ? SK_OK
               : sk_fail(err, SK_DAMAGED, "the receipt's next keys are malformed");
}

/* One line, which belongs to the text that the cursor goes over. */
struct remark {
    enum sk_remark kind;
    uint64_t numbers[NUMBERS_MAX];
    const char *words;
    size_t words_len;
};

static bool take_remark(struct cursor *c, struct remark *out)
{
    unsigned kind = 0;
    while (!accept(c, remarks[kind].word))
        if (++kind == SK_REMARK_KINDS)
            return false;
    for (unsigned i = 0; i < remarks[kind].numbers; i++)
        if (!take_number(c, &out->numbers[i]) || !accept(c, " "))
            return false;
    const char *line_end = memchr(c->at, '\n', (size_t)(c->end - c->at));
    if (!line_end)
        return false;
    out->kind = (enum sk_remark)kind;
    out->words = c->at;
    out->words_len = (size_t)(line_end - c->at);
    c->at = line_end + 1;
    return true;
}

static enum sk_status check_shown(const struct remark *remark, struct sk_error *err)
{
    sk_auto_buf shown = SK_BUF_INIT;
    SK_TRY(sk_text_show(&shown, remark->words, remark->words_len, false, 0, err));
    return shown.len == remark->words_len &&
                   memcmp(sk_buf_text(&shown), remark->words, shown.len) == 0
               ? SK_OK
               : sk_fail(err, SK_DAMAGED, "the receipt's remarks are not safe to show");
}

/* To the end of the text. */
static enum sk_status take_remarks(struct cursor *c, struct sk_receipt *r, struct sk_error *err)
{
    struct remark remark = {.kind = SK_REMARK_QUARANTINED};
    enum sk_remark last = SK_REMARK_QUARANTINED;
    const char *start = c->at;
    while (c->at < c->end) {
        if (!take_remark(c, &remark) || remark.kind < last ||
            r->remark_counts[remark.kind]++ == SK_RECEIPT_LIST_MAX)
            return sk_fail(err, SK_DAMAGED, "the receipt's remarks are malformed");
        SK_TRY(check_shown(&remark, err));
        if (remark.kind == SK_REMARK_MALFORMED)
            SK_TRY(sk_ranges_add(&r->malformed, remark.numbers[0], remark.numbers[0] + 1, err));
        last = remark.kind;
    }
    return sk_buf_add(&r->remarks, start, (size_t)(c->end - start), err);
}

enum sk_status sk_receipt_parse(struct sk_receipt *out, const char *text, size_t len,
                                struct sk_error *err)
{
    sk_auto_receipt r = {.stored = NULL};
    size_t forms_at = sk_receipt_forms_at(text, len);
    struct cursor c = {text, text + forms_at};
    if (!take_head(&c, &r))
        return sk_fail(err, SK_DAMAGED, "this is not the text of a receipt");
    SK_TRY(take_stored(&c, &r, err));
    SK_TRY(take_ranges(&c, WANTED, &r.wanted, err));
    SK_TRY(take_ranges(&c, BARE, &r.bare, err));
    SK_TRY(take_ranges(&c, WITHDRAWN, &r.withdrawn, err));
    SK_TRY(take_revoked(&c, &r, err));
    SK_TRY(take_next(&c, &r, err));
    SK_TRY(take_remarks(&c, &r, err));
    SK_TRY(sk_receipt_forms_parse(&r, text + forms_at, len - forms_at, err));
    *out = SK_TAKE(r);
    return SK_OK;
}

enum sk_status sk_receipt_tell(struct sk_buf *out, const struct sk_receipt *receipt,
                               struct sk_error *err)
{
    const char *text = sk_buf_text(&receipt->remarks);
    struct cursor c = {text, text + receipt->remarks.len};
    struct remark remark = {.kind = SK_REMARK_QUARANTINED};
    while (take_remark(&c, &remark)) {
        if (remarks[remark.kind].before)
            SK_TRY(sk_buf_printf(out, err, "%s%" PRIu64 "%s", remarks[remark.kind].before,
                                 remark.numbers[0], remarks[remark.kind].after));
        SK_TRY(sk_buf_add(out, remark.words, remark.words_len, err));
        SK_TRY(sk_buf_add_byte(out, '\n', err));
    }
    return SK_OK;
}

/*
 * Goal of this test: a receipt's text says one thing in one way. What is written is read back as it
 * was, every other text is refused, and no word of an archive reaches a person raw.
 */
#include "sync/receipt_note.h"
#include "tests/support/stores.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define ZEROS16 "0000000000000000"
#define ZEROS64 ZEROS16 ZEROS16 ZEROS16 ZEROS16
#define ROOT    "AwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define HEAD                                                                              \
    "skrynia receipt 1\narchive " ZEROS64 "\nlog " ZEROS64 "\nnumber 2\nday 2024-07-14\n" \
    "size 20\nroot " ROOT "\n"

static enum sk_status parse_len(struct sk_receipt *out, const char *text, size_t len)
{
    /* An allocation of the exact size: memcheck and AddressSanitizer see every byte too far. */
    char *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    sk_error_clear(&sk_test_err);
    enum sk_status status = sk_receipt_parse(out, copy, len, &sk_test_err);
    free(copy);
    return status;
}

static void refused(const char *text)
{
    struct sk_receipt untouched = {.number = 77};
    if (parse_len(&untouched, text, strlen(text)) != SK_DAMAGED)
        fail_msg("accepted: %s", text);
    assert_int_equal(untouched.number, 77);
    assert_int_not_equal(sk_test_err.text[0], 0);
}

/* What is accepted is written again as the same bytes. */
static bool accepted(const char *text, size_t len)
{
    sk_auto_receipt receipt = {.stored = NULL};
    sk_auto_buf again = SK_BUF_INIT;
    if (parse_len(&receipt, text, len) != SK_OK)
        return false;
    EXPECT_OK(sk_receipt_format(&again, &receipt, &sk_test_err));
    assert_int_equal(again.len, len);
    assert_memory_equal(again.bytes, text, len);
    return true;
}

static void fill(struct sk_receipt *r)
{
    static const uint64_t quarantined[] = {4, 30, 33};
    static const uint64_t position = 13;
    static const uint8_t root[SK_MERKLE_LEN] = {3};
    memset(r->archive_id, 0xa1, sizeof(r->archive_id));
    memset(r->log_id, 0x0b, sizeof(r->log_id));
    r->number = INT64_MAX;
    r->day = 19918;
    r->size = 20;
    memcpy(r->root, root, sizeof(root));
    EXPECT_OK(sk_receipt_add_stored(r, 0, 20, root, &sk_test_err));
    EXPECT_OK(sk_receipt_add_stored(r, 25, 30, root, &sk_test_err));
    EXPECT_OK(sk_ranges_add(&r->wanted, 20, 25, &sk_test_err));
    EXPECT_OK(sk_receipt_add_remark(r, SK_REMARK_QUARANTINED, quarantined, "fork", &sk_test_err));
    EXPECT_OK(sk_receipt_add_remark(r, SK_REMARK_MALFORMED, &position, "no", &sk_test_err));
    EXPECT_OK(sk_receipt_add_remark(r, SK_REMARK_NOTICE, NULL, "two bundles", &sk_test_err));
}

static void it_comes_back_as_it_was(void **state)
{
    sk_auto_receipt r = {.stored = NULL};
    sk_auto_receipt back = {.stored = NULL};
    sk_auto_buf text = SK_BUF_INIT;
    sk_auto_buf told = SK_BUF_INIT;
    (void)state;
    fill(&r);
    EXPECT_OK(sk_receipt_format(&text, &r, &sk_test_err));
    assert_string_equal(strstr(sk_buf_text(&text), "number"),
                        "number 9223372036854775807\nday 2024-07-14\nsize 20\nroot " ROOT "\n"
                        "stored 0 20 " ROOT "\nstored 25 30 " ROOT "\nwanted 20 25\n"
                        "quarantined 4 30 33 fork\nmalformed 13 no\nnotice two bundles\n");
    assert_true(accepted(sk_buf_text(&text), text.len));
    EXPECT_OK(sk_receipt_parse(&back, sk_buf_text(&text), text.len, &sk_test_err));
    assert_memory_equal(back.archive_id, r.archive_id, sizeof(r.archive_id));
    assert_memory_equal(back.log_id, r.log_id, sizeof(r.log_id));
    assert_true(back.number == r.number && back.size == 20 && back.day == r.day);
    assert_memory_equal(back.root, r.root, sizeof(r.root));
    assert_int_equal(back.stored_count, 2);
    assert_int_equal(back.stored[1].from, 25);
    assert_int_equal(back.stored[1].to, 30);
    assert_int_equal(back.wanted.count, 1);
    EXPECT_OK(sk_receipt_tell(&told, &back, &sk_test_err));
    assert_string_equal(sk_buf_text(&told), "bundle 4 is in quarantine: fork\n"
                                            "entry 13 was put aside: no\ntwo bundles\n");
}

static void the_first_receipt_says_nothing(void **state)
{
    sk_auto_receipt r = {.number = 1};
    sk_auto_buf text = SK_BUF_INIT;
    sk_auto_buf told = SK_BUF_INIT;
    (void)state;
    EXPECT_OK(sk_receipt_format(&text, &r, &sk_test_err));
    assert_true(accepted(sk_buf_text(&text), text.len));
    EXPECT_OK(sk_receipt_tell(&told, &r, &sk_test_err));
    assert_string_equal(sk_buf_text(&told), "");
}

static void there_is_one_way_to_say_it(void **state)
{
    static const char *const bad[] = {
        "",
        "skrynia receipt 1\n",
        "skrynia receipt 2\narchive " ZEROS64,
        HEAD "stored 0 20 " ROOT "\nstored 20 30 " ROOT "\n", /* touching */
        HEAD "stored 25 30 " ROOT "\nstored 0 20 " ROOT "\n", /* falling */
        HEAD "stored 20 20 " ROOT "\n",
        HEAD "stored 20 0 " ROOT "\n",
        HEAD "stored 0 20\n",
        HEAD "stored 0 20 " ROOT,
        HEAD "stored  0 20 " ROOT "\n",
        HEAD "stored 00 20 " ROOT "\n",
        HEAD "stored 0 020 " ROOT "\n",
        HEAD "stored -1 20 " ROOT "\n",
        HEAD "stored +0 20 " ROOT "\n",
        HEAD "stored 0 9223372036854775808 " ROOT "\n",
        HEAD "stored 0 99999999999999999999999999 " ROOT "\n",
        HEAD "wanted 0 20\nwanted 20 21\n",
        HEAD "wanted 5 6\nwanted 0 1\n",
        HEAD "wanted 3 3\n",
        HEAD "wanted 0 20 \n",
        HEAD "wanted 0 20",
        HEAD "wanted 0 20\nstored 0 20 " ROOT "\n",
        HEAD "quarantined 1 2 words\n",
        HEAD "quarantined 1 2 3\n",
        HEAD "quarantined 1 2 03 words\n",
        HEAD "malformed words\n",
        HEAD "malformed 1 words",
        HEAD "malformed 1 words\nquarantined 1 2 3 words\n",
        HEAD "notice words\nmalformed 1 words\n",
        HEAD "notice\n",
        HEAD "Notice words\n",
        HEAD "notice words\n\n",
        HEAD "other words\n",
        HEAD "notice \x1b[2J\n",
        HEAD "notice tab\there\n",
        HEAD "notice \xe2\x80\xae\n", /* right-to-left override */
        HEAD "notice \xff\n",
        HEAD "notice \r\n",
        HEAD "\n",
    };
    (void)state;
    assert_true(accepted(HEAD, strlen(HEAD)));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        refused(bad[i]);
}

/* Each line of the head in another form, in place of the right one. */
static void the_head_has_one_form(void **state)
{
    static const struct {
        const char *right, *wrong;
    } lines[] = {
        {"number 2\n", "number 0\n"},
        {"number 2\n", "number 02\n"},
        {"number 2\n", "number 9223372036854775808\n"},
        {"number 2\n", "number \n"},
        {"day 2024-07-14", "day 2024-02-30"},
        {"day 2024-07-14", "day 1969-12-31"},
        {"day 2024-07-14", "day 24-07-0014"},
        {"day 2024-07-14", "day          x"},
        {"size 20\n", "size 020\n"},
        {"size 20\n", "size\n"},
        {"root Aw", "root A\n"},
        {"AAA=\n", "AAB=\n"}, /* bits that 32 bytes do not have */
        {"AAA=\n", "AAAA\n"},
        {"AAA=\n", "AA==\n"},
        {"log 00", "log 0A"},
        {"archive 00", "archive 0g"},
        {"archive 00", "archive 000"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        char text[sizeof(HEAD) + 64];
        const char *at = strstr(HEAD, lines[i].right);
        assert_non_null(at);
        (void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - HEAD), HEAD, lines[i].wrong,
                       at + strlen(lines[i].right));
        refused(text);
    }
}

/* Every byte replaced by every other: refused, or another receipt in its one form. */
static void every_byte_counts(void **state)
{
    char text[] = HEAD "stored 0 20 " ROOT "\nwanted 20 25\nmalformed 13 no\n";
    const size_t len = sizeof(text) - 1;
    unsigned kept = 0;
    (void)state;
    for (size_t at = 0; at < len; at++) {
        const char right = text[at];
        assert_false(at + 1 < len && text[at] == '\n' && accepted(text, at));
        for (unsigned byte = 0; byte < 256; byte++) {
            text[at] = (char)byte;
            kept += accepted(text, len);
        }
        text[at] = right;
    }
    assert_true(kept > len);
}

/* Each digit of the next keys as any byte: refused, or other keys in their one form. */
static void next_keys_have_one_form(void **state)
{
    static const uint8_t secret[32] = {5};
    sk_auto_receipt r = {.number = 1, .revokes = true, .revoked = 7, .renews = true};
    sk_auto_receipt back = {.stored = NULL};
    sk_auto_buf text = SK_BUF_INIT;
    unsigned other = 0;
    (void)state;
    sk_dh_public(r.next.dh_public, secret);
    sk_sign_public(r.next.sign_public, secret);
    EXPECT_OK(sk_receipt_format(&text, &r, &sk_test_err));
    assert_true(accepted(sk_buf_text(&text), text.len));
    EXPECT_OK(sk_receipt_parse(&back, sk_buf_text(&text), text.len, &sk_test_err));
    assert_true(back.revokes && back.revoked == 7 && back.renews);
    assert_true(sk_next_keys_same(&back.next, &r.next));
    char *line = strstr((char *)text.bytes, "\nrevoked 7\nnext ");
    assert_non_null(line);
    for (char *at = line + strlen("\nrevoked 7\n"); at < (char *)text.bytes + text.len; at++) {
        const char right = *at;
        for (unsigned byte = 0; byte < 256; byte++) {
            *at = (char)byte;
            bool taken = accepted(sk_buf_text(&text), text.len);
            other += taken && *at != right;
            assert_false(taken && *at != right && !strchr("0123456789abcdef", *at));
        }
        *at = right;
    }
    assert_in_range(other, 64 * 15,
                    128 * 15); /* every X25519 key, and one in sixteen of the others */
}

static void lists_are_cut_at_their_limit(void **state)
{
    static const uint8_t root[SK_MERKLE_LEN] = {3};
    static const uint64_t numbers[3] = {1, 2, 3};
    sk_auto_receipt r = {.number = 1};
    sk_auto_receipt back = {.stored = NULL};
    sk_auto_buf text = SK_BUF_INIT;
    (void)state;
    for (uint64_t i = 0; i < SK_RECEIPT_LIST_MAX + 5; i++) {
        EXPECT_OK(sk_receipt_add_stored(&r, 4 * i, 4 * i + 1, root, &sk_test_err));
        EXPECT_OK(sk_ranges_add(&r.wanted, 4 * i + 1, 4 * i + 3, &sk_test_err));
    }
    for (unsigned kind = 0; kind < SK_REMARK_KINDS; kind++)
        for (unsigned i = 0; i < SK_RECEIPT_LIST_MAX + 5; i++)
            EXPECT_OK(sk_receipt_add_remark(&r, (enum sk_remark)kind, numbers, "w", &sk_test_err));
    EXPECT_OK(sk_receipt_format(&text, &r, &sk_test_err));
    assert_true(text.len < SK_RECEIPT_MAX);
    assert_true(accepted(sk_buf_text(&text), text.len));
    EXPECT_OK(sk_receipt_parse(&back, sk_buf_text(&text), text.len, &sk_test_err));
    assert_int_equal(back.stored_count, SK_RECEIPT_LIST_MAX);
    assert_int_equal(back.wanted.count, SK_RECEIPT_LIST_MAX);
    for (unsigned kind = 0; kind < SK_REMARK_KINDS; kind++)
        assert_int_equal(back.remark_counts[kind], SK_RECEIPT_LIST_MAX);

    /* One more of the last kind. */
    EXPECT_OK(sk_buf_add_text(&text, "notice w\n", &sk_test_err));
    refused(sk_buf_text(&text));
}

static void longer_lists_are_refused(void **state)
{
    (void)state;
    for (int stored = 0; stored < 2; stored++) {
        sk_auto_buf text = SK_BUF_INIT;
        EXPECT_OK(sk_buf_add_text(&text, HEAD, &sk_test_err));
        for (unsigned i = 0; i <= SK_RECEIPT_LIST_MAX; i++) {
            if (i == SK_RECEIPT_LIST_MAX)
                assert_true(accepted(sk_buf_text(&text), text.len));
            EXPECT_OK(sk_buf_printf(&text, &sk_test_err, "%s %u %u%s\n",
                                    stored ? "stored" : "wanted", 4 * i, 4 * i + 1,
                                    stored ? " " ROOT : ""));
        }
        refused(sk_buf_text(&text));
    }
}

/* Reasons name what a hostile record holds, and there may be a lot of them. */
static void words_are_made_safe_and_bounded(void **state)
{
    sk_auto_receipt r = {.number = 1};
    sk_auto_buf text = SK_BUF_INIT;
    char words[60001];
    (void)state;
    memset(words, '\x1b', sizeof(words) - 1);
    words[sizeof(words) - 1] = '\0';
    EXPECT_OK(sk_receipt_add_remark(&r, SK_REMARK_NOTICE, NULL, "a\nnotice b\xff", &sk_test_err));
    assert_string_equal(sk_buf_text(&r.remarks), "notice a<U+000A>notice b<0xff>\n");
    for (unsigned i = 0; i < 20; i++)
        EXPECT_OK(sk_receipt_add_remark(&r, SK_REMARK_NOTICE, NULL, words, &sk_test_err));
    assert_int_equal(r.remark_counts[SK_REMARK_NOTICE], 2);
    EXPECT_OK(sk_receipt_format(&text, &r, &sk_test_err));
    assert_in_range(text.len, 400000, SK_RECEIPT_MAX);
    assert_true(accepted(sk_buf_text(&text), text.len));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_comes_back_as_it_was),
        cmocka_unit_test(the_first_receipt_says_nothing),
        cmocka_unit_test(there_is_one_way_to_say_it),
        cmocka_unit_test(the_head_has_one_form),
        cmocka_unit_test(every_byte_counts),
        cmocka_unit_test(next_keys_have_one_form),
        cmocka_unit_test(lists_are_cut_at_their_limit),
        cmocka_unit_test(longer_lists_are_refused),
        cmocka_unit_test(words_are_made_safe_and_bounded),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}

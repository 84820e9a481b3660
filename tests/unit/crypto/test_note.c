/*
 * Goal of this test: notes, checkpoints and cosignatures are those of the public implementations;
 * hostile notes are refused; a signature holds for its text, name and key alone.
 */
#include "crypto/note.h"
#include "crypto/secret.h"
#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define DASH     "\xe2\x80\x94 "
#define NOTE_MAX 65536

static const uint8_t seed[SK_SIGN_SEED_LEN] = {1, 2, 3};
static uint8_t public_key[SK_SIGN_PUBLIC_LEN];
static char note[NOTE_MAX];

/* A verifier's or signer's key: the type's byte and 32 bytes. */
static void read_key(const struct sk_vectors *v, const char *name, uint8_t type, uint8_t *out)
{
    uint8_t bytes[33];
    assert_int_equal(sk_vectors_base64(v, name, bytes, sizeof(bytes)), sizeof(bytes));
    assert_int_equal(bytes[0], type);
    memcpy(out, bytes + 1, 32);
}

static void notes_match_the_public_ones(void **state)
{
    (void)state;
    struct sk_vectors *v = sk_vectors_open("vectors/crypto/note.txt");
    while (sk_vectors_next(v)) {
        uint8_t key[32], its_seed[32];
        char line[SK_NOTE_LINE_MAX];
        const char *name = sk_vectors_text(v, "name"), *text = sk_vectors_text(v, "text");
        const char *want = sk_vectors_text(v, "line");
        size_t text_len = 0;
        read_key(v, "key", 0x01, key);
        snprintf(note, sizeof(note), "%s\n%s", text, want);
        assert_int_equal(sk_note_verify(note, strlen(note), name, key, &text_len), SK_OK);
        assert_int_equal(text_len, strlen(text));
        if (!sk_vectors_has(v, "seed_key"))
            continue;
        read_key(v, "seed_key", 0x01, its_seed);
        assert_int_equal(sk_note_sign(line, text, strlen(text), name, its_seed), SK_OK);
        assert_string_equal(line, want);
    }
}

static void a_public_checkpoint_and_its_witness_verify(void **state)
{
    (void)state;
    struct sk_vectors *v = sk_vectors_open("vectors/crypto/cosignature.txt");
    while (sk_vectors_next(v)) {
        const char *its_note = sk_vectors_text(v, "note");
        const char *log = sk_vectors_text(v, "log_name");
        const char *witness = sk_vectors_text(v, "witness_name");
        uint8_t log_key[32], witness_key[32];
        struct sk_checkpoint checkpoint;
        char text[SK_CHECKPOINT_TEXT_MAX], root[SK_BASE64_HASH_LEN + 1];
        size_t text_len = 0;
        uint64_t time_s = 0;
        read_key(v, "log_key", 0x01, log_key);
        read_key(v, "witness_key", 0x04, witness_key);
        assert_int_equal(sk_note_verify(its_note, strlen(its_note), log, log_key, &text_len),
                         SK_OK);
        assert_int_equal(
            sk_note_verify_cosignature(its_note, strlen(its_note), witness, witness_key, &time_s),
            SK_OK);
        assert_int_equal(time_s, 0x6a122120);
        assert_int_equal(sk_checkpoint_parse(&checkpoint, its_note, text_len), SK_OK);
        assert_string_equal(checkpoint.origin, log);
        assert_int_equal(checkpoint.size, sk_vectors_number(v, "size"));
        sk_base64_hash(root, checkpoint.root);
        assert_string_equal(root, sk_vectors_text(v, "root"));
        assert_int_equal(sk_checkpoint_format(text, &checkpoint), SK_OK);
        assert_int_equal(strlen(text), text_len);
        assert_memory_equal(text, its_note, text_len);
        /* A cosignature is no signature, and the other way round. */
        assert_int_equal(
            sk_note_verify(its_note, strlen(its_note), witness, witness_key, &text_len),
            SK_DAMAGED);
        assert_int_equal(
            sk_note_verify_cosignature(its_note, strlen(its_note), log, log_key, &time_s),
            SK_DAMAGED);
    }
}

/* Appends our signature line over the first text_len bytes of `note`. */
static void sign_note(size_t text_len, const char *name)
{
    char line[SK_NOTE_LINE_MAX];
    assert_int_equal(sk_note_sign(line, note, text_len, name, seed), SK_OK);
    snprintf(note + text_len, sizeof(note) - text_len, "\n%s", line);
}

static enum sk_status verify(const char *bytes, size_t len)
{
    size_t text_len = 99;
    enum sk_status status = sk_note_verify(bytes, len, "me", public_key, &text_len);
    if (status)
        assert_int_equal(text_len, 99);
    return status;
}

/* Our signature over `text`, with `lines` put before or after it. */
static enum sk_status verify_with(const char *text, const char *before, const char *after)
{
    char line[SK_NOTE_LINE_MAX];
    assert_int_equal(sk_note_sign(line, text, strlen(text), "me", seed), SK_OK);
    int len = snprintf(note, sizeof(note), "%s\n%s%s%s", text, before, line, after);
    assert_in_range(len, 1, sizeof(note) - 1);
    return verify(note, (size_t)len);
}

static void flipped_bits_are_refused(void **state)
{
    (void)state;
    snprintf(note, sizeof(note), "a line\nanother line\n");
    sign_note(strlen(note), "me");
    size_t len = strlen(note);
    assert_int_equal(verify(note, len), SK_OK);
    for (size_t bit = 0; bit < 8 * len; bit++) {
        note[bit / 8] = (char)((unsigned char)note[bit / 8] ^ (1u << bit % 8));
        assert_int_equal(verify(note, len), SK_DAMAGED);
        note[bit / 8] = (char)((unsigned char)note[bit / 8] ^ (1u << bit % 8));
    }
    for (size_t cut = 0; cut < len; cut++)
        assert_int_equal(verify(note, cut), SK_DAMAGED);
}

static void others_signatures_are_passed_over(void **state)
{
    (void)state;
    static char longest[20000];
    memset(longest, 'A', sizeof(longest));
    memcpy(longest, DASH "other ", 10);
    memcpy(longest + sizeof(longest) - 7, "\n", 2);

    assert_int_equal(verify_with("text\n", "", ""), SK_OK);
    assert_int_equal(verify_with("text\n", DASH "other AAAAAAA=\n", ""), SK_OK);
    assert_int_equal(verify_with("text\n", "", DASH "other AAAAAAA=\n"), SK_OK);
    assert_int_equal(verify_with("text\n", DASH "me AAAAAAA=\n", ""), SK_OK);
    /* 19,983 characters cannot be base64; 19,980 can. */
    assert_int_equal(verify_with("text\n", longest, ""), SK_DAMAGED);
    memcpy(longest + 10 + 19980, "\n", 2);
    assert_int_equal(verify_with("text\n", longest, ""), SK_OK);
    assert_int_equal(verify_with("text\n\nmore\n\n\n", "", ""), SK_OK);
    assert_int_equal(verify_with("\n", "", ""), SK_OK);
    assert_int_equal(verify_with("тэкст \xf0\x9f\x93\x9d\n", "", ""), SK_OK);
}

static void malformed_lines_are_refused_wherever_they_stand(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "\n",
        "me\n",
        "- other AAAAAAA=\n",
        DASH "\n",
        DASH "other\n",
        DASH "other \n",
        DASH " AAAAAAA=\n",
        DASH "other  AAAAAAA=\n",
        DASH "other AAAAAAA= \n",
        DASH "other AAAAAAA\n",
        DASH "other AAAAAAA==\n",
        DASH "other AAAAAAB=\n",            /* bits that encode nothing */
        DASH "other AAAAAA=A\n",            /* padding inside */
        DASH "other AAAA_AA=\n",            /* of another alphabet */
        DASH "other AAAAAA==\n",            /* a key id and no signature */
        DASH "oth+er AAAAAAA=\n",           /* a name of a wrong form */
        DASH "oth\xc2\xa0r AAAAAAA=\n",     /* no-break space */
        DASH "oth\xe2\x80\xa8r AAAAAAA=\n", /* line separator */
        DASH "oth\xe3\x80\x80r AAAAAAA=\n", /* ideographic space */
        DASH "other AAAAAAA=",              /* no newline at the end */
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        assert_int_equal(verify_with("text\n", "", lines[i]), SK_DAMAGED);
        if (i > 0)
            assert_int_equal(verify_with("text\n", lines[i], ""), SK_DAMAGED);
    }
}

static void padding_between_pieces_is_refused(void **state)
{
    (void)state;
    char line[600] = DASH "other ";
    memset(line + strlen(line), 'A', 512);
    memcpy(line + 10 + 255, "=", 1);
    snprintf(line + 10 + 512, sizeof(line) - 522, "\n");
    assert_int_equal(verify_with("text\n", line, ""), SK_DAMAGED);
    memcpy(line + 10 + 255, "A", 1);
    assert_int_equal(verify_with("text\n", line, ""), SK_OK);
}

static void bad_text_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\x1b[2J",
        "\t",
        "\r",
        "\x01",
        "\x80",
        "\xff",
        "\xc3",
        "\xc0\xaf", /* overlong */
        "\xc1\x81",
        "\xe0\x80\xaf",
        "\xf0\x80\x80\xaf",
        "\xed\xa0\x80",     /* a surrogate */
        "\xf4\x90\x80\x80", /* past the last code point */
        "\xf5\x80\x80\x80",
        "\xe2\x80",
        "\xf0\x9f\x93",
        "\xe2z\x80",
    };
    char line[SK_NOTE_LINE_MAX], text[32];
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(text, sizeof(text), "text%s\n", bad[i]);
        memset(line, 'x', sizeof(line));
        assert_int_equal(sk_note_sign(line, text, strlen(text), "me", seed), SK_USAGE);
        assert_int_equal(line[0], 'x');
        snprintf(note, sizeof(note), "%s\n" DASH "other AAAAAAA=\n", text);
        assert_int_equal(verify(note, strlen(note)), SK_DAMAGED);
    }
    assert_int_equal(sk_note_sign(line, "text\0\n", 6, "me", seed), SK_USAGE);
    assert_int_equal(sk_note_sign(line, "no newline", 10, "me", seed), SK_USAGE);
    assert_int_equal(sk_note_sign(line, "", 0, "me", seed), SK_USAGE);
}

static void bad_names_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "a b", "a+b", "a\nb", "a\tb", "a\xc2\x85", "\xff"};
    char line[SK_NOTE_LINE_MAX], name[SK_NOTE_NAME_MAX + 1];
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(sk_note_sign(line, "text\n", 5, bad[i], seed), SK_USAGE);
    memset(name, 'n', sizeof(name));
    name[SK_NOTE_NAME_MAX] = '\0';
    assert_int_equal(sk_note_sign(line, "text\n", 5, name, seed), SK_USAGE);
    name[SK_NOTE_NAME_MAX - 1] = '\0';
    assert_int_equal(sk_note_sign(line, "text\n", 5, name, seed), SK_OK);
    size_t text_len = 0;
    snprintf(note, sizeof(note), "text\n\n%s", line);
    assert_int_equal(sk_note_verify(note, strlen(note), name, public_key, &text_len), SK_OK);
}

static void at_most_a_hundred_signatures_are_read(void **state)
{
    (void)state;
    static char lines[100 * 32];
    size_t len = 0;
    for (int i = 0; i < 99; i++)
        len += (size_t)snprintf(lines + len, sizeof(lines) - len, DASH "o%d AAAAAAA=\n", i);
    assert_int_equal(verify_with("text\n", lines, ""), SK_OK);
    assert_int_equal(verify_with("text\n", lines, DASH "other AAAAAAA=\n"), SK_DAMAGED);
}

static void a_wrong_signature_beside_a_right_one_is_refused(void **state)
{
    (void)state;
    char wrong[SK_NOTE_LINE_MAX], right[SK_NOTE_LINE_MAX];
    assert_int_equal(sk_note_sign(wrong, "txet\n", 5, "me", seed), SK_OK);
    assert_int_equal(sk_note_sign(right, "text\n", 5, "me", seed), SK_OK);
    assert_int_equal(verify_with("text\n", wrong, ""), SK_DAMAGED);
    assert_int_equal(verify_with("text\n", "", wrong), SK_DAMAGED);
    assert_int_equal(verify_with("text\n", right, ""), SK_OK);
}

static void another_name_or_key_does_not_verify(void **state)
{
    (void)state;
    size_t text_len = 0;
    uint8_t other_key[SK_SIGN_PUBLIC_LEN], other_seed[SK_SIGN_SEED_LEN] = {8};
    sk_sign_public(other_key, other_seed);
    snprintf(note, sizeof(note), "text\n");
    sign_note(5, "me");
    assert_int_equal(sk_note_verify(note, strlen(note), "you", public_key, &text_len), SK_DAMAGED);
    assert_int_equal(sk_note_verify(note, strlen(note), "me", other_key, &text_len), SK_DAMAGED);
}

/* A line with our name and key id whose signature has a length that no signature has. */
static void signatures_of_a_wrong_length_are_refused(void **state)
{
    (void)state;
    char line[SK_NOTE_LINE_MAX], cut[SK_NOTE_LINE_MAX + 8];
    assert_int_equal(sk_note_sign(line, "text\n", 5, "me", seed), SK_OK);
    size_t id = strlen(DASH "me ");
    snprintf(cut, sizeof(cut), "%.*s\n", (int)(id + 8), line);
    assert_int_equal(verify_with("text\n", cut, ""), SK_DAMAGED);
    snprintf(cut, sizeof(cut), "%.*sAAAA%s", (int)(id + 8), line, line + id + 8);
    assert_int_equal(verify_with("text\n", cut, ""), SK_DAMAGED);
}

#define CHECKPOINT "example.org/log\n42\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"

static void cosignatures_carry_their_time(void **state)
{
    (void)state;
    char line[SK_NOTE_LINE_MAX], later[SK_NOTE_LINE_MAX];
    uint64_t time_s = 0;
    size_t len = strlen(CHECKPOINT);

    assert_int_equal(sk_note_cosign(line, CHECKPOINT, len, "me", 1700000000, seed), SK_OK);
    assert_int_equal(sk_note_cosign(later, CHECKPOINT, len, "me", INT64_MAX, seed), SK_OK);
    snprintf(note, sizeof(note), "%s\n%s%s", CHECKPOINT, line, later);
    assert_int_equal(sk_note_verify_cosignature(note, strlen(note), "me", public_key, &time_s),
                     SK_OK);
    assert_int_equal(time_s, 1700000000);
    snprintf(note, sizeof(note), "%s\n%s", CHECKPOINT, later);
    assert_int_equal(sk_note_verify_cosignature(note, strlen(note), "me", public_key, &time_s),
                     SK_OK);
    assert_int_equal(time_s, INT64_MAX);

    size_t note_len = strlen(note);
    for (size_t bit = 0; bit < 8 * note_len; bit++) {
        time_s = 7;
        note[bit / 8] = (char)((unsigned char)note[bit / 8] ^ (1u << bit % 8));
        assert_int_equal(sk_note_verify_cosignature(note, note_len, "me", public_key, &time_s),
                         SK_DAMAGED);
        assert_int_equal(time_s, 7);
        note[bit / 8] = (char)((unsigned char)note[bit / 8] ^ (1u << bit % 8));
    }
}

static void only_checkpoints_are_cosigned(void **state)
{
    (void)state;
    char line[SK_NOTE_LINE_MAX];
    size_t len = strlen(CHECKPOINT);
    assert_int_equal(sk_note_cosign(line, "text\n", 5, "me", 1, seed), SK_USAGE);
    assert_int_equal(sk_note_cosign(line, CHECKPOINT, len - 1, "me", 1, seed), SK_USAGE);
    assert_int_equal(sk_note_cosign(line, CHECKPOINT, len, "m e", 1, seed), SK_USAGE);
    assert_int_equal(sk_note_cosign(line, CHECKPOINT, len, "me", 1ull << 63, seed), SK_USAGE);
}

/* A text too long to be a checkpoint must not reach the buffer of a cosignature's message. */
static void a_cosignature_over_a_long_text_is_refused(void **state)
{
    (void)state;
    char line[SK_NOTE_LINE_MAX];
    uint64_t time_s = 7;
    assert_int_equal(sk_note_cosign(line, CHECKPOINT, strlen(CHECKPOINT), "me", 1, seed), SK_OK);
    memset(note, 'x', 1000);
    snprintf(note + 1000, sizeof(note) - 1000, "\n\n%s", line);
    assert_int_equal(sk_note_verify_cosignature(note, strlen(note), "me", public_key, &time_s),
                     SK_DAMAGED);
    assert_int_equal(time_s, 7);
}

static void checkpoints_of_a_wrong_form_are_refused(void **state)
{
    (void)state;
#define ROOT "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    static const char *const bad[] = {
        "",
        "o\n",
        "o\n1\n",
        "o\n1\n" ROOT,
        "o\n1\n" ROOT "\nmore\n",
        "o\n1\n" ROOT "\n\n",
        "\n1\n" ROOT "\n",
        "o\x1b\n1\n" ROOT "\n",
        "o\xff\n1\n" ROOT "\n",
        "o\n\n" ROOT "\n",
        "o\n01\n" ROOT "\n",
        "o\n00\n" ROOT "\n",
        "o\n+1\n" ROOT "\n",
        "o\n-1\n" ROOT "\n",
        "o\n 1\n" ROOT "\n",
        "o\n1 \n" ROOT "\n",
        "o\n0x1\n" ROOT "\n",
        "o\n18446744073709551616\n" ROOT "\n",
        "o\n99999999999999999999\n" ROOT "\n",
        "o\n1\n\n",
        "o\n1\nAAAA\n",
        "o\n1\n" ROOT "=\n",
        "o\n1\n" ROOT "AAAA\n",
        "o\n1\nAAAA" ROOT "\n",
        "o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n",
        "o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
    };
    struct sk_checkpoint out, before;
    memset(&out, 0x77, sizeof(out));
    before = out;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(sk_checkpoint_parse(&out, bad[i], strlen(bad[i])), SK_DAMAGED);
    assert_int_equal(sk_checkpoint_parse(&out, "o\0\n1\n" ROOT "\n", 50), SK_DAMAGED);
    assert_memory_equal(&out, &before, sizeof(out));
}

static void checkpoints_of_every_size_come_back(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {0, 1, 9, 10, 11, 1000000, UINT64_MAX - 1, UINT64_MAX};
    char text[SK_CHECKPOINT_TEXT_MAX];
    struct sk_checkpoint in = {.origin = ""}, out;

    memset(in.origin, 'o', SK_NOTE_NAME_MAX - 1);
    randombytes_buf(in.root, sizeof(in.root));
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        in.size = sizes[i];
        assert_int_equal(sk_checkpoint_format(text, &in), SK_OK);
        assert_int_equal(sk_checkpoint_parse(&out, text, strlen(text)), SK_OK);
        assert_memory_equal(&out, &in, sizeof(in));
    }
    memset(in.origin, 'o', SK_NOTE_NAME_MAX);
    assert_int_equal(sk_checkpoint_format(text, &in), SK_USAGE);
    memset(in.origin, 0, SK_NOTE_NAME_MAX);
    assert_int_equal(sk_checkpoint_format(text, &in), SK_USAGE);
    snprintf(in.origin, sizeof(in.origin), "a\nb");
    assert_int_equal(sk_checkpoint_format(text, &in), SK_USAGE);
}

static int setup(void **state)
{
    (void)state;
    if (sk_crypto_init())
        return -1;
    sk_sign_public(public_key, seed);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notes_match_the_public_ones),
        cmocka_unit_test(a_public_checkpoint_and_its_witness_verify),
        cmocka_unit_test(flipped_bits_are_refused),
        cmocka_unit_test(others_signatures_are_passed_over),
        cmocka_unit_test(malformed_lines_are_refused_wherever_they_stand),
        cmocka_unit_test(padding_between_pieces_is_refused),
        cmocka_unit_test(bad_text_is_refused),
        cmocka_unit_test(bad_names_are_refused),
        cmocka_unit_test(at_most_a_hundred_signatures_are_read),
        cmocka_unit_test(a_wrong_signature_beside_a_right_one_is_refused),
        cmocka_unit_test(another_name_or_key_does_not_verify),
        cmocka_unit_test(signatures_of_a_wrong_length_are_refused),
        cmocka_unit_test(cosignatures_carry_their_time),
        cmocka_unit_test(only_checkpoints_are_cosigned),
        cmocka_unit_test(a_cosignature_over_a_long_text_is_refused),
        cmocka_unit_test(checkpoints_of_a_wrong_form_are_refused),
        cmocka_unit_test(checkpoints_of_every_size_come_back),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}

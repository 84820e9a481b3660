/* The archive's program: its commands. */
#include "cli/rows.h"
#include "sync/worker.h"

static const struct sk_option checkpoint_options[] = {
    {"--since", "SIZE", "as a witness takes it: with the proof from an earlier size"},
    {NULL, NULL, NULL},
};

static const struct sk_option sandbox_options[] = {
    {"--without-sandbox", NULL,
     "take bundles apart in this process: a hostile one can then have the whole archive"},
    {NULL, NULL, NULL},
};

static const struct sk_option import_options[] = {
    {"--salvage", NULL, "of a damaged bundle, keep what verifies"},
    {"--without-sandbox", NULL,
     "take bundles apart in this process: a hostile one can then have the whole archive"},
    {NULL, NULL, NULL},
};

static const struct sk_option init_options[] = {
    {"--name", "NAME", "what the archive is called in invites and receipts"},
    {"--insecure-test-kdf", NULL, "unlock fast: for tests alone"},
    {NULL, NULL, NULL},
};

static const struct sk_option renew_options[] = {
    {"--look", NULL, "change nothing: tell the safety number, and who has not taken the keys"},
    {"--forget", NULL, "erase the old keys, once every device has taken the next ones"},
    {"--leave-devices-behind", NULL,
     "with --forget: those that have not taken them need a new store and a new invite"},
    {NULL, NULL, NULL},
};

static const struct sk_option revoke_options[] = {
    {"--from", "POSITION", "from this position of its log on; else from the end of what is held"},
    {NULL, NULL, NULL},
};

#define DEVICES   "Devices"
#define RECEIVING "Receiving"
#define KEEPING   SK_KEEPING("archive")

static const struct sk_command commands[] = {
    {
        .name = "approve",
        .run = sk_cmd_approve,
        .check = sk_check_sandbox,
        .group = DEVICES,
        .needs = SK_NEEDS_CHANGES,
        .min_args = 1,
        .max_args = 1,
        .args = "DEVICE",
        .summary = "Accept a device that waits, and import what it sent.",
        .options = sandbox_options,
        .details = "DEVICE is an alias, the beginning of a log id (8 digits or more), or a safety "
                   "number in quotes; 'devices' shows them. Compare the safety number with the "
                   "device's owner first.",
        .examples = "approve birch",
    },
    {
        .name = "checkpoint",
        .run = sk_cmd_checkpoint,
        .check = sk_check_checkpoint,
        .group = KEEPING,
        .needs = SK_NEEDS_STORE,
        .min_args = 0,
        .max_args = 1,
        .args = "[DEVICE]",
        .summary = "Print the newest signed head of a device's log, or of all.",
        .options = checkpoint_options,
        .examples = "checkpoint birch\ncheckpoint birch --since 120",
    },
    {
        .name = "devices",
        .run = sk_cmd_devices,
        .group = DEVICES,
        .needs = SK_NEEDS_STORE,
        .min_args = 0,
        .max_args = 0,
        .args = "",
        .summary = "List devices: invited, enrolled, waiting, frozen.",
        .examples = "devices",
    },
    SK_ROW_EXTRACT,
    {
        .name = "forms",
        .run = sk_cmd_forms,
        .check = sk_check_forms,
        .group = DEVICES,
        .needs = SK_NEEDS_STORE,
        .min_args = 0,
        .max_args = 2,
        .args = "[list | show NAME | add FILE | stop NAME]",
        .summary = "Offer forms to devices, list them, or stop.",
        .details =
            "A form is JSON: its name as form, the type of record that it makes, a version, a "
            "label, and fields. Each receipt carries all forms that are offered; a device "
            "records under them from then on. A form of the same name needs a higher "
            "version. 'forms stop' takes one out of later receipts.",
        .examples = "forms add detention.json\nforms stop detention",
    },
    SK_ROW_HISTORY("ID[@DEVICE]"),
    {
        .name = "import",
        .run = sk_cmd_import,
        .check = sk_check_sandbox,
        .group = RECEIVING,
        .needs = SK_NEEDS_CHANGES,
        .min_args = 1,
        .max_args = SK_ARGS_ANY,
        .args = "FILE ...",
        .summary = "Verify bundles and take them in, each whole or not at all.",
        .options = import_options,
        .details =
            "Goes on after a file that fails and ends with the worst exit code. A bundle of "
            "a further device under one invite waits in quarantine, which is no failure. A bundle "
            "is taken "
            "apart by a process of its own in a sandbox, which has no key but that bundle's; "
            "where there can be no sandbox, nothing is imported.\n\n"
            "With --salvage a bundle that is damaged or cut off is not lost as a whole: every text "
            "and attachment in it that verifies is kept, the next receipt asks for the others, "
            "and "
            "an intact copy can still be imported. The exit code is 65 all the same.",
        .examples = "import /media/stick/notes\n--json import bundles/*",
    },
    {
        .name = "init",
        .run = sk_cmd_init,
        .group = KEEPING,
        .needs = SK_NEEDS_NOTHING,
        .min_args = 0,
        .max_args = 0,
        .args = "--name NAME",
        .summary = "Make an archive.",
        .options = init_options,
        .details = "On a terminal a passphrase of six words is proposed. Prints the archive's "
                   "safety number.",
        .examples = "init --name \"Documentation centre\"",
    },
    {
        .name = "invite",
        .run = sk_cmd_invite,
        .group = DEVICES,
        .needs = SK_NEEDS_CHANGES,
        .min_args = 2,
        .max_args = 2,
        .args = "ALIAS FILE",
        .summary = "Write an invite for one device.",
        .details = "Prints the eight code words that open it. They are shown once.",
        .examples = "invite birch letter",
    },
    SK_ROW_LIST,
    SK_ROW_PASSPHRASE("archive"),
    {
        .name = "quarantine",
        .run = sk_cmd_quarantine,
        .group = RECEIVING,
        .needs = SK_NEEDS_STORE,
        .min_args = 0,
        .max_args = 0,
        .args = "",
        .summary = "List bundles and entries that were put aside, and why.",
        .examples = "quarantine",
    },
    {
        .name = "receipt",
        .run = sk_cmd_receipt,
        .group = RECEIVING,
        .needs = SK_NEEDS_CHANGES,
        .min_args = 2,
        .max_args = 2,
        .args = "DEVICE FILE",
        .summary = "Write the signed answer that tells a device what arrived.",
        .details = "Prints the 30-digit code with which a courier checks the file.",
        .examples = "receipt birch /media/stick/answer",
    },
    SK_ROW_REKEY("archive"),
    {
        .name = "renew",
        .run = sk_cmd_renew,
        .check = sk_check_renew,
        .group = KEEPING,
        .needs = SK_NEEDS_STORE,
        .min_args = 0,
        .max_args = 0,
        .args = "[--look | --forget [--leave-devices-behind]]",
        .summary = "Make the next keys for bundles and receipts; later erase the old ones.",
        .options = renew_options,
        .details =
            "Prints the safety number of the newest keys, to be compared with each device's owner "
            "by voice. Receipts carry the keys; a device seals what it sends to them from then "
            "on, and both kinds of bundle are opened until --forget. For instance when a copy of "
            "the archive, or its passphrase, was lost: after 'passphrase' and 'rekey'.",
        .examples = "renew\nrenew --look\nrenew --forget",
    },
    {
        .name = "revoke",
        .run = sk_cmd_revoke,
        .check = sk_check_revoke,
        .group = DEVICES,
        .needs = SK_NEEDS_CHANGES,
        .min_args = 1,
        .max_args = 1,
        .args = "DEVICE",
        .summary = "Take nothing of a device's log for its word from now on.",
        .options = revoke_options,
        .details =
            "For a laptop that was seized or lost. What its log sends from there on goes to "
            "quarantine, what came before is kept and marked, the next receipt tells the device. "
            "It is never taken back, nor made to begin later. A log that continues it is not "
            "revoked with it, and loses nothing by what the revoked part withdraws.",
        .examples = "revoke birch\nrevoke birch --from 120",
    },
    SK_ROW_SEARCH,
    SK_ROW_SHOW("ID[@DEVICE]"),
    SK_ROW_SLOT("archive"),
    SK_ROW_VERIFY("archive"),
    {
        .name = "watch",
        .run = sk_cmd_watch,
        .check = sk_check_watch,
        .group = RECEIVING,
        .needs = SK_NEEDS_NOTHING,
        .min_args = 1,
        .max_args = 1,
        .args = "DIR",
        .summary = "Import the bundles that appear in a folder, until it is stopped.",
        .options = sandbox_options,
        .details =
            "Imports what is in the folder and what comes, when it has stopped growing; nothing "
            "there is changed, moved or removed. The passphrase is asked for once and kept in "
            "memory; the archive is open only while bundles are taken in. Ctrl-C ends it. With "
            "--json: one object a line.",
        .examples = "watch /srv/arrived\n--json watch /media/stick",
    },
};

static const struct sk_program program = {
    .name = "skrynia-receiver",
    .summary = "Takes bundles into an encrypted archive, and answers with receipts.",
    .dir_option = "--archive",
    .dir_default = "skrynia-archive",
    .kind = SK_STORE_ARCHIVE,
    .commands = commands,
    .command_count = sizeof(commands) / sizeof(commands[0]),
};

int main(int argc, char **argv)
{
    if (sk_worker_called(argc, argv))
        return sk_worker_main();
    return sk_program_main(&program, argc, argv);
}

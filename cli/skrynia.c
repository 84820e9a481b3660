/* The documenter's program: its commands. */
#include "cli/rows.h"

static const struct sk_option add_options[] = {
    {"--from", "FILE", "take JSON records from FILE, or from standard input for -"},
    {NULL, NULL, NULL},
};

static const struct sk_option edit_options[] = {
    {"--from", "FILE", "take changed fields from a JSON object in FILE, or - ; null takes one out"},
    {NULL, NULL, NULL},
};

static const struct sk_option export_options[] = {
    {"--all", NULL, "send everything again, for instance after a loss"},
    {"--since", "POSITION", "send again from this position of the log"},
    {"--small", NULL, "make a smaller file, for several times the time"},
    {NULL, NULL, NULL},
};

static const struct sk_option init_options[] = {
    {"--invite", "FILE", "the archive's invite"},
    {"--code-fd", "M", "read the invite's eight code words, one line, from descriptor M"},
    {"--insecure-test-kdf", NULL, "unlock fast: for tests alone"},
    {NULL, NULL, NULL},
};

static const struct sk_option purge_options[] = {
    {"--all", NULL, "everything that every archive has"},
    {NULL, NULL, NULL},
};

static const struct sk_option receive_options[] = {
    {"--code-fd", "M", "read an invite's eight code words, one line, from descriptor M"},
    {NULL, NULL, NULL},
};

static const struct sk_option restore_options[] = {
    {"--invite", "FILE", "an archive's new invite"},
    {"--code-fd", "M", "read the invite's eight code words, one line, from descriptor M"},
    {"--insecure-test-kdf", NULL, "the backup is of a store for tests alone"},
    {NULL, NULL, NULL},
};

#define RECORDING "Recording"
#define CARRYING  "Sending and receiving"
#define KEEPING   SK_KEEPING("store")

static const struct sk_command commands[] = {
    {
        .name = "add",
        .run = sk_cmd_add,
        .check = sk_check_add,
        .group = RECORDING,
        .needs = SK_NEEDS_CHANGES,
        .min_args = 1,
        .max_args = SK_ARGS_ANY,
        .args = "TYPE [FIELD=VALUE ...]",
        .summary = "Record a person, case, event, testimony, source or consent.",
        .options = add_options,
        .details = "On a terminal each field is asked for. Otherwise fields come as FIELD=VALUE, "
                   "or records from --from: one JSON object, an array, or JSON Lines; all are "
                   "saved or none. Prints the id of each record. Instead of a value, ?unknown, "
                   "?refused and ?not asked are answers too; group.field and repeat.0.field reach "
                   "inside.",
        .examples = "add person\nadd testimony --from interview.json\nadd person -h",
        .help = sk_cmd_add_help,
    },
    {
        .name = "attach",
        .run = sk_cmd_attach,
        .group = RECORDING,
        .needs = SK_NEEDS_CHANGES,
        .min_args = 2,
        .max_args = 2,
        .args = "ID FILE",
        .summary = "Keep an encrypted copy of a file with a record.",
        .details = "Prints the attachment's id. The file itself stays where it is.",
        .examples = "attach 3f2a photo.jpg",
    },
    {
        .name = "backup",
        .run = sk_cmd_backup,
        .group = KEEPING,
        .needs = SK_NEEDS_STORE,
        .min_args = 1,
        .max_args = 1,
        .args = "FILE",
        .summary = "Write the whole store to one encrypted file.",
        .details =
            "It opens with what opened the store now (passphrase and key file, or recovery "
            "words), also after these were changed or removed, and with nothing else. It is read "
            "back before this ends. The store is verified first: if anything is wrong, this ends "
            "with 65 and what is left is in FILE.damaged.",
        .examples = "backup /media/disk/2026-11",
    },
    {
        .name = "edit",
        .run = sk_cmd_edit,
        .check = sk_check_edit,
        .group = RECORDING,
        .needs = SK_NEEDS_CHANGES,
        .min_args = 1,
        .max_args = SK_ARGS_ANY,
        .args = "ID [FIELD=VALUE ...]",
        .summary = "Change a record; the earlier revisions are kept.",
        .options = edit_options,
        .details = "On a terminal each field is asked for, with what it holds. An empty VALUE "
                   "takes the field out.",
        .examples = "edit 3f2a\nedit 3f2a --from changes.json",
    },
    {
        .name = "export",
        .run = sk_cmd_export,
        .check = sk_check_export,
        .group = CARRYING,
        .needs = SK_NEEDS_CHANGES,
        .min_args = 1,
        .max_args = 1,
        .args = "FILE",
        .summary = "Write what has not been sent yet to an encrypted bundle.",
        .options = export_options,
        .details = "Prints the 30-digit code with which a courier checks the file. When nothing is "
                   "new, no file is written.",
        .examples = "export /media/stick/notes\nexport --all /media/stick/notes",
    },
    SK_ROW_EXTRACT,
    {
        .name = "forms",
        .run = sk_cmd_forms,
        .check = sk_check_forms,
        .group = RECORDING,
        .needs = SK_NEEDS_STORE,
        .min_args = 0,
        .max_args = 2,
        .args = "[list | show NAME]",
        .summary = "List what can be recorded, and the fields of a form.",
        .details =
            "Beside the built-in types there are forms that came with receipts of an archive. 'add "
            "NAME' records under one as under a type. An archive that has stopped offering "
            "a form takes it out of this list; records under it stay, and can be edited.",
        .examples = "forms\nforms show detention",
    },
    SK_ROW_HISTORY("ID"),
    {
        .name = "init",
        .run = sk_cmd_init,
        .group = KEEPING,
        .needs = SK_NEEDS_NOTHING,
        .min_args = 0,
        .max_args = 0,
        .args = "",
        .summary = "Make a store.",
        .options = init_options,
        .details = "On a terminal a passphrase of six words is proposed. Prints the store's safety "
                   "number.",
        .examples = "init\ninit --invite letter",
    },
    {
        .name = "link",
        .run = sk_cmd_link,
        .group = RECORDING,
        .needs = SK_NEEDS_CHANGES,
        .min_args = 3,
        .max_args = 3,
        .args = "ID ROLE ID",
        .summary = "Link one record to another.",
        .details = "ROLE is a word such as victim-of, accused-in, testifies-about, evidence-for, "
                   "same-as. Prints the link's id, with which 'withdraw' takes it back.",
        .examples = "link 3f2a accused-in 77b1",
    },
    SK_ROW_LIST,
    SK_ROW_PASSPHRASE("store"),
    {
        .name = "purge",
        .run = sk_cmd_purge,
        .check = sk_check_purge,
        .group = KEEPING,
        .needs = SK_NEEDS_CHANGES,
        .min_args = 0,
        .max_args = SK_ARGS_ANY,
        .args = "ID ... | --all",
        .summary = "Remove here what the receipts of every archive cover.",
        .options = purge_options,
        .details =
            "Removes text, attached files, titles and search words; the log and its entries stay, "
            "and what was purged can still be withdrawn. With a record go its attachments and "
            "links. What is not known to be in every archive stays. An archive that invites this "
            "store later cannot get what was purged.",
        .examples = "purge 3f2a\npurge --all",
    },
    {
        .name = "receive",
        .run = sk_cmd_receive,
        .group = CARRYING,
        .needs = SK_NEEDS_CHANGES,
        .min_args = 1,
        .max_args = 1,
        .args = "FILE",
        .summary = "Take an archive's receipt, or a further archive's invite.",
        .options = receive_options,
        .examples = "receive /media/stick/answer",
    },
    SK_ROW_REKEY("store"),
    {
        .name = "repair",
        .run = sk_cmd_repair,
        .group = KEEPING,
        .needs = SK_NEEDS_NOTHING,
        .min_args = 1,
        .max_args = 1,
        .args = "NEWDIR",
        .summary = "Save what verifies in a damaged store into a new one.",
        .details =
            "Nothing is changed in the damaged store. The new one has new keys and a new log "
            "that continues the old one; prints its safety number and what is lost. Archives "
            "have to invite it anew.",
        .examples = "--store /media/copy/skrynia repair /media/disk/saved",
    },
    {
        .name = "restore",
        .run = sk_cmd_restore,
        .group = KEEPING,
        .needs = SK_NEEDS_NOTHING,
        .min_args = 1,
        .max_args = 1,
        .args = "BACKUP",
        .summary = "Make a new store from a backup.",
        .options = restore_options,
        .details =
            "It opens with what opened the store when the backup was made, which becomes the "
            "new store's. It has new keys and a new log that continues the old one; prints its "
            "safety number. Archives have to invite it anew.",
        .examples = "restore /media/disk/2026-11\nrestore /media/disk/2026-11 --invite letter",
    },
    SK_ROW_SEARCH,
    SK_ROW_SHOW("ID"),
    SK_ROW_SLOT("store"),
    {
        .name = "status",
        .run = sk_cmd_status,
        .group = CARRYING,
        .needs = SK_NEEDS_STORE,
        .min_args = 0,
        .max_args = 0,
        .args = "",
        .summary = "Show what has arrived, what is on its way and what never left.",
        .examples = "status",
    },
    SK_ROW_VERIFY("store"),
    {
        .name = "withdraw",
        .run = sk_cmd_withdraw,
        .group = RECORDING,
        .needs = SK_NEEDS_CHANGES,
        .min_args = 1,
        .max_args = 1,
        .args = "ID",
        .summary = "Erase a record, attachment or link; the log keeps that it was there.",
        .examples = "withdraw 3f2a",
    },
};

static const struct sk_program program = {
    .name = "skrynia",
    .summary = "Records what happened in an encrypted store, and sends it to archives.",
    .dir_option = "--store",
    .dir_default = "skrynia",
    .kind = SK_STORE_DEVICE,
    .commands = commands,
    .command_count = sizeof(commands) / sizeof(commands[0]),
};

int main(int argc, char **argv)
{
    return sk_program_main(&program, argc, argv);
}

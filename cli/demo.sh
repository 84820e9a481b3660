#!/bin/sh
# Shows the main job from a blank machine on: a documenter records, a courier carries, an archive
# imports, and a receipt goes back. Installs what is missing, builds, and leaves nothing outside the
# two folders it names.
set -eu
cd "$(dirname "$0")/.."
. cli/packages.sh
# shellcheck disable=SC2086 # a list of words
need $build_packages

build=build/demo
echo "Building in $PWD/$build ..."
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DSK_TESTS=OFF >/dev/null
cmake --build "$build" >/dev/null
bin=$PWD/$build/cli

place=$(mktemp -d "${TMPDIR:-/tmp}/skrynia-demo.XXXXXX")
echo "Everything the demonstration makes is in $place"

# Say what a step does, in words for the person who watches.
step() {
    printf '\n== %s\n' "$1"
}

laptop() {
    "$bin/skrynia" --store "$place/laptop/chest" --passphrase-fd 3 "$@" 3<<END
willow kettle orbit maple lantern brick
END
}

archive() {
    "$bin/skrynia-receiver" --archive "$place/office/archive" --passphrase-fd 3 "$@" 3<<END
copper violin meadow thunder basket olive
END
}

mkdir "$place/laptop" "$place/office" "$place/stick"

step "The exile organisation makes an archive and an invite for one device"
archive init --name "Demonstration archive"
words=$(archive invite birch "$place/stick/paper")
echo "The invite is a file; its eight words travel another way: $words"

step "A documenter makes a store with that invite"
laptop init --invite "$place/stick/paper" --code-fd 4 4<<END
$words
END

step "She records a source, a testimony, three persons, a case and an event"
source_id=$(laptop --no-input add source --from - <<END
{"title": "How the figures of a month are made", "kind": "report", "date": "2024-08",
 "language": "en", "notes": "A text that was written for the demonstration."}
END
)
testimony_id=$(laptop --no-input add testimony title="The sister of a librarian" \
    text="Яны спачатку забралі кнігі, а на трэці дзень яе.")
victim_id=$(laptop --no-input add person name="Ганна Прыкладная" notes="Librarian. An invented person.")
sister_id=$(laptop --no-input add person title="The librarian's sister" notes="Asked not to be named.")
judge_id=$(laptop --no-input add person title="The judge" name="Судья Выдуманный")
case_id=$(laptop --no-input add case title="The case against the librarian")
event_id=$(laptop --no-input add event title="Detention of the librarian" start=2024-08-03~ \
    description="The books were taken on the first day.")
laptop link "$victim_id" accused-in "$case_id" >/dev/null
laptop link "$sister_id" testifies-about "$event_id" >/dev/null
laptop link "$judge_id" judge-in "$case_id" >/dev/null
laptop link "$testimony_id" evidence-for "$event_id" >/dev/null
laptop edit "$victim_id" notes="Librarian, 41. An invented person."
echo "The text itself is attached to the source:"
attachment_id=$(laptop attach "$source_id" tests/data/statement.txt)
laptop list

step "She exports a bundle onto a stick; the courier's code travels another way"
code=$(laptop export "$place/stick/photo")
echo "code: $code"
echo "What anybody who takes the stick can tell about the file: $(wc -c <"$place/stick/photo") bytes of noise."
laptop status

step "The courier copies it and checks that it is whole"
mkdir "$place/card"
"$bin/skrynia-courier" copy "$place/stick/photo" "$place/card" >/dev/null
"$bin/skrynia-courier" check --code "$code" "$place/card/photo"

step "The archive imports it"
archive import "$place/card/photo"

step "Importing the same file again changes nothing"
archive import "$place/card/photo"

step "The archive's own list"
archive list

step "One record with its history"
archive show "$victim_id"
archive history "$victim_id"

step "A search in other letters than it was written in: ГАННА"
archive search ГАННА

step "The attachment, byte for byte"
archive extract "$attachment_id" "$place/office/statement.txt"
cmp tests/data/statement.txt "$place/office/statement.txt" && echo "equal"

step "The archive checks everything it holds, and answers with a receipt"
archive verify
archive receipt birch "$place/card/reply" >/dev/null

step "The documenter takes the receipt: now she knows what has arrived"
laptop receive "$place/card/reply"
laptop status

printf '\nDone. Look around in %s, and remove it when you have seen enough:\n    rm -r %s\n' \
    "$place" "$place"

#!/bin/sh
# Goal of this test: the contract of the three programs over one exchange: exit codes, nothing changed
# by what is refused, the shapes of the JSON, and that text from a record never reaches a terminal raw.
set -eu
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT

say() { "$SK_BIN/skrynia" --store "$top/store" --passphrase-fd 3 --no-input "$@" 3<<END; }
a passphrase for tests
END
arc() { "$SK_BIN/skrynia-receiver" --archive "$top/archive" --passphrase-fd 3 --no-input "$@" 3<<END; }
another passphrase
END
fail() { echo "$1" >&2; exit 1; }
# expect CODE COMMAND...: ends with that exit code.
expect() {
    wanted=$1
    shift
    got=0
    "$@" >"$top/out" 2>"$top/err" || got=$?
    [ "$got" -eq "$wanted" ] || { cat "$top/err" >&2; fail "$* ended with $got, not $wanted"; }
}
# json EXPRESSION: holds for the JSON `d` on standard input.
json() { python3 -c 'import json,sys; d=json.load(sys.stdin); assert eval(sys.argv[1]), d' "$1"; }

arc init --name "Archive" --insecure-test-kdf >/dev/null 2>&1
words=$(arc invite birch "$top/invite" 2>/dev/null)
[ "$(echo "$words" | wc -w)" -eq 8 ] || fail "an invite has eight words"
expect 77 say init --insecure-test-kdf --invite "$top/invite" --code-fd 4 4<<END
wrong words wrong words wrong words wrong words
END
[ ! -e "$top/store" ] || fail "a failed init left a store behind"
say init --insecure-test-kdf --invite "$top/invite" --code-fd 4 2>/dev/null >&2 4<<END
$words
END

# Every command answers -h without a store; wrong use is 64.
for program in skrynia skrynia-receiver skrynia-courier; do
    expect 64 "$SK_BIN/$program"
    "$SK_BIN/$program" -h | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p' >"$top/commands"
    while read -r command; do expect 0 "$SK_BIN/$program" "$command" -h; done <"$top/commands"
done
expect 64 say show
expect 64 say export
expect 64 say add
expect 64 say nonsense
expect 64 say add person nofield=x
expect 65 say add person name=
expect 66 say show 00000000000000000000000000000000
expect 66 arc import "$top/nothing"
expect 66 "$SK_BIN/skrynia" --store "$top/none" --passphrase-fd 3 list 3<<END
x
END
before=$(cat "$top/store/data" "$top/store/keys" | cksum)
expect 77 "$SK_BIN/skrynia" --store "$top/store" --passphrase-fd 3 list 3<<END
wrong
END
[ "$before" = "$(cat "$top/store/data" "$top/store/keys" | cksum)" ] || fail "a wrong passphrase changed something"

# Records, and what they look like.
hostile=$(printf 'Ганна \033[31m\342\200\256 end')
id=$(say add person name="$hostile" 2>/dev/null)
other=$(say add case title="The case" 2>/dev/null)
printf '{"title":"One","text":"adyn"}\n{"title":"Two","text":"dva"}\n' >"$top/lines"
[ "$(say add testimony --from "$top/lines" 2>/dev/null | wc -l)" -eq 2 ] || fail "one id a line"
link=$(say link "$id" accused-in "$other" 2>/dev/null)
head -c 300000 /dev/urandom >"$top/photo.jpg"
attachment=$(say attach "$id" "$top/photo.jpg" 2>/dev/null)
say edit "$other" title="The case, again" 2>/dev/null >&2
say list --json 2>/dev/null | json 'len(d) == 4 and set(d[0]) >= {"id","type","title","device","rev"}'
say show "$id" --json 2>/dev/null |
    json 'd["type"] == "person" and d["links"][0]["role"] == "accused-in" and d["attachments"][0]["size"] == 300000'
say history "$other" --json 2>/dev/null | json '[r["rev"] for r in d] == [1, 2]'
say search ГАННА --json 2>/dev/null | json 'len(d) == 1'
say status --json 2>/dev/null | json 'd["size"] == 7 and d["archives"][0]["unexported"] == [[0, 7]]'
say verify --json 2>/dev/null | json 'd == {"ok": True, "problems": []}'
for command in "show $id" "list" "history $id" "search Ганна"; do
    # shellcheck disable=SC2086 # words of a command
    say $command >"$top/shown" 2>&1
    if LC_ALL=C grep -q "$(printf '\033')" "$top/shown" || grep -q "$(printf '\342\200\256')" "$top/shown"; then
        fail "$command lets raw text through"
    fi
done

# The way there and back.
code=$(say export "$top/b1" 2>/dev/null)
expect 73 say export "$top/b1" --all
expect 0 say export "$top/b2"
[ ! -e "$top/b2" ] || fail "an export of nothing wrote a file"
# One in two hundred still looks like some rare format.
nothing=0
for i in 1 2 3 4 5 6 7; do
    say export "$top/again$i" --all >/dev/null 2>&1
    [ "$(file -b "$top/again$i")" != data ] || nothing=$((nothing + 1))
done
[ "$nothing" -ge 6 ] || fail "file(1) sees something in bundles"
expect 0 "$SK_BIN/skrynia-courier" check --code "$code" "$top/b1"
expect 65 "$SK_BIN/skrynia-courier" check --code "11111 11111 11111 11111 11111 11111" "$top/b1"
arc list --json 2>/dev/null >"$top/dump"
python3 - "$top/b1" "$top/bad" <<'END'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[len(data) // 2] ^= 1
open(sys.argv[2], "wb").write(data)
END
expect 65 arc import "$top/bad"
arc list --json 2>/dev/null | cmp - "$top/dump" || fail "a refused bundle changed the archive"
arc import "$top/b1" --json 2>/dev/null | json 'd[0]["new"] == 7 and d[0]["gaps"] == [] and not d[0]["fork"] and d[0]["error"] is None'
arc import "$top/b1" --json 2>/dev/null | json 'd[0]["new"] == 0'
expect 65 arc import "$top/bad"
arc devices --json 2>/dev/null | json 'd[0]["alias"] == "birch" and d[0]["size"] == 7'
arc extract "$attachment" "$top/out.jpg" 2>/dev/null >&2
cmp "$top/photo.jpg" "$top/out.jpg"
arc receipt birch "$top/receipt" >/dev/null 2>&1
say receive "$top/receipt" >/dev/null 2>&1
say status --json 2>/dev/null | json 'd["archives"][0]["acknowledged"] == [[0, 7]]'

# Withdrawal reaches the archive.
say withdraw "$id" >/dev/null 2>&1
say export "$top/b3" >/dev/null 2>&1
arc import "$top/b3" >/dev/null 2>&1
arc search Ганна --json 2>/dev/null | json 'd == []'
expect 65 arc extract "$attachment" "$top/again.jpg"
arc verify --json 2>/dev/null | json 'd["ok"]'
say verify --json 2>/dev/null | json 'd["ok"]'
arc checkpoint birch --since 7 2>/dev/null | grep -q '^old 7$' || fail "no proof from a checkpoint"
[ -n "$link" ]

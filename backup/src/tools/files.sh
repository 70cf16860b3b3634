#!/bin/sh
# Writes the files of Storage that a backup has into a folder, with stock tools alone:
#
#     sh files.sh FOLDER KEYFILE TARGET [SNAPSHOT]
#
# FOLDER is a local copy of the bucket's prefix (the folder that holds v1), KEYFILE an age
# identity, TARGET a folder that is made, with a folder for each bucket; SNAPSHOT a backup's
# name; without it, the newest.
#
# It needs sh, awk, age, zstd and sha256sum. What cannot be written is named, and the exit
# status is 1 then.
set -eu
export LC_ALL=C
umask 077

fail() {
    echo "files.sh: $*" >&2
    exit 1
}

[ $# -eq 3 ] || [ $# -eq 4 ] || fail "usage: files.sh FOLDER KEYFILE TARGET [SNAPSHOT]"
root=$1
key=$2
target=$3
wanted=${4:-}
[ -d "$root/v1/snap" ] || fail "$root holds no v1/snap: it is no copy of a backup's bucket"
[ -r "$key" ] || fail "cannot read $key"
[ ! -e "$target" ] || fail "$target is there already"
for tool in awk age zstd sha256sum; do
    command -v "$tool" >/dev/null || fail "$tool is not installed"
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT PIPE TERM
tab=$(printf '\t')

# The plaintext of a sealed piece, in a file.
open() { # NAME FILE
    start=${1%"${1#??}"}
    path=v1/seg/$epoch/$start/$1.zst.age
    age -d -i "$key" "$root/$path" >"$work/sealed" || fail "cannot decrypt $path with $key"
    zstd -dqcf "$work/sealed" >"$2" || fail "cannot decompress $path"
}

# Names begin with their time, so the last is the newest.
snapshot=$(find "$root/v1/snap" -type f -name "${wanted:-*}.json" | sort | tail -n 1)
[ -n "$snapshot" ] || fail "$root holds no backup ${wanted:-at all}"
echo "files.sh: backup $(basename "$snapshot" .json)" >&2

# A member of what the commit record says of files.
member() { # MEMBER
    awk -v member="\"$1\": \"" '
        /^  "files": \{/ { inside = 1 }
        inside && index($0, member) {
            value = substr($0, index($0, member) + length(member))
            print substr(value, 1, index(value, "\"") - 1)
            exit
        }
    ' "$snapshot"
}
path=$(member path)
[ -n "$path" ] || fail "$(basename "$snapshot" .json) was taken without files"
sum=$(sha256sum <"$root/$path") || fail "cannot read $path"
[ "${sum%% *}" = "$(member sha256)" ] || fail "$path is damaged or was swapped"
zstd -dqcf "$root/$path" >"$work/record" || fail "cannot decompress $path"
grep -q '^  "format": 2,$' "$work/record" || fail "$path is of another version"
epoch=$(awk '/^  "epoch": / { print $2 + 0 }' "$work/record")

# From the listings to a plan: length, offset, pieces, bucket and name of each file. A text is
# written with \\, \t and \n for what would end a field.
awk -F '"' '/^ *"listing": / { print $4 }' "$work/record" >"$work/listings"
: >"$work/plan"
while read -r listing; do
    open "$listing" "$work/listing"
    awk -F '\t' '
        function plain(field,    text, at, sign) {
            text = ""
            while ((at = index(field, "\\")) > 0) {
                sign = substr(field, at + 1, 1)
                text = text substr(field, 1, at - 1) (sign == "t" ? "\t" : sign == "n" ? "\n" : sign)
                field = substr(field, at + 2)
            }
            return text field
        }
        $1 == "file" && $9 == "kept" {
            bucket = plain($2)
            name = plain($3)
            odd = bucket "/" name
            if (odd ~ /[\t\n]/ || ("/" odd "/") ~ /\/\.?\.?\//) {
                print "not written: " bucket "/" name >"/dev/stderr"
                print "odd" >odds
                next
            }
            print $11 "\t" $13 "\t" ($14 == "" ? "-" : $14) "\t" bucket "\t" name
        }
        { kind = $1; number = $2 }
        END { if (kind != "end" || number != NR) exit 1 }
    ' odds="$work/odds" "$work/listing" >>"$work/plan" || fail "a listing is cut off"
done <"$work/listings"

mkdir "$target"
opened=
count=0
while IFS=$tab read -r length offset pieces bucket name; do
    file=$target/$bucket/$name
    if ! mkdir -p "$(dirname "$file")" 2>/dev/null || ! true 2>/dev/null >"$file"; then
        echo "not written: $bucket/$name" >&2
        echo odd >"$work/odds"
        continue
    fi
    left=$length
    for piece in $pieces; do
        [ "$piece" != - ] || continue
        if [ "$piece" != "$opened" ]; then
            open "${piece%%:*}" "$work/piece"
            opened=$piece
        fi
        tail -c "+$((offset + 1))" "$work/piece" | head -c "$left" >>"$file"
        left=$((length - $(wc -c <"$file")))
        offset=0
    done
    [ "$left" -eq 0 ] || fail "$bucket/$name is not as long as it was"
    count=$((count + 1))
done <"$work/plan"
echo "$count files are in $target"
[ ! -e "$work/odds" ]

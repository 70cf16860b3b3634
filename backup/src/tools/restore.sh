#!/bin/sh
# Writes the psql script that restores a backup, with stock tools alone:
#
#     sh restore.sh [--strict] FOLDER KEYFILE [SNAPSHOT] | psql -X -1 "$DATABASE_URL"
#
# FOLDER is a local copy of the bucket's prefix (the folder that holds v1),
# KEYFILE an age identity, SNAPSHOT a backup's name; without it, the newest.
# The database has to be empty: a new Supabase project, or a new database.
#
# It needs sh, awk, age, zstd, sha256sum and psql, and restore.sql beside it. Every
# object is held against its hash before a line is written. A script that is cut off
# restores nothing. What the server refuses takes nothing along: the last words are
# "restored, and equal to the backup", or what is missing. With --strict the first
# refusal ends it, and nothing is restored.
set -eu
export LC_ALL=C
umask 077

fail() {
    echo "restore.sh: $*" >&2
    exit 1
}

strict=false
if [ "${1:-}" = --strict ]; then
    strict=true
    shift
fi
[ $# -eq 2 ] || [ $# -eq 3 ] || fail "usage: restore.sh [--strict] FOLDER KEYFILE [SNAPSHOT]"
root=$1
key=$2
wanted=${3:-}
[ -d "$root/v1/snap" ] || fail "$root holds no v1/snap: it is no copy of a backup's bucket"
[ -r "$key" ] || fail "cannot read $key"
conduct=$(dirname "$0")/restore.sql
[ -r "$conduct" ] || fail "cannot read $conduct"
for tool in awk age zstd sha256sum; do
    command -v "$tool" >/dev/null || fail "$tool is not installed"
done

work=$(mktemp -d)
begun=
# psql must not take what is missing for the end: this is no SQL and no row.
finish() {
    status=$?
    rm -rf "$work"
    if [ "$status" -ne 0 ] && [ -n "$begun" ]; then
        printf '\n\\.\nthe script ended early;\n'
    fi
    exit "$status"
}
trap finish EXIT
trap 'exit 1' HUP INT PIPE TERM

# Whether a file is what its hash says.
check() { # FILE SHA256 WHAT
    sum=$(sha256sum <"$1") || fail "cannot read $3"
    [ "${sum%% *}" = "$2" ] || fail "$3 is damaged or was swapped"
}

# Whether lines are whole: the first names the format, the last their number.
check_lines() { # FILE FORMAT WHAT
    awk -F '\t' -v format="$2" '
        NR == 1 { known = $1 == format && $2 == "2" }
        { kind = $1; number = $2 }
        END { exit !(known && kind == "end" && number == NR) }
    ' "$1" || fail "$3 is cut off, or of another version"
}

# A member of the record: "path" or "sha256" of "manifest" or "inventory".
member() { # OBJECT MEMBER
    awk -v object="\"$1\": {" -v member="\"$2\": \"" '
        index($0, object) { inside = 1 }
        inside && index($0, member) {
            value = substr($0, index($0, member) + length(member))
            print substr(value, 1, index(value, "\"") - 1)
            exit
        }
    ' "$record"
}

# The plaintext of a sealed object, in a file: a failure in the middle of a
# pipeline would look like its end.
open() { # PATH FILE
    age -d -i "$key" "$root/$1" >"$work/sealed" || fail "cannot decrypt $1 with $key"
    zstd -dqcf "$work/sealed" >"$2" || fail "cannot decompress $1"
}

# Names begin with their time, so the last is the newest.
record=$(find "$root/v1/snap" -type f -name "${wanted:-*}.json" | sort | tail -n 1)
[ -n "$record" ] || fail "$root holds no backup ${wanted:-at all}"
grep -q '^  "format": 2,$' "$record" || fail "$record is of another version"
echo "restore.sh: backup $(basename "$record" .json)" >&2

inventory=$(member inventory path)
manifest=$(member manifest path)
check "$root/$inventory" "$(member inventory sha256)" "the inventory"
zstd -dqcf "$root/$inventory" >"$work/inventory" || fail "cannot decompress the inventory"
check_lines "$work/inventory" pourtrait-inventory "the inventory"

# Every object the backup rests on has to be there, and be what it was.
awk -F '\t' '
    $1 == "object" && $2 !~ /^v1\/[A-Za-z0-9\/-]+(\.zst)?(\.age)?$/ { exit 1 }
    $1 == "object" { print $4 "  " $2 }
' "$work/inventory" >"$work/sums" || fail "the inventory names a strange path"
# One that was damaged and written anew has another hash, which a note beside it tells.
(cd "$root" && sha256sum -c "$work/sums") >"$work/checked" 2>"$work/warnings" || {
    grep -v ': OK$' "$work/checked" | while IFS= read -r line; do
        object=${line%: FAILED}
        name=$(printf '%s' "$object" | sha256sum)
        sum=$(sha256sum 2>>"$work/warnings" <"$root/$object") || sum=none
        [ -f "$root/v1/mended/${name%% *}/${sum%% *}.json" ] || echo "$line"
    done >"$work/damaged"
    [ ! -s "$work/damaged" ] || {
        cat "$work/damaged" >&2
        fail "objects are missing or damaged"
    }
    grep -q FAILED "$work/checked" || fail "the objects cannot be checked"
}
check "$root/$manifest" "$(member manifest sha256)" "the manifest"
open "$manifest" "$work/manifest"
check_lines "$work/manifest" pourtrait-manifest "the manifest"

# From the manifest to a plan, line by line: a text of ours, rows of the backup, or the
# objects in a script of the backup.
cat >"$work/fields.awk" <<'AWK'
function plain(field,    text, at, sign) {
    text = ""
    while ((at = index(field, "\\")) > 0) {
        sign = substr(field, at + 1, 1)
        text = text substr(field, 1, at - 1) (sign == "t" ? "\t" : sign == "n" ? "\n" : "\\")
        field = substr(field, at + 2)
    }
    return text field
}
function ident(name) { gsub(/"/, "\"\"", name); return "\"" name "\"" }
function literal(text) { gsub(/'/, "''", text); return "'" text "'" }
function relation(schema, name) { return ident(plain(schema)) "." ident(plain(name)) }
AWK
cat >"$work/plan.awk" <<'AWK'
function say(line) { text = text line "\n" }
function flush() {
    if (text == "") return
    file = work "/text." ++texts
    printf "%s", text > file
    close(file)
    print "text", "text." texts
    text = ""
}
function add(list, item) { return list (list == "" ? "" : ", ") item }
function array(list) { return "array[" list "]::text[]" }
function note(schema) {
    if (!(schema in noted)) {
        noted[schema] = 1
        schemas = add(schemas, literal(schema))
    }
}
function make(s,    file) {
    flush()
    file = work "/objects." s
    printf "%s\n%s", scope[s], objects[s] > file
    close(file)
    print "objects", script[s], "objects." s
}
function run_scripts(of_stage,    p, s) {
    for (p = 0; p < platforms; p++)
        for (s = 1; s <= scripts; s++)
            if (stage[s] == of_stage && scope[s] == "managed:" platform[p]) make(s)
    for (s = 1; s <= scripts; s++)
        if (stage[s] == of_stage && scope[s] == "app") make(s)
}
function copy(t,    many, pieces, i) {
    say("select pg_temp.aim(" name[t] ", " array(columns[t]) ", " (owner[t] == "app" ? "null" : array(types[t])) ") as aim \\gset")
    say("\\set SQLSTATE unknown")
    say("\\set VERBOSITY sqlstate")
    say("\\set ON_ERROR_ROLLBACK on")
    say("\\set ON_ERROR_STOP off")
    say("\\set ON_ERROR_STOP on \\\\ copy :aim;")
    say("the_rows_were_not_awaited;")
    flush()
    many = split(rows[t], pieces, "\n")
    for (i = 1; i < many; i++) print "rows", pieces[i]
    say("\\.")
    say("\\set ON_ERROR_ROLLBACK off")
    say("\\set VERBOSITY terse")
    say("select pg_temp.came(" name[t] ", " array(columns[t]) ", " (owner[t] == "app" ? "false" : "true") ", " sums[t] ", :'SQLSTATE');")
}

$1 == "snapshot" { snapshot = plain($2) }
$1 == "taken_at" { taken_at = plain($2) }
$1 == "server" {
    version = $2
    source_path = plain($7)
}
$1 == "row_hash" { row_hash = $2 }
$1 == "epoch" { print "epoch", $2 }
$1 == "setting" { settings = settings "set " ident(plain($2)) " to " literal(plain($3)) ";\n" }
$1 == "script" {
    scripts++
    stage[scripts] = $2
    scope[scripts] = plain($3)
    in_script = 1
    schema = substr(scope[scripts], 9)
    if (scope[scripts] ~ /^managed:/ && !(schema in known)) {
        known[schema] = 1
        platform[platforms++] = schema
    }
}
$1 == "object" {
    objects[scripts] = objects[scripts] $2 "\t" $3 "\t" $4 "\t" $5 "\t" $9 "\n"
    if (scope[scripts] == "app") {
        if ($2 == "schema") {
            note(plain($3))
            if ($3 != "public") made = add(made, literal(plain($3)))
        }
        else if ($4 != "\\N") note(plain($4))
        else if ($10 != "\\N") note(plain($10))
        if ($2 == "extension" && !($3 in needed)) {
            needed[$3] = 1
            extensions = add(extensions, literal(plain($3)))
        }
    }
}
$1 == "piece" && in_script { script[scripts] = $2 " " $5 }
$1 == "piece" && !in_script { rows[tables] = rows[tables] $2 " " $5 "\n" }
$1 == "table" {
    tables++
    in_script = 0
    in_schema[tables] = plain($2)
    name[tables] = literal(relation($2, $3))
    owner[tables] = plain($4)
    sums[tables] = literal($5 " " $6 " " $7)
    count[tables] = $5
}
$1 == "column" {
    columns[tables] = add(columns[tables], literal(plain($2)))
    types[tables] = add(types[tables], literal(plain($3)))
}
$1 == "computed" {
    computed++
    shown[computed] = relation($3, $4)
    told[computed] = literal(($2 == "view" ? "materialized view " : "generated columns of ") shown[computed])
    generated[computed] = $2 == "generated"
    proof[computed] = $5 == "\\N" ? "null" : literal($5 " " $6 " " $7)
}
$1 == "proof" { proven[computed] = add(proven[computed], literal(plain($2))) }
$1 == "sequence" {
    sequence = literal(relation($2, $3))
    sequences = sequences "select pg_temp.make('app', 'state of sequence', " sequence ", null, null, " literal("select pg_catalog.setval(" sequence ", " $4 ", " $5 ");\n") ");\n"
}

END {
    if (row_hash == "") row_hash = "plain"
    for (t = 1; t <= tables; t++) if (owner[t] == "app") note(in_schema[t])
    say("-- The backup " snapshot " as a script for psql -1. It needs an empty database.")
    say("\\set QUIET on")
    say("\\set ON_ERROR_STOP on")
    say("\\if true")
    say("\\set ON_ERROR_ROLLBACK off")
    say("\\set VERBOSITY terse")
    say("\\set SHOW_CONTEXT never")
    say("\\o /dev/null")
    say("set client_min_messages to error;")
    say("begin;")
    text = text settings
    flush()
    print "conduct"
    say("insert into pg_temp.restore_conduct values (" strict ", " literal(source_path) ", " literal(row_hash) ");")
    say("select pg_temp.examine(" version ", " array(extensions) ", " array(schemas) ", " array(made) ");")
    run_scripts("before")
    say("select pg_temp.try_again();")
    for (t = 1; t <= tables; t++) if (owner[t] != "app" && count[t] > 0) copy(t)
    for (t = 1; t <= tables; t++) if (owner[t] == "app" && count[t] > 0) copy(t)
    text = text sequences
    run_scripts("after")
    for (s = 1; s <= scripts; s++) if (scope[s] == "attached") make(s)
    say("select pg_temp.try_again();")
    say("select pg_temp.make_unvalidated();")
    for (t = 1; t <= tables; t++)
        if (owner[t] == "app")
            say("select pg_temp.compare(" name[t] ", " array(columns[t]) ", " sums[t] ");")
    for (t = 1; t <= tables; t++) filled[name[t]] = 1
    for (c = 1; c <= computed; c++)
        if (!generated[c] || literal(shown[c]) in filled)
            say("select pg_temp.compare_computed(" told[c] ", " literal(shown[c]) ", " array(proven[c]) ", " proof[c] ");")
    say("select pg_temp.settle(" literal(snapshot) ", " literal(taken_at) ");")
    say("select count(*) as missing, count(*) > 0 as incomplete from pg_temp.restore_missing \\gset")
    say("select pg_temp.doubted() as doubts \\gset")
    say("insert into restore_end values (1);")
    say("commit;")
    say("set client_min_messages to error;")
    say("\\o")
    say("\\if :incomplete")
    say("\\echo 'restored' " snapshot " 'but for' :missing 'that the server refuses'")
    say("\\pset tuples_only on")
    say("\\pset format unaligned")
    say("select pg_temp.told();")
    say("\\o restore-missing.sql")
    say("select pg_temp.statements();")
    say("\\o")
    say("select pg_temp.not_whole();")
    say("\\endif")
    say("\\echo 'restored, and equal to the backup " snapshot "':doubts")
    say("\\endif")
    flush()
}
AWK

# From the directory of a script and its text to a call for each object.
cat >"$work/objects.awk" <<'AWK'
function optional(text) { return text == "" ? "null" : literal(text) }
NR == FNR && FNR == 1 { scope = literal($0); next }
NR == FNR {
    full = plain($2)
    table = $3 == "\\N" ? "" : relation($3, $4)
    prefix = table == "" ? "" : plain($3) "." plain($4) " "
    constraint = prefix != "" && index(full, prefix) == 1 ? substr(full, length(prefix) + 1) : ""
    call[++objects] = "select pg_temp.make(" scope ", " literal(plain($1)) ", " literal(full) ", " optional(table) ", " optional(constraint) ", '"
    size[objects] = $5
    next
}
left == 0 {
    printf "%s", call[++object]
    left = size[object]
}
{
    left -= length($0) + 1
    gsub(/'/, "''")
    print
    if (left == 0) print "');"
    if (left < 0) exit
}
END { exit !(left == 0 && object == objects) }
AWK

awk -F '\t' -v work="$work" -v strict="$strict" -f "$work/fields.awk" -f "$work/plan.awk" \
    "$work/manifest" >"$work/plan" || fail "cannot read the manifest"

# The plaintext of a piece, in a file.
fetch() { # NAME SHA256
    folder=${1%"${1#??}"}
    open "v1/seg/$epoch/$folder/$1.zst.age" "$work/text"
    check "$work/text" "$2" "$1"
}

begun=yes
while read -r kind name sum objects; do
    case $kind in
    epoch) epoch=$name ;;
    text) cat "$work/$name" ;;
    conduct) cat "$conduct" ;;
    rows)
        fetch "$name" "$sum"
        cat "$work/text"
        ;;
    objects)
        fetch "$name" "$sum"
        awk -F '\t' -f "$work/fields.awk" -f "$work/objects.awk" "$work/$objects" "$work/text"
        ;;
    esac || fail "cannot write the script"
done <"$work/plan"

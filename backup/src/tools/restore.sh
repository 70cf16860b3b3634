#!/bin/sh
# Writes the psql script that restores a backup, with stock tools alone:
#
#     sh restore.sh FOLDER KEYFILE [SNAPSHOT] | psql -v ON_ERROR_STOP=1 -1 "$DATABASE_URL"
#
# FOLDER is a local copy of the bucket's prefix (the folder that holds v1),
# KEYFILE an age identity, SNAPSHOT a backup's name; without it, the newest.
# The database has to be empty: a new Supabase project, or a new database.
#
# It needs sh, awk, age, zstd, sha256sum and psql. Every object is held against
# its hash before a line is written. The script restores everything or nothing,
# wherever it ends: success is its last word, "restored, and equal to the backup".
set -eu
export LC_ALL=C
umask 077

fail() {
    echo "restore.sh: $*" >&2
    exit 1
}

[ $# -eq 2 ] || [ $# -eq 3 ] || fail "usage: restore.sh FOLDER KEYFILE [SNAPSHOT]"
root=$1
key=$2
wanted=${3:-}
[ -d "$root/v1/snap" ] || fail "$root holds no v1/snap: it is no copy of a backup's bucket"
[ -r "$key" ] || fail "cannot read $key"
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
        NR == 1 { known = $1 == format && $2 == "1" }
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
grep -q '^  "format": 1,$' "$record" || fail "$record is of another version"
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
(cd "$root" && sha256sum -c "$work/sums") >"$work/checked" 2>&1 || {
    grep -v ': OK$' "$work/checked" >&2
    fail "objects are missing or damaged"
}
check "$root/$manifest" "$(member manifest sha256)" "the manifest"
open "$manifest" "$work/manifest"
check_lines "$work/manifest" pourtrait-manifest "the manifest"

# From the manifest to a plan, line by line: a text of ours, a piece of the
# backup, or one object's part of a piece.
cat >"$work/plan.awk" <<'AWK'
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
function say(line) { text = text line "\n" }
function flush() {
    if (text == "") return
    file = work "/text." ++texts
    printf "%s", text > file
    close(file)
    print "text", "text." texts
    text = ""
}
function piece(name_and_sum) { flush(); print "piece", name_and_sum }
function note(schema) {
    if (!(schema in noted)) {
        noted[schema] = 1
        schemas = schemas (schemas == "" ? "" : ", ") literal(schema)
    }
}

function checksum(found, columns) {
    return "select count(*), coalesce(sum(hash_array_extended(r, 0)), 0)::text, coalesce(sum(hash_array_extended(r, 7919)), 0)::text from (select array[" columns "]::text[] as r from only " found " offset 0) as s"
}
function assertion(found, t) {
    say("do $compare$ declare found text; begin")
    say("select concat_ws(' ', a, b, c) into found from (" checksum(found, hashed[t]) ") as s (a, b, c);")
    say("if found <> " literal(sums[t]) " then raise exception '% is not equal to the backup', " literal(name[t]) "; end if;")
    say("end $compare$;")
}
function copy(target, options, t,    many, pieces, i) {
    say("copy " target (columns[t] == "" ? "" : " (" columns[t] ")") " from stdin" options ";")
    many = split(rows[t], pieces, "\n")
    for (i = 1; i < many; i++) piece(pieces[i])
    say("\\.")
}
function take_over(t,    table) {
    table = literal(name[t])
    say("do $managed$ declare shared text; texts text; filled boolean; one text; other text;")
    say("sums constant text := 'select concat_ws('' '', count(*), sum(hash_array_extended(r, 0)), sum(hash_array_extended(r, 7919))) from (select array[%s]::text[] as r from only %s offset 0) as s';")
    say("begin")
    say("execute format('select exists (select from only %s)', " table ") into filled;")
    say("if filled then raise exception 'the target is not empty, it has rows in %', " table "; end if;")
    say("select string_agg(quote_ident(theirs.attname), ', ' order by ours.attnum),")
    say("string_agg(format('%I::text collate \"C\"', theirs.attname), ', ' order by ours.attnum) into shared, texts")
    say("from pg_attribute theirs join pg_attribute ours using (attname)")
    say("where theirs.attrelid = " table "::regclass and ours.attrelid = 'pg_temp.incoming'::regclass")
    say("and theirs.attnum > 0 and ours.attnum > 0 and theirs.attgenerated = '';")
    say("execute format('insert into %s (%s) overriding system value select %s from pg_temp.incoming', " table ", shared, shared);")
    say("execute format(sums, texts, " table ") into one;")
    say("execute format(sums, texts, 'pg_temp.incoming') into other;")
    say("if one <> other then raise exception '% is not equal to the backup', " table "; end if;")
    say("end $managed$;")
    say("drop table pg_temp.incoming;")
}
function run_scripts(of_stage,    p, s) {
    for (p = 0; p < platforms; p++)
        for (s = 1; s <= scripts; s++)
            if (stage[s] == of_stage && scope[s] == "managed:" platform[p]) {
                say("\\if :managed_" p)
                piece(script[s])
                say("\\endif")
            }
    for (s = 1; s <= scripts; s++)
        if (stage[s] == of_stage && scope[s] == "app") piece(script[s])
}
function attach(s,    many, lines, part, i, told) {
    many = split(objects[s], lines, "\n")
    for (i = 1; i < many; i++) {
        split(lines[i], part, "\t")
        told = plain(part[1]) " " plain(part[2])
        gsub(/[^A-Za-z0-9 _.-]/, "?", told)
        text = text "do 'begin execute ''"
        flush()
        print "attached", script[s], part[3], part[4]
        say("'';")
        say("exception when others then raise warning ''not made: " told ": %'', sqlerrm;")
        say("end';")
    }
}

$1 == "snapshot" { snapshot = plain($2) }
$1 == "taken_at" { taken_at = plain($2) }
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
    objects[scripts] = objects[scripts] $2 "\t" $3 "\t" $8 "\t" $9 "\n"
    if (scope[scripts] == "app") {
        if ($2 == "schema") {
            note(plain($3))
            if ($3 != "public") made = made (made == "" ? "" : ", ") literal(plain($3))
        }
        else if ($4 != "\\N") note(plain($4))
    }
}
$1 == "piece" && in_script { script[scripts] = $2 " " $5 }
$1 == "piece" && !in_script { rows[tables] = rows[tables] $2 " " $5 "\n" }
$1 == "table" {
    tables++
    in_script = 0
    in_schema[tables] = plain($2)
    name[tables] = relation($2, $3)
    owner[tables] = plain($4)
    sums[tables] = $5 " " $6 " " $7
    count[tables] = $5
}
$1 == "column" {
    comma = columns[tables] == "" ? "" : ", "
    columns[tables] = columns[tables] comma ident(plain($2))
    hashed[tables] = hashed[tables] comma ident(plain($2)) "::text collate \"C\""
    types[tables] = types[tables] comma ident(plain($2)) " " plain($3)
}
$1 == "sequence" {
    sequences = sequences "select pg_catalog.setval(" literal(relation($2, $3)) ", " $4 ", " $5 ");\n"
}

END {
    for (t = 1; t <= tables; t++) if (owner[t] == "app") note(in_schema[t])
    say("-- The backup " snapshot " as a script for psql. It needs an empty database.")
    say("\\set QUIET on")
    say("\\set ON_ERROR_STOP on")
    say("\\o /dev/null")
    say("begin;")
    text = text settings
    say("set statement_timeout to 0;")
    say("set lock_timeout to 0;")
    say("set idle_in_transaction_session_timeout to 0;")
    say("set client_min_messages to warning;")
    say("set check_function_bodies to off;")
    say("set row_security to off;")
    say("set synchronize_seqscans to off;")
    say("set search_path to '';")
    # Whoever runs the script in a transaction of their own commits at its end,
    # wherever that is: a row refers to another that only the last line makes.
    say("create temporary table restore_end (id integer primary key) on commit drop;")
    say("create temporary table restore_begin (")
    say("    id integer constraint the_script_ended_early")
    say("        references restore_end deferrable initially deferred")
    say(") on commit drop;")
    say("insert into restore_begin values (1);")
    say("do $empty$ declare found text; begin")
    say("select string_agg(what, ', ') into found from (")
    say("select format('%I.%I', n.nspname, c.relname) as what")
    say("from pg_class c join pg_namespace n on n.oid = c.relnamespace")
    say("where n.nspname = any (array[" schemas "]::text[]) and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f', 'c')")
    say("and not exists (select from pg_depend d")
    say("where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')")
    say("union all")
    say("select format('schema %I', nspname) from pg_namespace where nspname = any (array[" made "]::text[])")
    say("order by 1")
    say(") as there;")
    say("if found is not null then raise exception 'the target is not empty, it has %', found; end if;")
    say("end $empty$;")
    for (p = 0; p < platforms; p++)
        say("select pg_catalog.to_regnamespace(" literal(ident(platform[p])) ") is null as managed_" p " \\gset")
    run_scripts("before")
    for (t = 1; t <= tables; t++)
        if (owner[t] != "app" && count[t] > 0) {
            say("create temporary table incoming (" types[t] ") on commit drop;")
            copy("\"pg_temp\".\"incoming\"", "", t)
            assertion("\"pg_temp\".\"incoming\"", t)
            take_over(t)
        }
    for (t = 1; t <= tables; t++)
        if (owner[t] == "app" && count[t] > 0) copy(name[t], " with (freeze)", t)
    text = text sequences
    run_scripts("after")
    for (s = 1; s <= scripts; s++) if (scope[s] == "attached") attach(s)
    for (t = 1; t <= tables; t++)
        if (owner[t] == "app") {
            say("analyze " name[t] ";")
            assertion(name[t], t)
        }
    say("do $after$ begin if exists (select from pg_proc where proname = 'after_restore'")
    say("and pronamespace = pg_catalog.to_regnamespace('ops')) then")
    say("perform ops.after_restore(" literal(snapshot) ", " literal(taken_at) ", extract(epoch from clock_timestamp() - now())::numeric);")
    say("end if; end $after$;")
    say("insert into restore_end values (1);")
    say("commit;")
    say("\\o")
    say("\\echo 'restored, and equal to the backup " snapshot "'")
    flush()
}
AWK
awk -F '\t' -v work="$work" -f "$work/plan.awk" "$work/manifest" >"$work/plan" ||
    fail "cannot read the manifest"

# The plaintext of a piece, in a file.
fetch() { # NAME SHA256
    folder=${1%"${1#??}"}
    open "v1/seg/$epoch/$folder/$1.zst.age" "$work/text"
    check "$work/text" "$2" "$1"
}

begun=yes
while read -r kind name sum offset length; do
    case $kind in
    epoch) epoch=$name ;;
    text) cat "$work/$name" ;;
    piece)
        fetch "$name" "$sum"
        cat "$work/text"
        ;;
    attached)
        # In a literal within a literal.
        fetch "$name" "$sum"
        tail -c "+$((offset + 1))" "$work/text" >"$work/rest" &&
            head -c "$length" "$work/rest" >"$work/part" &&
            sed "s/'/''''/g" "$work/part"
        ;;
    esac || fail "cannot write the script"
done <"$work/plan"

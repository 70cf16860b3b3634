# Runs the server for as long as somebody uses it, that is, has the named pipe
# open for writing. However their processes end, the system closes it for them.
#
# $1 is the folder that ends with the server, $2 the named pipe, $3 the seconds
# that the server waits for its next user; the rest is the server's command
# line. Whoever opens the pipe writes a line: a user who came and went within
# those seconds would else be overlooked.
remove=$1
users=$2
patience=$3
shift 3
rm -f "$users"
mkfifo -m 600 "$users"
# Opening the pipe waits for its other end, and the first user is still to come.
sleep "$patience" >"$users" &
exec 3<"$users"
"$@" </dev/null 3<&- &
server=$!
(
    deserted=
    while true; do
        if read -r _; then
            deserted=
        elif [ -z "$deserted" ]; then
            deserted=yes
            sleep "$patience" <&- 3<&-
        else
            break
        fi
    done
    # From here on the shell below must wait for this one.
    trap '' TERM
    # Nobody finds the pipe any more; whoever has found it is waited for.
    rm "$users"
    while read -r _; do :; done
    kill -s QUIT "$server"
) <&3 &
watcher=$!
wait "$server"
status=$?
kill "$watcher" 2>/dev/null
if wait "$watcher"; then rm -rf "$remove"; else rm -f "$users"; fi
exit "$status"

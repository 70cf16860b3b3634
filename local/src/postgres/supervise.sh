# Runs the server for as long as standard input stays open, so that it ends
# with the process that holds the other end, however that process ends.
#
# $1 is the folder that ends with the process, or nothing; $2 the signal that
# stops the server once the input has ended; the rest is the server's command
# line. A line on the input says that the server will be started again: it
# then stops in good order and the folder stays.
remove=$1
signal=$2
shift 2
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
(
    again=
    while read -r _; do again=1; done
    # From here on the shell below must wait for this one.
    trap '' TERM
    if [ -n "$again" ]; then
        kill -s INT "$server"
        exit 1
    fi
    kill -s "$signal" "$server"
) <&3 &
watcher=$!
wait "$server"
status=$?
kill "$watcher" 2>/dev/null
if wait "$watcher" && [ -n "$remove" ]; then rm -rf "$remove"; fi
exit "$status"

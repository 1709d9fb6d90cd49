#!/bin/sh
# guest-share.sh start NAME:PROGRAM...: starts guests and waits until they run their programs.
# guest-share.sh late NAME: how late it woke (late.c) in a round that began after now: "median=US p90=US".
. /tests/guest-lib.sh
latest() { tr -d '\r' <"$LOGS/console-$1.log" | grep -aoE 'late [0-9]+ median=[0-9]+ p90=[0-9]+$' | tail -n 1; }

case $1 in
    start)
        shift
        number=0
        for item in "$@"; do
            number=$((number + 1)) name=${item%%:*}
            MEMORY=96 config "$name" "$number" 1 "" "guest.test=${item#*:}"
            tenon create -q "/tmp/$name.cfg" || fail "cannot create $name"
        done
        for item in "$@"; do says "${item%%:*}" "test ${item#*:} starts" 120; done
        ;;
    late)
        set -- "$2" $(latest "$2")
        wanted=$((${3:-0} + 2)) # the next one has begun already
        for _ in $(seq 150); do
            sleep 0.2
            set -- "$1" $(latest "$1")
            [ "${3:-0}" -ge "$wanted" ] && echo "$4 $5" && exit
        done
        fail "$1 tells no more how late it is"
        ;;
esac

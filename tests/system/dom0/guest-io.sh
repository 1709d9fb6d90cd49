#!/bin/sh
# guest-io.sh MIB NAME:VCPUS:DISK...: starts the guests, all at once, each with its disk (as tenon.cfg(5) has it), and
# fails unless each has tested its disk, its network in both directions, and agrees with dom0 about all checksums.
. /tests/guest-lib.sh
mib=$1
shift
[ -s /tmp/data ] && [ "$(stat -c %s /tmp/data)" = $((mib << 20)) ] || serve-data "$mib"
number=0
for item in "$@"; do
    number=$((number + 1))
    name=${item%%:*} rest=${item#*:}
    vcpus=${rest%%:*} disk=${rest#*:}
    config "$name" "$number" "$vcpus" "$disk" "guest.test=selftest guest.mib=$mib"
    tenon create -q "/tmp/$name.cfg" || fail "cannot create $name"
done
for item in "$@"; do
    name=${item%%:*} rest=${item#*:}
    vcpus=${rest%%:*}
    says "$name" 'test selftest (PASS|FAIL)' 300
    line=$(grep -a 'selftest disk=' "$LOGS/console-$name.log" | tr -d '\r')
    [ -n "$line" ] || fail "$name: $(grep -a selftest "$LOGS/console-$name.log")"
    grep -aq "user space on Linux .* $vcpus CPUs" "$LOGS/console-$name.log" || fail "$name has not $vcpus CPUs"
    disk=$(echo "$line" | sed 's/.*disk=\([0-9a-f]*\).*/\1/')
    took=$(echo "$line" | sed 's/.*took=\([0-9a-f]*\).*/\1/')
    pings=$(echo "$line" | sed 's/.*pings=\([0-9]*\).*/\1/')
    [ "$took" = "$(cat /tmp/data.sum)" ] || fail "$name took $took from dom0, which sent $(cat /tmp/data.sum)"
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        grep -q "$disk" /tmp/received && break
        sleep 1
    done
    grep -q "$disk" /tmp/received || fail "$name sent $disk, dom0 received: $(cat /tmp/received)"
    [ "${pings:-0}" -ge 4 ] || fail "$name: $pings of 5 pings came back"
    if grep -aE 'WARNING:|Oops|BUG:|Call Trace|[Uu]nhandled' "$LOGS/console-$name.log"; then
        fail "$name's kernel complains"
    fi
    echo "guest-io: $line"
done
for item in "$@"; do tenon destroy "${item%%:*}" || fail "cannot destroy ${item%%:*}"; done
for item in "$@"; do gone "${item%%:*}" 20; done

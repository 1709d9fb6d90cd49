#!/bin/sh
# A guest's ways to end, seen and acted on: power-off, reboot and crash from inside; shutdown, reboot, pause and
# unpause from dom0.
. /tests/guest-lib.sh
guest=life

id() { tenon list --json life | sed -n 's/.*"id": \([0-9]*\).*/\1/p'; }
state() { tenon list life | awk 'NR == 2 {print $5}'; }

# Reboots, from inside and from dom0, give a new domain of the same name; the log goes on.
config life 1 1 ""
tenon create -q /tmp/life.cfg || fail "cannot create"
says life 'TENON-GUEST: .*ready' 60
first=$(id)
: >$LOGS/console-life.log
type_in life "reboot -f" >/dev/null
says life 'TENON-GUEST: .*ready' 60
second=$(id)
[ "$first" != "$second" ] || fail "reboot from inside kept domain $first"
: >$LOGS/console-life.log
tenon reboot -w life || fail "tenon reboot"
says life 'TENON-GUEST: .*ready' 60
third=$(id)
[ "$second" != "$third" ] || fail "tenon reboot kept domain $second"

# A paused guest does not run; it goes on where it was.
tenon pause life || fail "tenon pause"
state | grep -q p || fail "state of a paused guest is $(state)"
: >$LOGS/console-life.log
(echo "echo went-on"; sleep 3; printf '\035') | tenon console life >/dev/null
grep -aq went-on $LOGS/console-life.log && fail "a paused guest runs"
tenon unpause life || fail "tenon unpause"
says life went-on 10

# Power-off, from dom0 and from inside; a crash.
tenon shutdown -w life || fail "tenon shutdown"
gone life 20
tenon create -q /tmp/life.cfg && : >$LOGS/console-life.log
says life 'TENON-GUEST: .*ready' 60
type_in life "poweroff -f" >/dev/null
gone life 20
: >$LOGS/console-life.log
tenon create -q /tmp/life.cfg
says life 'TENON-GUEST: .*ready' 60
type_in life "echo c >/proc/sysrq-trigger" >/dev/null
gone life 30
says life 'Kernel panic' 5
for word in 'powered off' 'rebooted' 'crashed'; do
    grep -q "$word" /var/log/tenond.out || fail "the daemon's log has no '$word'"
done
echo "guest-life: domains $first $second $third, all ends seen"

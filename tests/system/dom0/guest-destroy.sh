#!/bin/sh
# guest-destroy.sh COUNT BUSY: creates and destroys a guest COUNT times at different moments of its start, and BUSY
# times in the middle of its disk and network traffic. What dom0 and the hypervisor have is counted before and after.
. /tests/guest-lib.sh
[ -s /tmp/data ] || serve-data 16
guest=victim

count() { # everything that could be left behind
    usleep 500000
    echo "free_mib=$(tenon info --json | sed -n 's/.*"free_memory_mib": \([0-9]*\).*/\1/p')" \
        "domains=$(tenon list --json | grep -c '"id"')" \
        "interrupts=$(grep -c xen-dyn /proc/interrupts)" \
        "backends=$(ls /sys/bus/xen-backend/devices | wc -l)" \
        "interfaces=$(ls /sys/class/net | wc -l)" \
        "loops=$(losetup -a | wc -l)" \
        "store=$(xenstore-ls / | grep -vc 'Domain-0/[0-9]')" \
        "files=$(ls /proc/"$(pidof tenond)"/fd | wc -l)"
}

round() { # round WAIT_IN_US
    tenon create -q /tmp/victim.cfg || fail "cannot create"
    usleep "$1"
    tenon destroy victim || fail "cannot destroy"
    gone victim 20
}

[ -e /tmp/victim.img ] || dd if=/dev/zero of=/tmp/victim.img bs=1M count=16 2>/dev/null
MEMORY=128 config victim 5 2 "/tmp/victim.img,raw,xvda,w" "guest.test=churn"
round 100000
round 3000000
before=$(count)
for n in $(seq "$1"); do
    round $((n * n * 7919 % 1500000))
done
for n in $(seq "$2"); do
    rm -f $LOGS/console-victim.log
    tenon create -q /tmp/victim.cfg || fail "cannot create"
    says victim 'TENON-GUEST: churns' 60
    usleep $((n * 137000))
    tenon destroy victim || fail "cannot destroy"
    gone victim 20
done
after=$(count)
echo "guest-destroy: before: $before"
echo "guest-destroy: after:  $after"
[ "$before" = "$after" ] || fail "not everything came back"

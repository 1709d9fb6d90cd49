#!/bin/sh
# guest-destroy.sh COUNT BUSY: creates and destroys a guest COUNT times at different moments of its start, and BUSY
# times in the middle of its disk and network traffic. What dom0 and the hypervisor have is counted before and after:
# one page, event channel, grant or interrupt that is lost fails the test.
. /tests/guest-lib.sh
[ -s /tmp/data ] || serve-data 16
guest=victim

held() { # what Tenon counts (debug key m), to the page and to the entry; nothing on another hypervisor
    # Room that dom0's largest number of mappings needed stays (256 handles are a page), as do page tables of Tenon's heap: that
    # much less is free.
    tenon dmesg -k m | tr -d ';' | awk '
        /^\(TEN\) d0: pages / { dead = "" }
        /^\(TEN\) d[0-9]+: pages / {
            for (i = 3; i < NF; i += 2) at[$i] = $(i + 1)
            if ($2 == "d0:") {
                room = at["handles"] / 256
                dom0 = "pages=" at["pages"] " channels=" at["channels"] " pirqs=" at["pirqs"] " bound=" at["bound"] \
                       " granted=" at["granted"] " mapped=" at["mapped"]
            } else dead = dead " left=" $2
        }
        /^\(TEN\) memory: free / {
            for (i = 3; i < NF; i += 2) at[$i] = $(i + 1)
            all = dom0 dead " free=" at["free"] + at["tables"] + room " heap=" at["heap"] - room \
                  " others=" at["others"]
        }
        END { print all }'
}

count() { # everything that could be left behind
    echo "$(held)" \
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
sleep 2
before=$(count)
case $before in
    pages=*) ;;
    *) tenon info | grep -qi tenon && fail "Tenon does not count: $before" ;;
esac
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
for _ in $(seq 10); do # dom0's drivers let go when they come to it
    after=$(count)
    [ "$before" = "$after" ] && break
    usleep 500000
done
echo "guest-destroy: before: $before"
echo "guest-destroy: after:  $after"
[ "$before" = "$after" ] || fail "not everything came back"

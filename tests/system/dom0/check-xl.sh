#!/bin/sh
# Debian's xl looks at the machine, and makes, steers and ends a guest, twice.
fail() { echo "check-xl: $*"; tail -n 5 /var/log/xen/console/* 2>/dev/null; exit 1; }
says() { # says PATTERN COMMAND...: it succeeds, complains about nothing, and prints the pattern, if any
    pattern=$1
    shift
    "$@" >/tmp/out 2>/tmp/errors || fail "$* ends with $?: $(cat /tmp/errors)"
    [ ! -s /tmp/errors ] || fail "$* complains: $(cat /tmp/errors)"
    [ -z "$pattern" ] ||     grep -qE "$pattern" /tmp/out || fail "$* has no '$pattern': $(cat /tmp/out)"
}
on_console() { # on_console PATTERN
    for _ in $(seq 300); do
        grep -aqE "$1" /var/log/xen/console/guest-other.log 2>/dev/null && return 0
        usleep 200000
    done
    fail "the guest's console has no '$1'"
}

# What Debian's boot script does. It takes dom0 for set up when its number is in xenstore.
mkdir -p /run/xen
xenstore-rm /local/domain/0/domid
says 'Done setting up Dom0' xen-init-dom0
xenconsoled --log=guest --log-dir=/var/log/xen/console

says 'xen_version *: 4\.17' xl info
says 'free_memory *: [1-9]' xl info
says '^ *0: +[0-9]+ +[0-9]+ +10' xl info -n
says '^Domain-0 +0 +1024 +2 +r' xl list
says '"name": "Domain-0"' xl list -l
says '^Domain-0 +0 +1 +[01] ' xl vcpu-list
says '^Pool-0 +2 +credit2 +y +1' xl cpupool-list
says '^Domain-0 +0 +256 +0' xl sched-credit2
says '^Domain-0 +0 ' xl uptime
says . xl dmesg
says '' xl mem-max 0 1024
xl destroy 0 2>/dev/null && fail "destroys dom0"
xl list nobody >/dev/null 2>&1 && fail "lists nobody"

printf '%s\n' 'name = "other"' 'kernel = "/boot/guest/vmlinuz"' 'ramdisk = "/boot/guest/initrd"' \
    'memory = 160' 'vcpus = 2' 'extra = "console=hvc0"' >/tmp/other.cfg
for _ in 1 2; do
    rm -f /var/log/xen/console/guest-other.log
    says '' xl create -q /tmp/other.cfg
    on_console 'TENON-GUEST: .*ready'
    on_console 'user space on Linux .* 2 CPUs'
    says '^other ' tenon list
    tenon destroy other 2>&1 | grep -q 'another toolstack' || fail "tenon destroy says $(tenon destroy other 2>&1)"
    says '"uuid"' xl list -l other
    says '' xl sched-credit2 -d other -w 512 -c 150
    says '^other +[0-9]+ +512 +150' xl sched-credit2 -d other
    says '' xl vcpu-pin other 0 1
    says '^other +[0-9]+ +0 .* 1 / all' xl vcpu-list other
    says '' xl mem-set other 128
    says '' xl pause other
    says '^other .*p---' xl list
    says '' xl unpause other
    xl shutdown -w other 2>&1 | grep -q 'has been shut down, reason code 0' || fail "shutdown"
    for _ in $(seq 50); do xl domid other >/dev/null 2>&1 || break; usleep 200000; done
    xl domid other >/dev/null 2>&1 && fail "the guest is still there"
done
says '' xl create -q -p /tmp/other.cfg
says '' xl destroy other
says '^Pool-0 +2 +credit2 +y +1' xl cpupool-list
echo "check-xl: fine"

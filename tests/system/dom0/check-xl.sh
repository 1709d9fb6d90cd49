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
gone() {
    for _ in $(seq 50); do
        xl domid other >/dev/null 2>&1 || return 0
        usleep 200000
    done
    fail "the guest is still there"
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
    gone
done

# A disk and a network, which xl's own hotplug scripts put in place.
serve-data 16
dd if=/dev/zero of=/tmp/disk.img bs=1M seek=64 count=0 2>/dev/null
losetup /dev/loop6 /tmp/disk.img || fail "no loop device"
sed -i 's/^extra.*//' /tmp/other.cfg
printf '%s\n' 'disk = ["format=raw, vdev=xvda, access=rw, target=/dev/loop6"]' \
    'vif = ["mac=00:16:3e:00:00:77, bridge=br0"]' \
    'extra = "console=hvc0 guest.ip=10.0.2.77 guest.peer=10.0.2.15 guest.disk=/dev/xvda guest.test=selftest guest.mib=16"' \
    >>/tmp/other.cfg
rm -f /var/log/xen/console/guest-other.log
says '' xl create -q /tmp/other.cfg
on_console 'test selftest (PASS|FAIL)'
grep -aq "selftest PASS" /var/log/xen/console/guest-other.log || fail "the guest's disk or network fails"
says '^51712 +0 .*connected|^51712 +0 +[0-9]+ +4' xl block-list other
says '^0 +0 +00:16:3e:00:00:77 +[0-9]+ +4' xl network-list other
says '' xl block-detach other xvda
says '' xl network-detach other 0
says '' xl block-attach other 'format=raw, vdev=xvdb, access=r, target=/dev/loop6'
says '^51728 ' xl block-list other
xl shutdown -w other >/dev/null 2>&1
gone
[ -z "$(ls -d /sys/class/net/vif* 2>/dev/null)" ] || fail "an interface is left: $(ls -d /sys/class/net/vif*)"

says '' xl create -q -p /tmp/other.cfg
says '' xl destroy other
says '^Pool-0 +2 +credit2 +y +1' xl cpupool-list
echo "check-xl: fine"

#!/bin/sh
# In dom0: starts a guest with a disk in memory and a network interface, waits until it has done what the kernel command line
# asks for (bench.what=boot or io; for boot, one guest of each kernel in turn), prints what it found, and ends the machine.
# Lines "EMULATED WHAT ports N msrs N ..." are Tenon's own count of what it executed for dom0's boot and for a guest's, by kernel.
what=$(sed -n 's/.*bench\.what=\([a-z]*\).*/\1/p' /proc/cmdline)
log=/var/log/tenon/console-

emulated() { # WHAT DOMAIN
    tenon dmesg -k e | sed -n "s|.*d$2: emulated|EMULATED $1|p" | tail -n 1
}

start() { # NAME KERNEL MAC: and waits until it has done what it is for
    if [ "$what" = boot ]; then
        dd if=/dev/zero of=/tmp/$1.img bs=1M count=0 seek=64 2>/dev/null
    else
        gunzip -c /boot/guest/disk.img.gz >/tmp/$1.img
    fi
    cat >/tmp/$1.cfg <<END
name = "$1"
kernel = "$2"
ramdisk = "/boot/guest/bench.initrd"
memory = 448
vcpus = 1
disk = ["/tmp/$1.img,raw,xvda,w"]
vif = ["mac=00:16:3e:00:00:$3,bridge=br0"]
extra = "console=hvc0 quiet rdinit=/init bench.what=$what"
END
    ubench mark begin
    tenon create -q /tmp/$1.cfg || echo "bench: cannot create the guest"
    for _ in $(seq 600); do
        sleep 3 # seldom, for it is measured too
        grep -aq 'bench-guest: end' $log$1.log 2>/dev/null && break
    done
    tr -d '\r' <$log$1.log | grep -aE '^(IO|bench-guest:)' || tail -n 20 $log$1.log
}

[ "$what" = boot ] || iperf3 -s >/dev/null 2>&1 &
sleep 3
emulated dom0-6.1 0
start bench /boot/guest/vmlinuz 10
if [ "$what" = boot ]; then
    emulated guest-cloud-6.1 1
    start bench-6.12 /boot/guest/vmlinuz-6.12 11
    emulated guest-cloud-6.12 2
fi
echo "bench: end"
sleep 1
poweroff -f

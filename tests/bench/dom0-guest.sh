#!/bin/sh
# In dom0: starts one guest with a disk in memory and a network interface, waits until it has done what the kernel command
# line asks for (bench.what=boot or io), prints what it found, and ends the machine.
what=$(sed -n 's/.*bench\.what=\([a-z]*\).*/\1/p' /proc/cmdline)
log=/var/log/tenon/console-bench.log
gunzip -c /boot/guest/disk.img.gz >/tmp/disk.img
cat >/tmp/bench.cfg <<END
name = "bench"
kernel = "/boot/guest/vmlinuz"
ramdisk = "/boot/guest/bench.initrd"
memory = 512
vcpus = 1
disk = ["/tmp/disk.img,raw,xvda,w"]
vif = ["mac=00:16:3e:00:00:10,bridge=br0"]
extra = "console=hvc0 quiet rdinit=/init bench.what=$what"
END
[ "$what" = boot ] || iperf3 -s >/dev/null 2>&1 &
sleep 3
ubench mark begin
tenon create -q /tmp/bench.cfg || echo "bench: cannot create the guest"
for _ in $(seq 600); do # seldom, for it is measured too
    sleep 3
    grep -aq 'bench-guest: end' $log 2>/dev/null && break
done
tr -d '\r' <$log | grep -aE '^(IO|bench-guest:)' || tail -n 20 $log
echo "bench: end"
sleep 1
poweroff -f

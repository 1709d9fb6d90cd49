#!/bin/sh
# check-disk.sh DEVICE MIB SUM: the first MIB read as the host wrote them (md5 SUM); then MIB of random data written
# behind them, read back from the device and not from the cache. Prints the sum of what it wrote: "wrote=SUM".
device=$1 mib=$2 sum=$3
set -e
[ -b "$device" ]
got=$(dd if="$device" bs=1M count="$mib" 2>/dev/null | md5sum | cut -d' ' -f1)
[ "$got" = "$sum" ] || { echo "check-disk: $device reads $got, the host wrote $sum"; exit 1; }
wrote=$(dd if=/dev/urandom bs=1M count="$mib" 2>/dev/null | tee /tmp/disk-data | md5sum | cut -d' ' -f1)
dd if=/tmp/disk-data of="$device" bs=1M seek="$mib" conv=fsync 2>/dev/null
rm /tmp/disk-data
echo 3 >/proc/sys/vm/drop_caches
got=$(dd if="$device" bs=1M skip="$mib" count="$mib" 2>/dev/null | md5sum | cut -d' ' -f1)
[ "$got" = "$wrote" ] || { echo "check-disk: $device wrote $wrote, reads $got"; exit 1; }
echo "check-disk: $device $mib MiB both ways; wrote=$wrote"

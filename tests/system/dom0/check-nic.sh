#!/bin/sh
# check-nic.sh MAC NET SEND_PORT TAKE_PORT MIB SUM: the interface with MAC gets NET.15; from the host (NET.2) it takes
# MIB with md5 SUM, and sends MIB of random data there. Prints "driver=NAME sent=SUM".
mac=$1 net=$2 send_port=$3 take_port=$4 mib=$5 sum=$6
set -e
for nic in /sys/class/net/eth*; do
    [ "$(cat "$nic/address")" = "$mac" ] && break
done
[ "$(cat "$nic/address")" = "$mac" ] || { echo "check-nic: no interface has $mac"; exit 1; }
driver=$(basename "$(readlink "$nic/device/driver")")
[ -e "$nic/device/net" ] || driver=$(basename "$(readlink "$nic/device/../driver")")
name=${nic##*/}
ip addr flush dev "$name"
ip link set "$name" nomaster up
ip addr add "$net.15/24" dev "$name"
got=$(tcp "$net.2" "$take_port" </dev/null | md5sum | cut -d' ' -f1)
[ "$got" = "$sum" ] || { echo "check-nic: $name took $got, the host sent $sum"; exit 1; }
dd if=/dev/urandom bs=1M count="$mib" of=/tmp/nic-data 2>/dev/null
tcp "$net.2" "$send_port" </tmp/nic-data >/dev/null
echo "check-nic: $name driver=$driver sent=$(md5sum </tmp/nic-data | cut -d' ' -f1)"
rm /tmp/nic-data
ip addr flush dev "$name"

#!/bin/sh
# check-cpus.sh COUNT: so many CPUs are online, and each of them takes timer ticks or events and runs a process.
[ "$(nproc)" = "$1" ] || { echo "check-cpus: $(nproc) CPUs, expected $1"; exit 1; }
for cpu in $(seq 0 $(($1 - 1))); do
    on=$(taskset "$(printf %x $((1 << cpu)))" awk '{print $39; exit}' /proc/self/stat 2>/dev/null || taskset -c "$cpu" \
        awk '{print $39; exit}' /proc/self/stat)
    [ "$on" = "$cpu" ] || { echo "check-cpus: a process bound to CPU $cpu runs on '$on'"; exit 1; }
done
awk -v n="$1" '/timer0|timer/ && NR > 1 { for (i = 2; i <= n + 1; i++) sum[i] += $i }
    END { for (i = 2; i <= n + 1; i++) if (sum[i] == 0) { print "check-cpus: no timer event on CPU " i - 2; exit 1 } }' \
    /proc/interrupts || exit 1
echo "check-cpus: $1 CPUs run"

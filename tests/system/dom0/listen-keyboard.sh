#!/bin/sh
# Writes what the USB keyboard sends to /tmp/keys, in the background.
event=$(sed -n '/QEMU USB Keyboard/,/Handlers/s/.*Handlers=.*\(event[0-9]*\).*/\1/p' /proc/bus/input/devices)
[ -c "/dev/input/$event" ] || exit 1
: >/tmp/keys
timeout 120 cat "/dev/input/$event" >/tmp/keys 2>/dev/null </dev/null &

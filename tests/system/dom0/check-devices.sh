#!/bin/sh
# What a machine with all devices must show: kinds of interrupts in use, PCI configuration space, RTC, USB keyboard.
# check-devices.sh MACHINE (pc or q35)
fail() { echo "check-devices: $*"; cat /proc/interrupts; exit 1; }

used() { # an interrupt whose line matches both patterns has happened
    awk -v a="$1" -v b="$2" '$0 ~ a && $0 ~ b { for (i = 2; i <= NF && $i ~ /^[0-9]+$/; i++) sum += $i }
        END { exit sum == 0 }' /proc/interrupts
}

used 'xen-pirq' 'acpi' || grep -q 'xen-pirq.*acpi' /proc/interrupts || fail "no ACPI interrupt"
used 'msi' 'virtio|nvme' || fail "no MSI-X interrupt of virtio or NVMe"
used 'msi' 'ahci' || fail "no MSI interrupt of AHCI"
used 'ioapic-(level|edge)' 'eth|usb|ata_piix|uhci|i801|rtc|i8042' || fail "no IO-APIC interrupt"
sizes=$(for config in /sys/bus/pci/devices/*/config; do stat -c %s "$config"; done | sort -u | tr '\n' ' ')
case $1 in
    q35) echo "$sizes" | grep -q 4096 || fail "no extended PCI configuration space: $sizes" ;;
    pc) echo "$sizes" | grep -q 256 || fail "no PCI configuration space: $sizes" ;;
esac
[ -e /sys/class/rtc/rtc0/since_epoch ] || fail "no RTC"
grep -q 'QEMU USB Keyboard' /proc/bus/input/devices || fail "no USB keyboard"
echo "check-devices: rtc=$(cat /sys/class/rtc/rtc0/since_epoch) config=$sizes"

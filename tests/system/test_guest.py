# Debian guests on a Debian dom0: tenond, tenon, and Linux' own split drivers. One machine for the whole file. The
# scripts in dom0/ do the work in the machine; they end with an error that says what differs.
import subprocess

import pytest

from disks import partitioned, root_disk
from host import md5
from machine import MachineError
from paths import ROOT, cache_dir

GRUB_CFG = """\
linux /boot/vmlinuz root=/dev/xvda console=hvc0
initrd /boot/initrd
boot
"""
ROUNDS, BUSY_ROUNDS = 92, 8


def own_kernel(folder) -> dict:
    """What a guest's disk needs to be booted from: a kernel, an initramfs, GRUB's menu; and GRUB itself, for dom0."""
    subprocess.run([ROOT / "tools/qemu/dom0-image", "--guest", "--kernel", "6.1", folder / "initrd"], check=True)
    grub = next((cache_dir() / "pvgrub").rglob("grub-x86_64-xen.bin"))
    return {"boot/grub/grub.cfg": GRUB_CFG, "boot/vmlinuz": cache_dir() / "kernel/6.1/vmlinuz", "boot/initrd": folder / "initrd",
            "boot/grub.bin": grub}


@pytest.fixture(scope="class")
def booted(boot, tmp_path_factory):
    folder = tmp_path_factory.mktemp("guests")
    partitioned(folder / "parts.img", [72, 72])
    root_disk(folder / "root.img", 80, own_kernel(folder))
    try:
        started = boot(memory=3072, smp=2, nics=["virtio"], options="dom0_mem=1280M", limit=1500,
                       disks=[("virtio", folder / "parts.img"), ("virtio", folder / "root.img")])
        if "tenond runs" not in started.log:
            raise started.lost("tenond did not start")
        return started
    except MachineError as error:
        return error


class TestGuest:
    def test_xenstore_clients_of_debian(self, machine):
        machine.shell("sh /tests/check-xenstore.sh")

    def test_command_line_contract(self, machine):
        machine.shell("sh /tests/check-cli.sh")

    def test_debians_cloud_kernel_as_shipped(self, machine):
        machine.shell("(. /tests/guest-lib.sh; config shipped 1 1 '')")
        machine.shell("tenon create /tmp/shipped.cfg", timeout=90)
        machine.shell("(. /tests/guest-lib.sh; says shipped TENON-GUEST:.*ready 60)", timeout=90)
        # The log has the console from its first byte on.
        machine.shell("head -c 400 /var/log/tenon/console-shipped.log | grep -a 'Linux version'")

    def test_console_both_ways(self, machine):
        machine.send("tenon console shipped\n")
        machine.expect("Ctrl-]", 10)
        machine.send("\n")
        machine.expect("guest# ", 20)
        machine.send("echo $((6 * 7))-$(uname -r | tr a-z A-Z)\n")
        machine.expect(r"42-[0-9.-]+CLOUD-AMD64", 20)
        machine.send("seq 20000 | md5sum; seq 400\n")
        machine.expect(md5("".join(f"{n}\n" for n in range(1, 20001)).encode()), 20)
        machine.expect(r"399\s+400\s", 20)
        machine.send("\x1d")
        machine.expect("dom0# ", 10)
        machine.shell("tenon destroy shipped")

    def test_disk_on_file_one_vcpu(self, machine):
        machine.shell("dd if=/dev/zero of=/tmp/file.img bs=1M count=0 seek=64 2>/dev/null")
        machine.shell("sh /tests/guest-io.sh 64 one:1:/tmp/file.img,raw,xvda,w", timeout=200)

    def test_disk_on_partition_two_vcpus(self, machine):
        machine.shell("sh /tests/guest-io.sh 64 two:2:phy:/dev/vda1,xvda,w", timeout=200)

    def test_root_disk(self, machine):
        machine.shell("(. /tests/guest-lib.sh; config rooted 1 1 phy:/dev/vdb,xvda,w root=/dev/xvda)")
        for boots in (1, 2):
            machine.shell("tenon create -q /tmp/rooted.cfg", timeout=60)
            machine.shell(f"(. /tests/guest-lib.sh; says rooted boots={boots} 60)", timeout=90)
            machine.shell("grep -a 'lives on /dev/xvda ext4' /var/log/tenon/console-rooted.log")
            machine.shell("tenon destroy rooted")

    def test_kernel_from_the_guests_disk(self, machine):
        """By Debian's GRUB for PV domains, whose addresses are in the lower half and whose drivers are its own."""
        machine.shell("modprobe ext4 && mkdir -p /mnt && mount -t ext4 -o ro /dev/vdb /mnt && cp /mnt/boot/grub.bin /tmp && umount /mnt")
        machine.shell("(. /tests/guest-lib.sh; config grub 1 1 phy:/dev/vdb,xvda,w;"
                      " sed -i 's,^kernel.*,kernel = \"/tmp/grub.bin\",; /^ramdisk/d' /tmp/grub.cfg)")
        machine.shell("tenon create -q /tmp/grub.cfg", timeout=60)
        machine.shell("(. /tests/guest-lib.sh; says grub 'Linux version 6.1.*' 200)", timeout=300)
        machine.shell("(. /tests/guest-lib.sh; says grub boots=3 60)", timeout=90)
        machine.shell("tenon destroy grub; rm /tmp/grub.bin")

    def test_every_end_is_seen(self, machine):
        machine.shell("sh /tests/guest-life.sh", timeout=400)

    def test_four_at_once(self, machine):
        machine.shell("dd if=/dev/zero of=/tmp/loop.img bs=1M count=0 seek=64 2>/dev/null")
        machine.shell("losetup /dev/loop7 /tmp/loop.img")
        machine.shell("sh /tests/guest-io.sh 64 g1:1:/tmp/file.img,raw,xvda,w g2:2:phy:/dev/vda1,xvda,w "
                      "g3:1:phy:/dev/vda2,xvda,w g4:2:phy:/dev/loop7,xvda,w", timeout=500)
        machine.shell("losetup -d /dev/loop7")

    def test_destroyed_at_any_moment(self, machine):
        machine.shell(f"sh /tests/guest-destroy.sh {ROUNDS} {BUSY_ROUNDS}", timeout=900)

    def test_logs_are_clean(self, machine):
        machine.shell("sh /tests/check-logs.sh")


class TestOneThread:
    """QEMU with -icount runs all CPUs on one thread, and up to version 8.0 changes over only where one halts or pauses: who
    waits in a loop that does neither waits forever."""

    def test_destroyed_while_it_boots(self, boot):
        machine = boot(memory=1536, smp=2, options="dom0_mem=700M", accel="tcg", limit=600,
                       extra=["-icount", "shift=1,align=off,sleep=off"])
        machine.shell("(. /tests/guest-lib.sh; MEMORY=128 config victim 5 2 '')")
        for wait in (50_000, 150_000, 250_000):
            machine.shell("tenon create -q /tmp/victim.cfg", timeout=120)
            machine.shell(f"usleep {wait}; tenon destroy victim", timeout=120)
        machine.shell("sh /tests/check-logs.sh")

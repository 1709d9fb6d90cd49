# dom0 runs the machine with its own drivers: two machines full of devices, one with each Debian kernel, each booted
# once for all tests of this file. The order of the tests matters at the end: the last one ends the machine.
import os
import re
import time

import pytest

from host import Sink, Source, md5
from machine import MachineError

MIB = 1 << 20
SIZE = 8  # MiB that each disk and each interface moves, each way
DISKS = {"virtio": "vda", "ahci": "sda", "nvme": "nvme0n1"}
NICS = {"e1000": (0, "e1000"), "virtio": (1, "virtio_net")}
MACHINES = {
    "q35-bios-max-6.1": dict(machine="q35", firmware="bios", cpu="max", smp=2, memory=1024, kernel="6.1"),
    "pc-uefi-haswell-6.12": dict(machine="pc", firmware="uefi", cpu="Haswell-noTSX", smp=2, memory=2048,
                                 kernel="6.12"),
}
LOG_TROUBLE = re.compile(r"WARNING: CPU|Oops|BUG:|Call Trace|[Uu]nhandled|[Aa]ssertion|[Pp]anic|[Bb]acktrace|"
                         r"\(TEN\) error")


@pytest.fixture(scope="class", params=MACHINES)
def booted(request, boot, tmp_path_factory):
    folder = tmp_path_factory.mktemp("disks")
    disks = []
    for kind in DISKS:
        image = folder / f"{kind}.img"
        image.write_bytes(os.urandom(SIZE * MIB))
        os.truncate(image, 64 * MIB)
        disks.append((kind, image))
    try:
        started = boot(disks=disks, nics=list(NICS), usb=True, limit=400,
                       options="frobnicate=1 dom0_max_vcpus=many", dom0_options="tenon.nobridge",
                       **MACHINES[request.param])
        started.first_clocks = sample_clock(started)
        return started
    except MachineError as error:
        return error


HOST_CLOCKS = (time.CLOCK_REALTIME, time.CLOCK_MONOTONIC, time.CLOCK_MONOTONIC_RAW)


def sample_clock(machine) -> tuple[list[float], float, float]:
    """(the host's clocks, dom0's, how long the question took) in seconds, of the quickest of several questions."""
    machine.send("clock-check now\n")
    machine.expect(r"now\s*\n", 20)
    best = None
    for _ in range(12):
        before = [time.clock_gettime_ns(clock) for clock in HOST_CLOCKS]
        machine.send("\n")
        dom0 = int(machine.expect(r"now=(\d+)\.", 20).group(1))
        after = [time.clock_gettime_ns(clock) for clock in HOST_CLOCKS]
        took = max(b - a for a, b in zip(before, after))
        if best is None or took < best[0]:
            best = (took, [(a + b) / 2e9 for a, b in zip(before, after)], dom0 / 1e9)
    machine.send("q\n")
    machine.expect("dom0# ", 20)
    return best[1], best[2], best[0] / 1e9


class TestDom0:
    def test_all_cpus_run(self, machine):
        machine.shell(f"sh /tests/check-cpus.sh {machine.config.smp}")

    @pytest.mark.parametrize("kind", DISKS)
    def test_disk(self, machine, kind):
        image = dict(machine.config.disks)[kind]
        with open(image, "rb") as file:
            before = md5(file.read(SIZE * MIB))
        said = machine.shell(f"sh /tests/check-disk.sh /dev/{DISKS[kind]} {SIZE} {before}", timeout=120)
        with open(image, "rb") as file:
            file.seek(SIZE * MIB)
            assert f"wrote={md5(file.read(SIZE * MIB))}" in said, "the host's image has other data than dom0 wrote"

    @pytest.mark.parametrize("kind", NICS)
    def test_nic(self, machine, kind):
        number, driver = NICS[kind]
        with Source(SIZE * MIB) as source, Sink() as sink:
            said = machine.shell(f"sh /tests/check-nic.sh 52:54:00:12:34:{0x56 + number:02x} 10.0.{2 + number} "
                                 f"{sink.port} {source.port} {SIZE} {source.sum}", timeout=120)
            assert f"driver={driver}" in said
            assert f"sent={sink.take()}" in said

    def test_interrupts_pci_rtc_usb(self, machine):
        said = machine.shell(f"sh /tests/check-devices.sh {machine.config.machine}")
        rtc = int(re.search(r"rtc=(\d+)", said).group(1))
        assert abs(rtc - time.time()) < 10, "the RTC is not the host's time"

    def test_usb_keyboard_types(self, machine):
        machine.shell("sh /tests/listen-keyboard.sh")
        for _ in range(20):
            machine.command("send-key", keys=[{"type": "qcode", "data": "a"}])
            if int(machine.shell("sleep 1; wc -c </tmp/keys")) > 0:
                return
        pytest.fail("no key of the USB keyboard arrives in dom0")

    def test_wrong_options_are_named(self, machine, on_xen):
        if on_xen:
            pytest.skip("real Xen does not name them on the serial line")
        early = machine.log[:machine.log.index("Linux version")]
        for wrong in ("frobnicate", "dom0_max_vcpus"):
            assert re.search(rf"^(?!.*(?:command line|GRUB)).*{wrong}", early, re.M | re.I), f"{wrong} is not named"

    def test_time_agrees_with_host(self, machine):
        first = machine.first_clocks
        time.sleep(max(0, 60 - (time.time() - first[0][0])))
        last = sample_clock(machine)
        host, dom0 = [b - a for a, b in zip(first[0], last[0])], last[1] - first[1]
        assert min(host) >= 59.9
        unsure = (first[2] + last[2]) / 2  # somewhere within each question dom0 read its clock
        # A host whose time is being corrected has clocks that disagree; one of them is what Tenon measured the TSC by.
        frequency = re.search(r"TSC: .*", machine.log).group()
        assert min(abs(dom0 - h) for h in host) < 0.001 * min(host) + unsure, \
            f"dom0's clock went {dom0:.4f} s in {host} s by the host's real, monotonic and raw clocks; {frequency}"
        assert abs(last[1] - last[0][0]) < 5, "dom0's date is not the host's"

    # After the comparison with the host: QEMU's TSC never goes back, so where those of the host's CPUs differ, each reading
    # that would be earlier than another thread's sets it forward for good, and here there are millions of them.
    def test_time_never_goes_back(self, machine):
        said = machine.shell("clock-check walk 10", timeout=60)
        assert f"cpus={machine.config.smp} " in said

    def test_logs_are_clean(self, machine):
        machine.shell("sh /tests/check-logs.sh")
        bad = [line for line in machine.log.splitlines() if LOG_TROUBLE.search(line)]
        assert not bad, "the log has:\n" + "\n".join(bad)

    def test_power_off_or_reboot_ends_the_machine(self, machine):
        machine.send("reboot -f\n" if machine.config.machine == "q35" else "poweroff -f\n")
        machine.wait_end(60)
        assert machine.child.exitstatus == 0


class TestSeveralMessages:
    """Plain MSI with two messages, of the one device of QEMU's that has more than one and a driver in Linux that takes them:
    a root port reports hotplug with its first and errors with its second."""

    def test_each_message_arrives(self, boot):
        machine = boot(memory=1024, smp=2, limit=240, dom0_options="pcie_ports=native",
                       extra=["-device", "ioh3420,id=rp1,chassis=1,slot=1,addr=8"])
        port = "/sys/bus/pci/devices/0000:00:08.0"
        control = machine.shell(f"od -A n -t u2 -j 98 -N 2 {port}/config")  # the capability is at 0x60 [PCI 3.0 6.8.1.3]
        assert int(control) >> 4 & 7 == 1, "two messages are not enabled"
        first, second = sorted(machine.shell(f"ls {port}/msi_irqs").split(), key=int)
        assert int(second) == int(first) + 1

        def count(irq: str) -> int:
            words = machine.shell(f"grep '^ *{irq}:' /proc/interrupts").split()
            assert "xen-pirq" in words
            return sum(int(word) for word in words[1:1 + machine.config.smp])

        def fail(error: str) -> None:
            machine.command("human-monitor-command", **{"command-line": f"pcie_aer_inject_error rp1 {error}"})
            time.sleep(1)

        hotplug, errors = count(first), count(second)
        for _ in range(3):
            fail("COMP_TIME")
        assert (count(first), count(second)) == (hotplug, errors + 3)
        machine.shell("dmesg | grep 'pcieport 0000:00:08.0.*CmpltTO'")
        fail("DLP")  # fatal: the kernel resets the link, and the slot tells of it
        assert count(first) > hotplug and count(second) == errors + 4
        machine.shell("dmesg | grep 'pcieport 0000:00:08.0: AER: Root Port link has been reset'")
        machine.shell("sh /tests/check-logs.sh")

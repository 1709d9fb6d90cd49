# No address space holds another domain's memory, seen from outside of the machine: QEMU is stopped at random moments, and the
# page tables of all CPUs, and of all programs, are walked in its RAM. See docs/testing.md.
import os
import random
import re
import tempfile
import time
from pathlib import Path

import pytest

from isolation_rules import Rules
from page_tables import DOM_XEN, Ram, Snapshot, cpus_of, find_records

SAMPLES = 400
QUICK_LOOKS = 6


class Watched:
    """A machine whose RAM is a file that we read."""

    def __init__(self, boot, folder: Path, **settings):
        self.random = random.Random(seed := int(os.environ.get("TENON_SEED", "0"), 0) or random.randrange(1 << 32))
        print(f"TENON_SEED={seed:#x}")
        mib, file = settings["memory"], folder / "ram"
        try:
            self.machine = boot(extra=["-object", f"memory-backend-file,id=ram,size={mib}M,mem-path={file},share=on",
                                       "-machine", "memory-backend=ram"], **settings)
            self.ram = Ram(file, mib)
        finally:
            file.unlink(missing_ok=True)
        self.end = int(re.search(r"up to ([0-9a-f]+)", self.machine.log).group(1), 16) >> 12
        self.records = self.root = None
        while self.root is None:  # a CPU that idles has the root tables
            with self.stopped() as now:
                idle = [cpu.cr3 for cpu in now.cpus if now.owner[cpu.cr3] == DOM_XEN] if now else []
                self.root = idle[0] if idle else None

    def stopped(self):
        return Stop(self)

    def wait(self, most: float) -> None:
        time.sleep(self.random.uniform(0, most))


class Stop:
    def __init__(self, watched: Watched):
        self.watched = watched

    def __enter__(self) -> Snapshot | None:
        w = self.watched
        w.machine.command("stop")
        cpus = cpus_of(w.machine.command("human-monitor-command", **{"command-line": "info registers -a"}))
        if w.records is None:
            w.records = find_records(w.ram, cpus, w.end)
        return None if w.records is None else Snapshot(w.ram, cpus, w.records, w.end)

    def __exit__(self, *_) -> None:
        self.watched.machine.command("cont")


@pytest.fixture(scope="class")
def folder(on_xen):
    """For the RAM. Not on a disk, if that can be helped: the kernel would write it there all the time."""
    if on_xen:
        pytest.skip("Tenon's own layout is what is looked at")
    with tempfile.TemporaryDirectory(prefix="tenon-ram-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as path:
        yield Path(path)


def test_each_domain_has_its_own_memory_and_no_more(boot, folder):
    w = Watched(boot, folder, memory=1536, smp=2, nics=["virtio"], options="dom0_mem=640M", limit=1500)
    m, rules = w.machine, Rules(w.ram, w.root)
    m.shell("sh /tests/isolation-load.sh")
    for sample in range(SAMPLES):
        if sample == SAMPLES // 4:  # the guests' boot was looked at, too
            m.shell("(. /tests/guest-lib.sh; says load1 churns 120; says load2 churns 120)", timeout=300)
        w.wait(0.15)
        for look in range(QUICK_LOOKS):  # most moments are in a guest; half of the samples prefer the hypervisor
            with w.stopped() as now:
                if sample % 2 or look == QUICK_LOOKS - 1 or rules.has_window(now, 0):
                    rules.check(now)
                    break
        assert len(rules.wrong) < 50, "\n".join(rules.wrong)
    m.shell("touch /tmp/enough; (. /tests/guest-lib.sh; says load1 churns 1); cat /tmp/load.out; grep -c round /tmp/rounds")
    print("\n".join(f"{count:12,} {what}" for what, count in sorted(rules.seen.items())))
    assert not rules.wrong, "\n".join(rules.wrong)
    seen = rules.seen
    assert seen["samples"] == SAMPLES
    for what in ("windows of dom0: other", "windows of dom0: unowned", "CPUs in user mode of guests",
                 "CPUs in the kernel of guests", "CPUs in the hypervisor for guests", "CPUs in the hypervisor for dom0", "L4s for user mode",
                 "communication pages", "large pages"):
        assert seen[what], f"no sample has {what}: the load is not what it was meant to be"
    assert seen["own maps"] > 2.5 * SAMPLES, "not enough guests ran"
    assert seen["own maps that differ"] < 0.1 * seen["own maps"], "that many cannot be under way"

# No address space holds another domain's memory, seen from outside of the machine: QEMU is stopped at random moments, and the
# page tables of all CPUs, and of all programs, are walked in its RAM. See docs/testing.md.
import bisect
import functools
import json
import os
import random
import re
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from guest_secrets import Secrets, find
from isolation_rules import Rules
from machine import MachineError
from page_tables import FIRST, IMAGE, LAST, OWN, Ram, Snapshot, cpus_of, find_records, slot_base
from paths import BUILD

SAMPLES = 400
QUICK_LOOKS = 12
SECRET_SAMPLES = 40  # with another guest on the CPU, and as many with dom0
HANDLERS = "handlers of dom0"  # where its kernel is entered; that of guests is another kernel
# What Tenon keeps of a vCPU that waits.
SAVED = (HANDLERS, "xmm", "ymm", "registers", "stack pointer", "fs base", "gs base", "breakpoint")
NAMES = [*Secrets(0).all, HANDLERS]


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
        variable = next(va for va, name in symbols() if name == "tenon::x86::root_table")
        while self.root is None:  # a CPU need not have them loaded when it idles
            with self.stopped() as now:
                self.root = self.ram.word(now.cpus[0].cr3, variable) if now else None

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
        if len(rules.wrong) > 20:
            break
    if rules.wrong:
        pytest.fail("\n".join(rules.wrong[:40]), pytrace=False)
    m.shell("touch /tmp/enough; (. /tests/guest-lib.sh; says load1 churns 1); cat /tmp/load.out; grep -c round /tmp/rounds")
    print("\n".join(f"{count:12,} {what}" for what, count in sorted(rules.seen.items())))
    seen = rules.seen
    assert seen["samples"] == SAMPLES
    seen["CPUs in user mode"] = seen["CPUs in user mode of guests"] + seen["CPUs in user mode of dom0"]
    for what in ("windows of dom0: other", "windows of dom0: unowned", "CPUs in user mode", "CPUs in the kernel of guests",
                 "CPUs in the hypervisor for guests", "CPUs in the hypervisor for dom0", "L4s for user mode",
                 "communication pages", "large pages"):
        assert seen[what], f"no sample has {what}: the load is not what it was meant to be"
    assert seen["own maps"] > 2.5 * SAMPLES, "not enough guests ran"
    assert seen["own maps that differ"] < 0.1 * seen["own maps"], "that many cannot be under way"


class Kept:
    """A guest keeps secrets, another one spins, dom0 computes something, all on one CPU. Where the secrets are seen from."""

    def __init__(self, boot, folder: Path):
        self.w = w = Watched(boot, folder, memory=1024, smp=1, nics=["virtio"], limit=900,
                             options="dom0_mem=512M guest_loglvl=all")
        self.secrets = Secrets(w.random.randrange(1 << 64))
        self.seen_by_other: dict[str, set[str]] = {name: set() for name in NAMES}
        self.seen_by_dom0: dict[str, set[str]] = {name: set() for name in NAMES}
        self.control: dict[str, set[str]] = {name: set() for name in NAMES}
        self.samples = {"other": 0, "dom0": 0}
        m = w.machine
        symbols = m.shell("grep -wE 'xen_entry_SYSCALL_64|xen_asm_exc_page_fault' /proc/kallsyms")
        self.handlers = [int(line.split()[0], 16).to_bytes(8, "little") for line in symbols.splitlines()]
        assert len(self.handlers) == 2, symbols
        line = self.secrets.all["early console"][0].decode()  # the kernel repeats its command line there
        m.shell(f"(. /tests/guest-lib.sh; MEMORY=96 config keeper 1 1 '' {line} earlyprintk=xen guest.test=secrets "
                f"guest.seed={self.secrets.seed:x}; MEMORY=96 config other 2 1 '' guest.test=secrets; "
                "tenon create -q /tmp/keeper.cfg; tenon create -q /tmp/other.cfg; "
                "says keeper 'keeps secrets' 100; says other TENON-GUEST:.spins 100)", timeout=250)
        print(m.shell("grep -a 'keeps secrets' /var/log/tenon/console-keeper.log"))
        assert re.search(rf"\(d\d\).*{line}", m.log), "the keeper's line is not in the hypervisor's log"
        ids = {d["name"]: d["id"] for d in json.loads(m.shell("tenon list --json"))}
        self.keeper, self.other = ids["keeper"], ids["other"]
        m.shell("(timeout 200 md5sum /dev/zero >/dev/null 2>&1 &) </dev/null")
        time.sleep(3)
        end = time.monotonic() + 240
        while min(self.samples.values()) < SECRET_SAMPLES and time.monotonic() < end:
            w.wait(0.15)
            with w.stopped() as now:
                self.look(now)
        print(f"samples: {self.samples}")

    def look(self, now: Snapshot) -> None:
        loaded = now.cpus[0].cr3
        owner = int(now.owner[loaded])
        if owner == self.other and self.samples["other"] < SECRET_SAMPLES:
            self.samples["other"] += 1
            self.search([loaded, *now.tables_of(owner, 4)], range(512), self.seen_by_other)
            own = {place for place in self.seen_by_other[HANDLERS] if not place.startswith("slot")}
            self.seen_by_other[HANDLERS] -= own  # numbers that its own kernel happens to have
            if self.samples["other"] <= 5:
                self.search(now.tables_of(self.keeper, 4), range(512), self.control)
        elif owner == 0 and self.samples["dom0"] < SECRET_SAMPLES:
            self.samples["dom0"] += 1
            self.search([loaded, *now.tables_of(0, 4)], range(FIRST, OWN), self.seen_by_dom0)
            self.control[HANDLERS] |= self.seen_by_dom0[HANDLERS]
            self.seen_by_dom0[HANDLERS].clear()

    def search(self, l4s, slots, into: dict[str, set[str]]) -> None:
        """Everything that these tables map, each frame once."""
        entries = {(slot, int(self.w.ram.tables[l4, slot]) & ~0x60) for l4 in l4s for slot in slots}
        pages = self.w.ram.walk(*zip(*[(entry, slot_base(slot)) for slot, entry in entries]), level=4)
        frames, vas = pages.frames(), pages.vas()
        order = frames.argsort()
        frames, vas = frames[order], vas[order]
        found = self.secrets.find(self.w.ram.bytes, in_ram := frames[frames < len(self.w.ram.tables)])
        for handler in self.handlers:
            found |= find(self.w.ram.bytes, in_ram, {handler: HANDLERS}, handler)
        for name, address in found:
            first, last = frames.searchsorted([address >> 12, (address >> 12) + 1])
            into[name].update(self.describe(va | address & 4095) for va in vas[first:last].tolist())

    def describe(self, va: int) -> str:
        slot = va >> 39 & 511
        return f"slot {slot}: {va:x} {symbol_at(va) if slot == IMAGE else ''}".strip() if FIRST <= slot < OWN else \
            "its own map" if OWN <= slot <= LAST else "the guest's part"


@functools.cache
def symbols() -> list[tuple[int, str]]:
    lines = subprocess.run(["nm", "-nC", BUILD / "tenon.syms"], text=True, check=True, stdout=subprocess.PIPE).stdout.splitlines()
    return [(int(line.split()[0], 16), line.split(maxsplit=2)[2]) for line in lines if re.match(r"[0-9a-f]{16} ", line)]


def symbol_at(va: int) -> str:
    at = bisect.bisect(symbols(), (va, "\xff")) - 1
    return f"({symbols()[at][1]} + {va - symbols()[at][0]:#x})"


@pytest.fixture(scope="class")
def kept(boot, folder):
    try:
        return Kept(boot, folder)
    except MachineError as error:
        return error


class TestSecrets:
    @pytest.mark.parametrize("name", NAMES)
    def test_nobody_else_sees(self, kept, name):
        if isinstance(kept, MachineError):
            pytest.fail(str(kept), pytrace=False)
        assert min(kept.samples.values()) >= SECRET_SAMPLES, f"too few samples: {kept.samples}"
        in_hypervisor = {place for place in kept.control[name] if place.startswith("slot")}
        print(f"the owner's own tables: {sorted(kept.control[name])[:8]}")
        assert in_hypervisor if name in SAVED else kept.control[name], "not even its owner's tables have it: nothing is shown"
        for who, places in (("another guest", kept.seen_by_other[name]), ("dom0", kept.seen_by_dom0[name])):
            assert not places, f"{who} sees the {name}:\n" + "\n".join(sorted(places)[:20])

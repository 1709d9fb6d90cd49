# A stopped machine as the host sees it: its RAM, a file that QEMU shares with us, walked by the page tables in it.
# Nothing in the machine helps. The numbers of layout.hpp (arch/x86/include/tenon_arch) and of include/tenon/mm/frame.hpp
# are repeated here on purpose.
import mmap
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

PAGE = 4096
PRESENT, WRITABLE, USER, LARGE, NO_EXECUTE = (np.uint64(1 << bit) for bit in (0, 1, 2, 7, 63))
FRAME_BITS = np.uint64(0x000f_ffff_ffff_f000)

# L4 slots of the hypervisor.
FIRST, LAST = 256, 271
M2P, IMAGE, FRAMES, HEAP, DOMAIN, OWN = range(256, 262)
SHARED = (M2P, IMAGE, FRAMES, HEAP)

# Slot 260: 2 MiB for each vCPU; 1 GiB further up another 2 MiB. Page numbers inside.
AREA_BITS, PRIVATE_BIT = 21, 1 << 30
RESERVED_GDT, STACK, AREA_END = 14, 36, 40
FPU, STATE, TABLE, WINDOWS, WINDOW_COUNT = 0, 1, 2, 16, 16

FIRST_RESERVED, DOM_IO, DOM_XEN, DOM_INVALID, DOM_IDLE = 0x7ff0, 0x7ff1, 0x7ff2, 0x7ff4, 0x7fff
NONE, WRITABLE_TYPE, L1, L2, L3, L4, DESCRIPTOR = range(7)
COMM_MARK = 0xffff_fffe  # `next` of a communication page
RECORD = np.dtype([("refs", "<u4"), ("next", "<u4"), ("prev", "<u4"), ("owner", "<u2"), ("progress", "<u2"),
                   ("type", "<u8"), ("stamp", "<u8")])


def slot_base(slot: int) -> int:
    return (0xffff_0000_0000_0000 if slot >= 256 else 0) | slot << 39


def number(entry) -> np.ndarray:
    """Frame numbers of entries."""
    return ((np.asarray(entry, np.uint64) & FRAME_BITS) >> np.uint64(12)).astype(np.int64)


@dataclass
class Pages:
    """What some tables map: one element a leaf, at any level. Permissions are those of all levels together."""
    va: np.ndarray
    frame: np.ndarray   # its first frame
    count: np.ndarray   # of frames: 1, 512 or 512 * 512
    flags: np.ndarray   # WRITABLE, USER, NO_EXECUTE
    tables: np.ndarray  # frames of the tables on the way

    def frames(self) -> np.ndarray:
        """Every frame, as often as it is mapped."""
        return np.repeat(self.frame, self.count) + self.inside()

    def inside(self) -> np.ndarray:
        """For every frame of frames(), which of its leaf it is."""
        total = int(self.count.sum())
        return np.arange(total) - np.repeat(np.cumsum(self.count) - self.count, self.count)

    def vas(self) -> np.ndarray:
        return np.repeat(self.va, self.count) + (self.inside() * PAGE).astype(np.uint64)

    def has(self, flag) -> np.ndarray:
        return self.flags & flag != 0

    def __len__(self) -> int:
        return len(self.va)


class Ram:
    """The machine's RAM below 3 GiB, where QEMU's PC has it at the same offset of the file."""

    def __init__(self, path: Path, mib: int):
        assert mib < 2816, "there is a hole below 4 GiB"
        with open(path, "rb") as file:
            self.bytes = mmap.mmap(file.fileno(), mib << 20, access=mmap.ACCESS_READ)
        self.tables = np.frombuffer(self.bytes, "<u8").reshape(-1, 512)

    def word(self, l4: int, va: int) -> int:
        """The 8 bytes at an address that is mapped by 4 KiB."""
        table = l4
        for shift in (39, 30, 21, 12):
            table = int(number(self.tables[table][va >> shift & 511]))
        return int(self.tables[table][va % PAGE // 8])

    def walk(self, entries, vas, level: int) -> Pages:
        """All pages below such entries, each with the address where its part begins. `level` is the entries'."""
        entries, vas = np.atleast_1d(np.asarray(entries, np.uint64)), np.atleast_1d(np.asarray(vas, np.uint64))
        both, any_of = entries & (WRITABLE | USER), entries & NO_EXECUTE
        keep = entries & PRESENT != 0
        entries, vas, both, any_of = entries[keep], vas[keep], both[keep], any_of[keep]
        found, tables = [], []
        while len(entries):
            leaf = np.full(len(entries), level == 1) if level in (1, 4) else entries & LARGE != 0
            size = 512 ** (level - 1)
            found.append((vas[leaf], number(entries[leaf]) & ~(size - 1), np.full(int(leaf.sum()), size, np.int64),
                          both[leaf] | any_of[leaf]))
            entries, vas, both, any_of = entries[~leaf], vas[~leaf], both[~leaf], any_of[~leaf]
            below = number(entries)
            tables.append(below)
            rows = self.tables[below]
            which, index = np.nonzero(rows & PRESENT)
            entries, level = rows[which, index], level - 1
            vas = vas[which] + (index.astype(np.uint64) << np.uint64(12 + 9 * (level - 1)))
            both, any_of = both[which] & entries, any_of[which] | entries & NO_EXECUTE
        join = [np.concatenate(part) if part else np.empty(0, kind)
                for part, kind in zip(list(zip(*found)) or [()] * 4, (np.uint64, np.int64, np.int64, np.uint64))]
        return Pages(*join, tables=np.concatenate(tables) if tables else np.empty(0, np.int64))

    def slot(self, l4: int, slot: int) -> Pages:
        return self.walk(self.tables[l4, slot], slot_base(slot), 4)


@dataclass
class Cpu:
    number: int
    cpl: int
    rip: int
    rsp: int
    cr3: int  # the L4's frame
    gdt: int
    halted: bool

    @property
    def in_user_mode(self) -> bool:
        """Of a Linux guest, whose kernel lies in the upper half."""
        return self.cpl == 3 and self.rip >> 63 == 0

    @property
    def in_hypervisor(self) -> bool:
        return self.cpl == 0

    @property
    def vcpu(self) -> int:
        """Whose stack it is on, or whose descriptor table it has; -1: none's (in the middle of a switch, an exception stack)."""
        at = self.rsp if self.in_hypervisor else self.gdt
        inside = at - slot_base(DOMAIN)
        return inside >> AREA_BITS if 0 <= inside < PRIVATE_BIT else -1


def cpus_of(registers: str) -> list[Cpu]:
    """From QEMU's `info registers -a`."""
    cpus = []
    for part in re.split(r"(?m)^CPU#", registers)[1:]:
        def value(pattern, base=16):
            return int(re.search(pattern, part).group(1), base)
        cpus.append(Cpu(int(part.split()[0]), value(r"CPL=(\d)"), value(r"RIP=([0-9a-f]+)"), value(r"RSP=([0-9a-f]+)"),
                        value(r"CR3=([0-9a-f]+)") >> 12, value(r"GDT= *([0-9a-f]+)"), bool(value(r"HLT=(\d)"))))
    return cpus


class Snapshot:
    """One moment: the CPUs, and a copy of the frame table."""

    def __init__(self, ram: Ram, cpus: list[Cpu], record_frames: np.ndarray, end: int):
        self.ram, self.cpus, self.end = ram, cpus, end
        records = ram.tables[record_frames].reshape(-1).view(RECORD)[:end]
        self.owner = records["owner"].copy()
        self.next = records["next"].copy()
        self.refs = records["refs"] & np.uint32(0x7fff_ffff)
        word = records["type"]
        self.type = (word >> np.uint64(56)).astype(np.uint8)
        self.type_count = (word & np.uint64(0xffff_ffff)).astype(np.int64)
        valid = word >> np.uint64(32) & np.uint64(0b101) == 1  # validated, not partial
        self.is_table = (self.type >= L1) & (self.type <= L4) & valid & (self.type_count > 0)

    def tables_of(self, domain: int | None, level: int) -> np.ndarray:
        """The validated tables of a level; of all domains with None."""
        mine = self.is_table & (self.type == L1 + level - 1)
        return np.flatnonzero(mine if domain is None else mine & (self.owner == domain))

    def is_comm_page(self, frames) -> np.ndarray:
        return self.next[frames] == COMM_MARK

    def running(self, domain: int, vcpu: int) -> Cpu | None:
        for cpu in self.cpus:
            if cpu.cr3 < self.end and self.owner[cpu.cr3] == domain and cpu.vcpu == vcpu:
                return cpu
        return None


def find_records(ram: Ram, cpus: list[Cpu], end: int) -> np.ndarray | None:
    """The frames of the frame table itself, from a CPU whose tables have it; None: none has, look again later."""
    for cpu in cpus:
        if ram.tables[cpu.cr3, FRAMES] & PRESENT:
            pages = ram.slot(cpu.cr3, FRAMES)
            inside = (pages.vas() - np.uint64(slot_base(FRAMES))).astype(np.int64) // PAGE
            pages_needed = -(-end * RECORD.itemsize // PAGE)
            order = np.argsort(inside)
            frames = pages.frames()[order][:pages_needed]
            assert (inside[order][:pages_needed] == np.arange(pages_needed)).all(), "the frame table has holes"
            return frames
    return None

# What Tenon is held to: hypervisor instructions per operation, and guest time against the same kernel without a
# hypervisor. `xen` is what Xen 4.17 needed when the targets were set, for orientation; every run measures it again.
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    name: str                       # as the programs that measure call it
    at_most: float
    aim: float | None = None
    xen: float | None = None


CALLS = [
    Target("null hypercall", 60, 45, 197),
    Target("system call and return", 160, 110, 1903),
    Target("exception bounce + iret", 220, 160, 653),
    Target("update_va_mapping", 160, 120, 561),
    Target("mmu_update, per entry of 32", 110, 80, 532),
    Target("mmu_update, single entry", 190, 140, 774),
    Target("trapped write to a page table", 600, 400, 1863),
    Target("pin + unpin of a full L1", 30000, 20000, 133120),
    Target("event send, masked", 120, 90, 364),
    Target("grant map + unmap", 800, 600, 2714),
    Target("grant copy, 4 KiB", 1000, 800, 2097),
    Target("yield, nobody else", 300, 200, 1768),
]
LINUX = [
    Target("getppid", 160, 110, 1903),
    Target("page fault", 1100, 800, 5495),
    Target("mprotect of 64 pages, twice", 16000, 11000, 93694),
    Target("fork + exit + wait", 110000, 80000, 560256),
    Target("fork + exec + wait", 260000, 200000, 1303938),
    Target("pipe round trip", 2600, 1800, 15845),
    Target("signal", 1000, 700, 7784),
    Target("nanosleep", 1800, 1200, 8817),
    Target("compute", 3000, 1500, 10169),
]
GUEST_TIME = [
    Target("compute", 1.001),
    Target("compile", 1.035, 1.02),
    Target("getppid", 1.5),
    Target("page fault", 1.36),
    Target("fork + exit + wait", 1.85),
    Target("fork + exec + wait", 1.7),
    Target("pipe round trip", 1.55),
]
EMULATED_IN_A_BOOT = Target("emulated instructions in a guest's boot", 10000, None, 188657)

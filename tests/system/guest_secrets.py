# The patterns that tests/system/guest/secrets.c keeps, made from the same seed, and the search for them.
import mmap

import numpy as np

from page_tables import PAGE

MASK = (1 << 64) - 1
MEMORY, VECTOR_LOW, VECTOR_HIGH, GENERAL, FS_BASE, GS_BASE, STACK_POINTER, BREAKPOINT, CONSOLE, KERNEL_LINE = (
    0, 100, 200, 300, 400, 401, 402, 403, 404, 405)
VECTORS, GENERALS = 16, 12


class Secrets:
    def __init__(self, seed: int):
        self.seed = seed
        self.tag = bytes(ord("A") + (self.mixed(MASK) >> 8 * i & 255) % 26 for i in range(4))
        self.all: dict[str, list[bytes]] = {
            "memory": [self.pattern(MEMORY, 64)],
            "xmm": [self.pattern(VECTOR_LOW + i, 16) for i in range(VECTORS)],
            "ymm": [self.pattern(VECTOR_HIGH + i, 16) for i in range(VECTORS)],
            "registers": [self.pattern(GENERAL + i, 8) for i in range(GENERALS)],
            "stack pointer": [self.address(STACK_POINTER)],
            "fs base": [self.address(FS_BASE)],
            "gs base": [self.address(GS_BASE)],
            "breakpoint": [self.address(BREAKPOINT)],
            "console": [self.text(CONSOLE)],
            "early console": [self.text(KERNEL_LINE)],  # on the command line, not the program's
        }
        self.names = {pattern: name for name, patterns in self.all.items() for pattern in patterns}

    def mixed(self, n: int) -> int:
        z = (self.seed + n * 0x9e3779b97f4a7c15) & MASK
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9 & MASK
        z = (z ^ z >> 27) * 0x94d049bb133111eb & MASK
        return z ^ z >> 31

    def pattern(self, number: int, size: int) -> bytes:
        rest = bytes(self.mixed(number * 64 + i // 8) >> 8 * (i % 8) & 255 for i in range(4, size))
        return self.tag + rest

    def address(self, number: int) -> bytes:
        return self.tag + (self.mixed(number * 64) & 0x7fff).to_bytes(4, "little")

    def text(self, number: int) -> bytes:
        return self.tag + bytes(ord("a") + byte % 26 for byte in self.pattern(number, 32)[4:])

    def find(self, ram: mmap.mmap, frames: np.ndarray) -> set[tuple[str, int]]:
        return find(ram, frames, self.names, self.tag)


def find(ram: mmap.mmap, frames: np.ndarray, names: dict[bytes, str], tag: bytes) -> set[tuple[str, int]]:
    """(name of a pattern, machine address), one of each name in each frame that has some. All patterns begin with
    the tag."""
    found: dict[tuple[str, int], int] = {}
    frames = np.unique(frames)
    for run in np.split(frames, np.flatnonzero(np.diff(frames) > 1) + 1):
        if not len(run):
            continue
        first, end = int(run[0]) * PAGE, (int(run[-1]) + 1) * PAGE
        data = ram[first:end]
        at = data.find(tag)
        while at >= 0:
            for size in (8, 16, 32, 64):
                if name := names.get(data[at:at + size]):
                    found.setdefault((name, (first + at) // PAGE), first + at)
            at = data.find(tag, at + 4)
    return {(name, address) for (name, _), address in found.items()}

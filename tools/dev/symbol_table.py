#!/usr/bin/env python3
"""Write the function symbols of an ELF file as the section that backtraces inside the hypervisor read.

usage: symbol_table.py IMAGE BYTES OUTPUT
The section, of BYTES bytes: the number of symbols (u64), their records (u32 offset from image_base, u32 offset of the name), sorted, names.
"""
import struct
import subprocess
import sys


def functions(image):
    base = None
    found = []
    for line in subprocess.run(["nm", "-C", "--defined-only", image], check=True, capture_output=True, text=True).stdout.splitlines():
        value, kind, name = line.split(" ", 2)
        if name == "image_base":
            base = int(value, 16)
        if kind in "tT":
            found.append((int(value, 16), name.split("(")[0].replace("tenon::", "")))
    return base, sorted(set(found))


def main():
    image, room, output = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    base, found = functions(image)
    records, names, last = b"", b"", None
    for value, name in found:
        if value == last or value < base:
            continue
        last = value
        records += struct.pack("<II", value - base, len(names))
        names += name[:60].encode() + b"\0"
    table = struct.pack("<Q", len(records) // 8) + records + names
    if len(table) > room:
        sys.exit(f"symbol_table.py: {image} has symbols of {len(table)} bytes, more than the {room} of its table (arch/x86/link.lds)")
    with open(output, "wb") as out:
        out.write(table.ljust(room, b"\0"))


if __name__ == "__main__":
    main()

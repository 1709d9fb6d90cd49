#!/usr/bin/env python3
"""Write an assembly file with the function symbols of an ELF file, for backtraces inside the hypervisor.

usage: symbol_table.py IMAGE OUTPUT.S     (IMAGE /dev/null: an empty table; two records a symbol: offset from image_base, name offset; sorted)
"""
import subprocess
import sys


def functions(image):
    base = None
    found = []
    if image == "/dev/null":
        return base, found
    for line in subprocess.run(["nm", "-C", "--defined-only", image], check=True, capture_output=True, text=True).stdout.splitlines():
        value, kind, name = line.split(" ", 2)
        if name == "image_base":
            base = int(value, 16)
        if kind in "tT":
            found.append((int(value, 16), name.split("(")[0].replace("tenon::", "")))
    return base, sorted(set(found))


def main():
    base, found = functions(sys.argv[1])
    seen, records, names, offset = set(), [], [], 0
    for value, name in found:
        if value in seen or value < base:
            continue
        seen.add(value)
        name = name[:60]
        records.append(f".long {value - base}, {offset}")
        names.append(f'.asciz "{name}"')
        offset += len(name) + 1
    with open(sys.argv[2], "w") as out:
        out.write('.section .symbol_table,"a"\n.balign 8\n.globl symbol_records, symbol_count, symbol_names\n')
        out.write(f"symbol_count: .quad {len(records)}\nsymbol_records:\n" + "\n".join(records) + "\nsymbol_names:\n" + "\n".join(names) + "\n")
        out.write('.section .note.GNU-stack,"",@progbits\n')


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Check what must stay small: source files, the hypervisor's code, its image.

usage: check_sizes.py [IMAGE]
"""
import os
import re
import subprocess
import sys

LINES_A_FILE = 500
CODE_LINES = 16_500  # arch, common, drivers and include, without blank lines and comments; 20,000 with every feature there will be
IMAGE_BYTES = 1 << 20
SOURCES = (".cpp", ".hpp", ".h", ".S", ".py", ".sh")


def tracked():
    try:
        listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True).stdout.split("\n")
    except FileNotFoundError:
        listed = []
    if not any(listed):  # no git, or an unpacked archive
        listed = [os.path.join(d, f)[2:] for d, _, files in os.walk(".") for f in files]
    return [f for f in listed if f.endswith(SOURCES) and os.path.exists(f) and not f.startswith("build")]


def code_lines(text):
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    return sum(1 for line in text.split("\n") if line.strip() and not line.strip().startswith("//"))


def main():
    failed = False
    total = 0
    for name in tracked():
        text = open(name, encoding="utf-8").read()
        lines = text.count("\n")
        if lines > LINES_A_FILE:
            print(f"  {name} has {lines} lines, more than {LINES_A_FILE}")
            failed = True
        if name.split("/")[0] in ("arch", "common", "drivers", "include"):
            total += code_lines(text)
    print(f"  hypervisor: {total} lines of code (at most {CODE_LINES})")
    failed |= total > CODE_LINES
    for image in sys.argv[1:]:
        size = os.path.getsize(image)
        print(f"  {image}: {size} bytes (at most {IMAGE_BYTES})")
        failed |= size > IMAGE_BYTES
    sys.exit(failed)


if __name__ == "__main__":
    main()

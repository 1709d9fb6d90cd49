#!/usr/bin/env python3
"""Boots micro-guests on Tenon in Bochs, as a Skylake-X: x2APIC, TSC deadlines, PCIDs and a TLB that forgets nothing by itself,
none of which QEMU 7.2 has without KVM.

usage: bochs.py [-v] [--hypervisor PATH] GUEST...
"""

import argparse
import os
import pty
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from run import BUILD, OPTIONS, OUT, wishes

GRUB_CFG = """\
terminal_output serial
multiboot2 /boot/hypervisor {options}
module2 /boot/guest.elf {arguments}
boot
"""
MACHINE = """\
megs: {memory}
cpu: model=corei7_skylake_x, count={smp}, ips=50000000, reset_on_triple_fault=0
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
ata0-master: type=cdrom, path={folder}/boot.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev={folder}/serial
log: {folder}/log
display_library: term
panic: action=fatal
"""
MUST_SAY = ("x2APIC mode", " PCID ")  # or the machine is not what this is for
GUEST_MUST_SAY = {"movss": "are held back"}   # or the attack was not made
MUST_NOT_SAY = ("Local APIC timer",)  # its frequency is only measured where there are no deadlines


def prepare(folder: Path, hypervisor: Path, name: str) -> None:
    wish = wishes(name)
    boot = folder / "tree/boot"
    (boot / "grub").mkdir(parents=True)
    options = " ".join(filter(None, [OPTIONS, wish.get("hypervisor")]))
    arguments = " ".join(filter(None, [name, wish.get("arguments")]))
    (boot / "grub/grub.cfg").write_text(GRUB_CFG.format(options=options, arguments=arguments))
    (boot / "hypervisor").write_bytes(hypervisor.read_bytes())
    subprocess.run(["strip", "-o", boot / "guest.elf", OUT / f"{name}.elf"], check=True)
    subprocess.run(["grub-mkrescue", "-d", "/usr/lib/grub/i386-pc", "--locales=", "--fonts=", "--themes=",
                    "--install-modules=multiboot2 normal configfile iso9660 biosdisk serial",
                    "-o", folder / "boot.iso", folder / "tree"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    machine = MACHINE.format(folder=folder, memory=min(int(wish.get("memory", 256)), 2048), smp=wish.get("smp", 1))
    (folder / "bochsrc").write_text(machine)
    (folder / "commands").write_text("c\n")  # Debian's Bochs begins in its debugger


def run(folder: Path, limit: float) -> str:
    """The serial line up to the verdict."""
    screen, terminal = pty.openpty()  # Bochs' text display wants one; what it shows there is not looked at
    child = subprocess.Popen(["bochs", "-q", "-f", folder / "bochsrc", "-rc", folder / "commands"], stdin=terminal,
                             stdout=terminal, stderr=terminal, env=dict(os.environ, TERM="xterm"))
    os.close(terminal)
    os.set_blocking(screen, False)
    serial, end = folder / "serial", time.monotonic() + limit
    try:
        while time.monotonic() < end and child.poll() is None:
            time.sleep(0.2)
            try:
                os.read(screen, 1 << 20)
            except (BlockingIOError, OSError):
                pass
            text = serial.read_text(errors="replace") if serial.exists() else ""
            if re.search(r"GUEST \w+: (PASS|FAIL).*\n|\(TEN\) .*panic", text):
                break
    finally:
        child.kill()
        child.wait()
        os.close(screen)
    return serial.read_text(errors="replace").replace("\r", "") if serial.exists() else ""


def main() -> None:
    parser = argparse.ArgumentParser(description="Boot micro-guests in Bochs.")
    parser.add_argument("guests", nargs="+")
    parser.add_argument("--hypervisor", type=Path, default=BUILD / "tenon")
    parser.add_argument("--limit", type=float, default=240, help="seconds for each")
    parser.add_argument("-v", "--verbose", action="store_true", help="show everything the serial line says")
    args = parser.parse_args()
    failed = 0
    for name in args.guests:
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="bochs-") as folder:
            prepare(Path(folder), args.hypervisor, name)
            text = run(Path(folder), args.limit)
        good = (re.search(rf"GUEST {name}: PASS", text) and all(word in text for word in MUST_SAY)
                and GUEST_MUST_SAY.get(name, "") in text and not any(word in text for word in MUST_NOT_SAY))
        failed += not good
        print(f"{'ok  ' if good else 'FAIL'} {name:<28} {time.monotonic() - started:5.1f} s", flush=True)
        if not good or args.verbose:
            print("\n".join(f"   | {line}" for line in text.splitlines()[-30:]))
    print(f"guests in Bochs: {len(args.guests) - failed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()

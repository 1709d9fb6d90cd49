# What cannot boot says so in one line that names what and which, and never resets in silence.
import re
import subprocess

import pytest

from boot import default_options, dom0_image, make_iso
from paths import BUILD, cache_dir, hypervisor_path


def kernel() -> bytes:
    return (cache_dir() / "kernel/6.1/vmlinuz").read_bytes()


def damaged() -> bytes:
    """A byte wrong in the middle of the compressed part."""
    data = bytearray(kernel())
    middle = len(data) // 2
    data[middle:middle + 64] = bytes(byte ^ 0xff for byte in data[middle:middle + 64])
    return bytes(data)


def without_notes() -> bytes:
    """A good 64-bit ELF program of the host, which no one meant to be a guest kernel."""
    source, program = BUILD / "system/plain.c", BUILD / "system/plain"
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text("void _start(void) { for (;;) {} }\n")
    subprocess.run(["gcc", "-static", "-nostdlib", "-no-pie", "-Wl,--build-id=none", "-o", program, source], check=True)
    return program.read_bytes()


CASES = {
    # name: (kernel's bytes or None, MiB of the machine, what the line must say)
    "no-modules": (None, 512, r"module|kernel"),
    "not-a-kernel": (lambda: b"This is no kernel.\n" * 4096, 512, r"kernel|ELF|bzImage"),
    "cut-short": (lambda: kernel()[:200_000], 512, r"kernel|bzImage|payload|module|decompress"),
    "damaged": (damaged, 512, r"decompress|unpack|payload|corrupt|damaged|XZ"),
    "no-pv-notes": (without_notes, 512, r"note"),
    "too-little-memory": (kernel, 64, r"memory|MiB"),
}


TROUBLE = re.compile(r"panic|error|cannot|could not|corrupt|damaged|bad|missing|\b(?:not?|too|only|short)\b", re.I)


@pytest.mark.parametrize("name", CASES)
def test_one_clear_line(boot, hypervisor, on_xen, tmp_path, name):
    if on_xen and name == "cut-short":
        pytest.skip("real Xen dies of a page fault here")
    make, memory, pattern = CASES[name]
    modules = []
    if make:
        file = tmp_path / "vmlinuz"
        file.write_bytes(make())
        modules = [("vmlinuz", file, "console=hvc0"), ("initrd", dom0_image("6.1"), "")]
    iso = make_iso(hypervisor_path(hypervisor), default_options(hypervisor), modules)
    machine = boot(iso=iso, memory=memory, wait=False, limit=60)
    machine.expect("GRUB: loading", 40)
    machine.wait_line(lambda line: TROUBLE.search(line) and re.search(pattern, line, re.I), 30)
    assert "Linux version" not in machine.log
    assert not re.search(r"#PF|#GP|page fault|general protection", machine.log), machine.describe("a fault of ours")

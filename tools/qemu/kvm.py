# Which accelerator to use. A /dev/kvm may exist and be useless (nested, without permission, stopping at the first
# instruction that it does not know), so a tiny kernel is booted under it, with a time limit, before it is trusted.
import os
import subprocess
from pathlib import Path

from paths import BUILD

SOURCE = Path(__file__).resolve().parent / "kvm-probe.S"
PASSED = 0x31 << 1 | 1
LIMIT = 5


def build_probe() -> Path:
    probe = BUILD / "images/kvm-probe"
    if not probe.exists() or probe.stat().st_mtime < SOURCE.stat().st_mtime:
        probe.parent.mkdir(parents=True, exist_ok=True)
        # QEMU's Multiboot loader takes 32-bit ELF only; the code changes to 64 bits by itself.
        subprocess.run(["gcc", "-c", "-o", f"{probe}.o", SOURCE], check=True)
        subprocess.run(["ld", "-m", "elf_x86_64", "-Ttext=0x100000", "-z", "max-page-size=4096", "-o",
                        f"{probe}.64", f"{probe}.o"], check=True, stderr=subprocess.DEVNULL)
        subprocess.run(["objcopy", "-I", "elf64-x86-64", "-O", "elf32-i386", f"{probe}.64", probe], check=True)
    return probe


def works(accel: str, cpu: str) -> tuple[bool, str]:
    """Whether the probe passes, and what it said."""
    argv = ["qemu-system-x86_64", "-accel", accel, "-cpu", cpu, "-m", "32", "-nodefaults", "-display", "none",
            "-no-reboot", "-device", "isa-debug-exit,iobase=0xf4,iosize=1", "-kernel", str(build_probe())]
    try:
        done = subprocess.run(argv, timeout=LIMIT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return False, f"a probe did not finish in {LIMIT} s"
    except OSError as error:
        return False, str(error)
    return done.returncode == PASSED, "a probe ran" if done.returncode == PASSED else "a probe failed"


def choose(wanted: str = "auto") -> tuple[str, str]:
    """("kvm" or "tcg", why)."""
    if wanted != "auto":
        return wanted, "as asked"
    if not os.path.exists("/dev/kvm"):
        return "tcg", "there is no /dev/kvm"
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg", "/dev/kvm may not be used by this user"
    good, why = works("kvm", "host")
    return ("kvm", f"{why} under it") if good else ("tcg", f"/dev/kvm is there, but {why} under it")

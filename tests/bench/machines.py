# The three systems that are compared: the same kernel, initramfs and machine, without a hypervisor, on Tenon and on Xen.
import os
import re
import select
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tools/qemu"))

import boot  # noqa: E402
from paths import BUILD, cache_dir, hypervisor_path  # noqa: E402

OUT = BUILD / "bench"
PLUGIN = OUT / "opcount.so"
SYSTEMS = ("native", "tenon", "xen")
TITLES = {"native": "no hypervisor", "tenon": "Tenon", "xen": "Xen 4.17"}
ICOUNT = ("-icount", "shift=0,align=off,sleep=off")
HYPERVISOR_OPTIONS = "console=com1 com1=115200,8n1"


class BenchError(Exception):
    pass


@dataclass
class Run:
    system: str
    command: str                    # to show, with paths of this tree made relative
    lines: list[str]                # what the serial line said
    counts: dict[str, dict] = field(default_factory=dict)    # id of a mark: {"hv.insn": ...}
    seconds: float = 0


def boot_arguments(system: str, initrd: Path, kernel_options: str, options: str) -> tuple[list[str], str]:
    """QEMU's arguments that start the kernel, and the command that makes the ISO that they name."""
    kernel = cache_dir() / "kernel/6.1/vmlinuz"
    words = f"rdinit=/init quiet {kernel_options}"
    if system == "native":
        return ["-kernel", str(kernel), "-initrd", str(initrd), "-append", f"console=ttyS0 {words}"], ""
    words = f"console=hvc0 {words}"
    options = f"{HYPERVISOR_OPTIONS} {options}".strip()
    path = hypervisor_path(system)
    iso = boot.make_iso(path, options, [("vmlinuz", kernel, words), ("initrd", initrd, "")])
    made_by = ["tools/qemu/iso", str(iso), "--hypervisor", str(path), "--options", options, "--kernel", str(kernel),
               "--kernel-options", words, "--initrd", str(initrd)]
    return ["-cdrom", str(iso), "-boot", "d"], shown(made_by) + " && "


def machine(memory: int) -> list[str]:
    return ["qemu-system-x86_64", "-machine", "q35", "-accel", "tcg,tb-size=256,thread=single", "-cpu", "Haswell-noTSX",
            "-smp", "1", "-m", str(memory), "-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio"]


def follow(process: subprocess.Popen, limit: float, until: str, log: TextIO) -> list[str]:
    """The serial line's lines, until QEMU ends or a line with `until` has come and two seconds have passed."""
    lines, buffer, end = [], b"", time.monotonic() + limit
    while (left := end - time.monotonic()) > 0:
        if not select.select([process.stdout], [], [], left)[0]:
            continue
        chunk = os.read(process.stdout.fileno(), 65536)
        if not chunk:
            break
        *whole, buffer = (buffer + chunk).split(b"\n")
        for line in whole:
            lines.append(re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", line.decode(errors="replace")).rstrip("\r"))
            print(lines[-1], file=log, flush=True)
            if until in lines[-1]:
                end = min(end, time.monotonic() + 2)
    return lines


def shown(command: list[str]) -> str:
    text = shlex.join(command)
    for folder, name in ((cache_dir(), "build/cache"), (BUILD, "build"), (ROOT, ".")):
        text = text.replace(str(folder), name)
    return text


def run(system: str, name: str, initrd: Path, options: str, *, count=False, icount=False, limit=900.0, memory=1536,
        hypervisor_options="", traps=False, until="bench: end", counter=None) -> Run:
    """Boots the system once. The serial log stays in build/bench/NAME-SYSTEM.log."""
    started, made_by = boot_arguments(system, initrd, options, hypervisor_options)
    extra = [*(ICOUNT if icount else ()), *(("-plugin", str(PLUGIN)) if count else ())]
    command = [*machine(memory), *started, *extra]
    counts = OUT / f"{name}-{system}.cnt"
    counts.unlink(missing_ok=True)
    environment = {"OPCOUNT_OUT": str(counts)} | ({"OPCOUNT_TRAPS": "1"} if traps else {}) if count else {}
    began = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               env=os.environ | environment)
    try:
        with (OUT / f"{name}-{system}.log").open("w") as log:
            lines = follow(process, limit, until, log)
    finally:
        process.kill()
        process.wait()
    if not any(until in line for line in lines):
        raise BenchError(f"{name} on {system} did not end: see build/bench/{name}-{system}.log")
    words = [*(f"{name}={value}" for name, value in environment.items()), *command]
    return Run(system, made_by + shown(words), lines, (counter or read_counts)(counts), time.monotonic() - began)


def counts_in_turn(path: Path) -> dict[str, list[dict]]:
    """What each mark has counted, every time that it was passed."""
    counts: dict[str, list[dict]] = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        number, *fields = line.split()[1:]
        counts.setdefault(number, []).append({k: int(v) for k, v in (f.split("=") for f in fields)})
    return counts


def read_counts(path: Path) -> dict[str, dict]:
    return {number: counts[-1] for number, counts in counts_in_turn(path).items()}


def printed(lines: list[str]) -> dict[str, tuple]:
    """{id of a mark: (operations, name, nanoseconds for all)} of what ubench has printed."""
    found = (re.search(r"BENCH (\d+) (\d+) (\d+) (.*)", line) for line in lines)
    return {m.group(1): (int(m.group(2)), m.group(4), int(m.group(3))) for m in found if m}


def operations(run: Run) -> dict[str, dict]:
    """{operation: {"ns": per operation, "hv.insn": per operation, ...}}"""
    return {name: {"ns": time / times, **{k: v / times for k, v in run.counts.get(number, {}).items()}}
            for number, (times, name, time) in printed(run.lines).items()}

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


def qemu_command(system: str, initrd: Path, options: str, memory: int, extra: list[str],
                 hypervisor_options: str = "") -> list[str]:
    kernel = cache_dir() / "kernel/6.1/vmlinuz"
    common = f"rdinit=/init quiet {options}"
    out = ["qemu-system-x86_64", "-machine", "q35", "-accel", "tcg,tb-size=256,thread=single", "-cpu", "Haswell-noTSX",
           "-smp", "1", "-m", str(memory), "-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio"]
    if system == "native":
        out += ["-kernel", str(kernel), "-initrd", str(initrd), "-append", f"console=ttyS0 {common}"]
    else:
        modules = [("vmlinuz", kernel, f"console=hvc0 {common}"), ("initrd", initrd, "")]
        iso = boot.make_iso(hypervisor_path(system), f"{HYPERVISOR_OPTIONS} {hypervisor_options}".strip(), modules)
        out += ["-cdrom", str(iso), "-boot", "d"]
    return out + extra


def follow(process: subprocess.Popen, limit: float, until: str) -> list[str]:
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
            if until in lines[-1]:
                end = min(end, time.monotonic() + 2)
    return lines


def shown(command: list[str]) -> str:
    return shlex.join(command).replace(str(BUILD), "build").replace(str(ROOT) + "/", "")


def run(system: str, name: str, initrd: Path, options: str, *, count=False, icount=False, limit=900.0, memory=1536,
        extra=(), hypervisor_options="", until="bench: end") -> Run:
    """Boots the system once. The serial log stays in build/bench/NAME-SYSTEM.log."""
    arguments = [*extra, *(ICOUNT if icount else ()), *(("-plugin", str(PLUGIN)) if count else ())]
    command = qemu_command(system, initrd, options, memory, arguments, hypervisor_options)
    counts = OUT / f"{name}-{system}.cnt"
    counts.unlink(missing_ok=True)
    began = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               env={**os.environ, "OPCOUNT_OUT": str(counts)})
    try:
        lines = follow(process, limit, until)
    finally:
        process.kill()
        process.wait()
    (OUT / f"{name}-{system}.log").write_text("\n".join(lines) + "\n")
    if not any(until in line for line in lines):
        raise BenchError(f"{name} on {system} did not end: see build/bench/{name}-{system}.log")
    prefix = f"OPCOUNT_OUT=build/bench/{counts.name} " if count else ""
    return Run(system, prefix + shown(command), lines, read_counts(counts), time.monotonic() - began)


def read_counts(path: Path) -> dict[str, dict]:
    counts = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        number, *fields = line.split()[1:]
        counts[number] = {k: int(v) for k, v in (f.split("=") for f in fields)}
    return counts


def operations(run: Run) -> dict[str, dict]:
    """{operation: {"ns": per operation, "hv.insn": per operation, ...}} of what ubench has printed."""
    rows = {}
    for line in run.lines:
        match = re.search(r"BENCH (\d+) (\d+) (\d+) (.*)", line)
        if match:
            number, times, name = match.group(1), int(match.group(2)), match.group(4)
            rows[name] = {"ns": int(match.group(3)) / times}
            rows[name].update({k: v / times for k, v in run.counts.get(number, {}).items()})
    return rows

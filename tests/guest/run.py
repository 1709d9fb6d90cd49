#!/usr/bin/env python3
"""Boots micro-guests as dom0 in QEMU, on Tenon or on real Xen, and reads their verdicts from the serial line.

One ISO holds the hypervisor and every guest; GRUB learns which guest to start from an SMBIOS string that QEMU
sets, so nothing is built between two runs. A guest says how it wants to run in a comment of its source:

    // Run with: smp=2 hypervisor="dom0_max_vcpus=2" arguments="color=blue" limit=60 cases="a b" ends="crash"
"""

import argparse
import os
import re
import select
import shlex
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
SOURCES = TREE / "tests/guest"
BUILD = Path(os.environ.get("TENON_BUILD") or TREE / "build")
OUT = BUILD / "guests"
XEN = Path(os.environ.get("TENON_CACHE") or BUILD / "cache") / "xen"
LOW = ".low"  # a guest's twin, linked to the lower half of addresses
PLUGIN = BUILD / "bench/opcount.so"
OPTIONS = "dom0_mem=64M console=com1 com1=115200,8n1 loglvl=all guest_loglvl=all noreboot bootscrub=0"

GRUB_CFG = """\
set timeout=0
terminal_input serial
terminal_output serial
smbios --type 1 --get-string 5 --set guest
smbios --type 1 --get-string 6 --set options
smbios --type 1 --get-string 7 --set arguments
multiboot2 /boot/hypervisor $options
module2 /boot/$guest.elf $arguments
boot
"""


@dataclass
class Outcome:
    name: str
    passed: bool
    seconds: float
    why: str
    lines: list = field(default_factory=list)


def build_iso(hypervisor: Path, elves: list) -> Path:
    iso = OUT / f"{hypervisor.resolve().parent.name}-{hypervisor.name}.iso"
    inputs = [hypervisor, *elves, Path(__file__)]
    if iso.exists() and all(p.stat().st_mtime <= iso.stat().st_mtime for p in inputs):
        return iso
    with tempfile.TemporaryDirectory() as folder:
        boot = Path(folder) / "boot"
        (boot / "grub").mkdir(parents=True)
        (boot / "grub/grub.cfg").write_text(GRUB_CFG)
        (boot / "hypervisor").write_bytes(hypervisor.read_bytes())
        for elf in elves:
            subprocess.run(["strip", "-o", boot / elf.name, elf], check=True)
        subprocess.run(
            ["grub-mkrescue", "-d", "/usr/lib/grub/i386-pc", "--locales=", "--fonts=", "--themes=",
             "--install-modules=multiboot2 smbios normal configfile iso9660 biosdisk serial",
             "-o", iso, folder],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return iso


def wishes(name: str) -> dict:
    name = name.removesuffix(LOW)
    match = re.search(r"^// Run with: (.*(?:\n// .*)*)", (SOURCES / f"{name}.cpp").read_text(), re.M)
    words = shlex.split(match.group(1).replace("\n//", "")) if match else []
    return dict(word.split("=", 1) for word in words)


def runs_of(name: str) -> list:
    """A guest with cases is booted once for each: crash:no_handler, crash:bad_stack, ..."""
    cases = wishes(name).get("cases", "").split()
    return [f"{name}:{case}" for case in cases] or [name]


def qemu_command(iso: Path, run: str, args, extra: list) -> list:
    image, _, case = run.partition(":")
    name, wish = image.removesuffix(LOW), wishes(image)
    options = " ".join(filter(None, [OPTIONS, wish.get("hypervisor"), args.options]))
    arguments = " ".join(filter(None, [name, args.arguments, wish.get("arguments"), case and f"case={case}"]))
    smbios = [f"type=1", f"product={image}", f"version={options}", f"serial={arguments}"]
    return ["qemu-system-x86_64", "-accel", "tcg", "-cpu", args.cpu, "-m", wish.get("memory", "512"),
            "-smp", args.smp or wish.get("smp", "1"), "-nodefaults", "-display", "none", "-no-reboot", "-net", "none",
            "-serial", "stdio", "-cdrom", str(iso), "-boot", "d",
            "-smbios", ",".join(part.replace(",", ",,") for part in smbios), *shlex.split(wish.get("qemu", "")), *extra]


def run_guest(iso: Path, run: str, args, extra=(), env=None) -> Outcome:
    started, name = time.monotonic(), run.partition(":")[0].removesuffix(LOW)
    limit = args.limit or float(wishes(name).get("limit", 60))
    process = subprocess.Popen(qemu_command(iso, run, args, list(extra)), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env)
    lines, buffer, verdict, end = [], b"", None, started + limit
    try:
        while True:
            left = end - time.monotonic()
            if left <= 0:
                break
            if not select.select([process.stdout], [], [], left)[0]:
                continue
            chunk = os.read(process.stdout.fileno(), 65536)
            if not chunk:
                break
            buffer += chunk
            *whole, buffer = buffer.split(b"\n")
            for line in whole:
                text = line.decode(errors="replace").rstrip("\r")
                lines.append(text)
                if args.verbose:
                    print("   |", text, flush=True)
                if re.search(r"Dom0 (crashed|halted)|domain 0 (crashed|halted)|panic|cannot start", text, re.I):
                    end = min(end, time.monotonic() + 0.5)
                match = re.search(rf"GUEST {name}: (PASS|FAIL)(.*)", text)
                if match and not verdict and not is_of_child(text):
                    verdict = match
                    # What the hypervisor says while it shuts down counts, too.
                    end = min(end, time.monotonic() + (0.2 if args.is_xen else 3))
    finally:
        process.kill()
        process.wait()
    if buffer:
        lines.append(buffer.decode(errors="replace"))
    seconds = time.monotonic() - started
    fatal = next((l for l in lines if not is_of_child(l) and re.search(r"panic|FATAL|BUG at|assert", l, re.I)), None)
    if wishes(name).get("ends") == "crash":
        crash = next((l for l in lines if re.search(r"(dom0|domain 0).*crash", l, re.I)), None)
        why = next((l for l in lines if l.startswith("CHECK ")), fatal or crash or "no crash in the log")
        return Outcome(run, bool(crash) and not fatal and not verdict, seconds, why, lines)
    if not verdict:
        why = f"no verdict after {seconds:.0f} s" if seconds >= limit else "ended without a verdict"
    elif verdict.group(1) == "FAIL":
        why = verdict.group(2).strip(" ()")
    elif fatal:
        why = f"hypervisor: {fatal}"
    else:
        return Outcome(run, True, seconds, verdict.group(2).strip(" ()"), lines)
    return Outcome(run, False, seconds, why, lines)


def is_of_child(line: str) -> bool:
    """Printed by a domain that the guest made, by way of the hypervisor's log."""
    return bool(re.search(r"\(\w+\) \(d[1-9]", line))


def report(outcome: Outcome) -> None:
    print(f"{'ok  ' if outcome.passed else 'FAIL'} {outcome.name:28} {outcome.seconds:5.1f} s  {outcome.why}", flush=True)
    found = (re.search(r"(CHECK|SKIP) .*", l) for l in outcome.lines if not is_of_child(l))
    details = [m.group() for m in found if m and m.group() != outcome.why]
    if not outcome.passed and not details:
        details = outcome.lines[-15:]
    for line in details[:40]:
        print("     ", line[:200])


def run_bench(iso: Path, name: str, args, failures: list) -> dict:
    """{operation: {"hv.insn": per operation, ...}} from the counting plugin. Time goes by instructions, so that a busy host
    adds no ticks of the clock to what is counted."""
    with tempfile.NamedTemporaryFile(prefix="opcount") as counts:
        extra = ["-icount", "shift=0,align=off,sleep=off", "-plugin", str(PLUGIN)]
        outcome = run_guest(iso, name, args, extra, {**os.environ, "OPCOUNT_OUT": counts.name})
        text = Path(counts.name).read_text()
    if not outcome.passed:
        report(outcome)
        failures.append(name)
    counted = {}
    for line in text.splitlines():
        number, *fields = line.split()[1:]
        counted[number] = {k: int(v) for k, v in (f.split("=") for f in fields)}
    rows = {}
    for line in outcome.lines:
        match = re.match(r"BENCH (\d+) (\d+) (.*)", line)
        if match and match.group(1) in counted:
            rows[match.group(3)] = {k: v / int(match.group(2)) for k, v in counted[match.group(1)].items()}
    return rows


def print_table(columns: dict) -> None:
    names = list(columns)
    print(f"{'':36}" + "".join(f"{n + ' insn':>16}{'cr3':>6}{'invlpg':>8}" for n in names))
    operations = list(dict.fromkeys(op for rows in columns.values() for op in rows))
    for operation in operations:
        line = f"{operation:36}"
        for name in names:
            row = columns[name].get(operation)
            line += f"{row.get('hv.insn', 0):16,.0f}{row.get('hv.cr3', 0):6.1f}{row.get('hv.invlpg', 0):8.1f}" if row else f"{'-':>30}"
        costs = [columns[n].get(operation, {}).get("hv.insn") for n in names]
        if len(costs) == 2 and all(costs):
            line += f"   {100 * costs[0] / costs[1]:4.0f} %"
        print(line)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="guests to run (default: all)")
    parser.add_argument("--hypervisor", action="append", help="tenon, xen or a path; twice with --bench for two columns")
    parser.add_argument("--cpu", default="Haswell-noTSX", help="QEMU CPU model")
    parser.add_argument("--options", default="", help="more options for the hypervisor's command line")
    parser.add_argument("--arguments", default="", help="words for the guest's command line, before its own")
    parser.add_argument("--limit", type=float, help="seconds a guest may take (default: what it says, or 60)")
    parser.add_argument("--smp", help="CPUs of the machine (default: what the guest says, or 1)")
    parser.add_argument("--verbose", "-v", action="store_true", help="show the serial line")
    parser.add_argument("--bench", action="store_true", help="count instructions per operation instead")
    args = parser.parse_args()

    known = {p.stem: p for p in sorted(OUT.glob("*.elf")) if (SOURCES / f"{p.stem.removesuffix(LOW)}.cpp").exists()}
    names = args.names or [n for n in known if not n.startswith("bench")]
    for name in names:
        if name.partition(":")[0] not in known:
            parser.error(f"no guest {name}; there are: {' '.join(known)}")
    paths = [{"tenon": BUILD / "tenon", "xen": XEN}.get(h, Path(h)) for h in args.hypervisor or ["tenon"]]
    for path in paths:
        if not path.exists():
            parser.error(f"no hypervisor at {path}")

    failed, columns, bench_failures = 0, {}, []
    for path in paths:
        args.is_xen = path.name.startswith("xen")
        iso = build_iso(path, list(known.values()))
        if args.bench:
            columns[path.name] = {}
            for name in args.names or [n for n in known if n.startswith("bench")]:
                columns[path.name].update(run_bench(iso, name, args, bench_failures))
            continue
        outcomes = []
        for run in (r for name in names for r in (runs_of(name) if ":" not in name else [name])):
            outcomes.append(run_guest(iso, run, args))
            report(outcomes[-1])
        failures = sum(not o.passed for o in outcomes)
        print(f"guests on {path.name}: {len(outcomes) - failures} passed, {failures} failed")
        failed += failures
    if args.bench:
        print("hypervisor instructions, CR3 writes and INVLPGs per operation" + (", first as % of second" if len(columns) == 2 else ""))
        print_table(columns)
    return 1 if failed or bench_failures else 0


if __name__ == "__main__":
    sys.exit(main())

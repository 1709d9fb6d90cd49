#!/usr/bin/python3 -B
"""Measures the same kernel and programs without a hypervisor, on Tenon and on real Xen 4.17, in turn, and writes docs/performance.md.

Results are kept in build/bench/results.json, so that a part can be measured again by itself (--only).
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "guest")]

import guest_image  # noqa: E402
import image  # noqa: E402
import machines  # noqa: E402
import report  # noqa: E402
import run as guests  # noqa: E402
from machines import OUT, ROOT, SYSTEMS, BenchError, counts_in_turn, operations, run  # noqa: E402
from paths import cache_dir  # noqa: E402

RESULTS = OUT / "results.json"
GUEST_MARK = "130"                  # ubench mark
GUEST_KERNELS = ("cloud-6.1", "cloud-6.12")    # as dom0-guest.sh starts them


def say(text: str) -> None:
    print(f"bench: {text}", flush=True)


class Bench:
    def __init__(self, args: argparse.Namespace):
        self.args = args
        self.results = json.loads(RESULTS.read_text()) if args.only and RESULTS.exists() else {}
        self.results.setdefault("commands", {})
        self.failed = 0

    def run(self, system: str, name: str, options: str, initrd: Path | None = None, **settings) -> machines.Run:
        done = run(system, name, initrd or image.image(), options, limit=self.args.limit, **settings)
        self.results["commands"][f"{name}-{system}"] = done.command
        say(f"{name}, {machines.TITLES[system]}: {done.seconds:.0f} s")
        return done

    def calls(self) -> None:
        """Single operations, by the micro-guest."""
        columns, failures = {}, []
        settings = argparse.Namespace(cpu="Haswell-noTSX", options="", arguments="", smp="", limit=self.args.limit, verbose=False)
        for system, path in (("tenon", guests.TREE / "build/tenon"), ("xen", guests.XEN)):
            settings.is_xen = system == "xen"
            iso = guests.build_iso(path, sorted(guests.OUT.glob("*.elf")))
            columns[system] = guests.run_bench(iso, "bench_hypercalls", settings, failures)
        guests.print_table(columns)
        if failures:
            raise BenchError("the micro-guest failed")
        self.results["calls"] = columns
        self.results["commands"]["calls"] = "tests/guest/run.py --bench --hypervisor tenon --hypervisor xen"

    def together(self, jobs: list[tuple]) -> list[machines.Run]:
        """Runs of which nothing depends on real time: two at once."""
        with ThreadPoolExecutor(self.args.jobs) as pool:
            return list(pool.map(lambda job: self.run(*job[:3], **job[3]), jobs))

    def linux(self) -> None:
        """A Linux program's operations: counts and guest time, exact because time goes by instructions."""
        kinds = [("linux", f"bench.scale={self.args.scale / 4}", {"count": True, "icount": True}),
                 # What a computation costs is the clock's ticks, and their number is a matter of real time.
                 ("ticks", "bench.scale=2 bench.only=compute", {"count": True}),
                 ("compile", "bench.compile", {"icount": True, "initrd": image.image(with_compiler=True)})]
        image.image()
        done = iter(self.together([(system, *kind) for kind in kinds for system in SYSTEMS]))
        columns = {system: operations(next(done)) for system in SYSTEMS}
        for system in SYSTEMS:
            columns[system]["compute"] = {**operations(next(done))["compute"], "ns": columns[system]["compute"]["ns"]}
        for system in SYSTEMS:
            columns[system].update(operations(next(done)))
        self.results["linux"] = columns

    def wall(self) -> None:
        """Wall clock: rounds of the three systems in turn."""
        self.results["wall"] = [
            {system: operations(self.run(system, "wall", f"bench.scale={self.args.scale}")) for system in SYSTEMS}
            for _ in range(self.args.rounds)]

    def guests(self, what: str, **settings) -> dict[str, machines.Run]:
        """On each hypervisor a dom0 that starts one guest."""
        settings |= {"initrd": guest_image.image(what == "io"), "icount": True, "memory": 2048, "hypervisor_options": "dom0_mem=1024M"}
        jobs = [(system, what, f"tenon.test=bench-guest bench.what={what}", settings) for system in SYSTEMS[1:]]
        return {run.system: run for run in self.together(jobs)}

    def boot(self) -> None:
        """The boots of two guests: which of their kernels' instructions had to be emulated. And by Tenon's own count."""
        found, own = {kernel: {} for kernel in GUEST_KERNELS}, {}
        for system, done in self.guests("boot", count=True, traps=True, counter=counts_in_turn).items():
            boots = done.counts.get(GUEST_MARK, [])
            if len(boots) != len(GUEST_KERNELS):
                raise BenchError(f"a guest did not boot on {system}: see build/bench/boot-{system}.log")
            for kernel, counts in zip(GUEST_KERNELS, boots):
                kinds = {k.removeprefix("trap."): v for k, v in counts.items() if k.startswith("trap.")}
                found[kernel][system] = {"total": sum(kinds.values()), **kinds}
            own |= {what: {k: int(v) for k, v in re.findall(r"(\w+) (\d+)", words)}
                    for what, words in re.findall(r"^EMULATED (\S+) (.*)", "\n".join(done.lines), re.M)}
        self.results["boot"] = found
        self.results["emulated"] = own

    def io(self) -> None:
        """Disk and network of a guest: lines "IO NUMBER UNIT NAME" that it prints."""
        found = {}
        for system, done in self.guests("io").items():
            rows = re.findall(r"^IO ([\d.e+]+) (\S+) (.*)", "\n".join(done.lines), re.M)
            found[system] = {f"{name}, {unit}": float(value) for value, unit, name in rows}
        if not found["tenon"] or found["tenon"].keys() != found["xen"].keys():
            raise BenchError("not every row was measured: see build/bench/io-*.log")
        self.results["io"] = found

    def measure(self, parts: list[str]) -> None:
        for part in parts:
            began = time.monotonic()
            try:
                getattr(self, part)()
            except (BenchError, subprocess.SubprocessError) as error:
                say(f"{part} FAILED: {error}")
                self.failed += 1
                self.results.pop(part, None)
            else:
                self.results.setdefault("made", {})[part] = {"tree": tree(), "minutes": (time.monotonic() - began) / 60}
            self.results["about"] = about()
            RESULTS.write_text(json.dumps(self.results, indent=1))
        say(f"wrote {report.write(self.results).relative_to(ROOT)}")


PARTS = ["calls", "linux", "wall", "boot", "io"]


def first(command: list[str], pattern: str) -> str:
    done = subprocess.run(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    match = re.search(pattern, done.stdout, re.M)
    return match.group(1) if match else "unknown"


def tree() -> str:
    return "commit " + first(["git", "describe", "--always", "--dirty"], r"^(\S+)")


def about() -> dict:
    model = re.search(r"^model name\s*: (.*)", Path("/proc/cpuinfo").read_text(), re.M)
    return {"cpus": os.cpu_count(), "host": model.group(1) if model else platform.machine(),
            "qemu": "QEMU " + first(["qemu-system-x86_64", "--version"], r"version ([\d.]+)"),
            "kernel": (cache_dir() / "kernel/6.1/release").read_text().strip()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help=f"measure only these, with commas between them: {', '.join(PARTS)}")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of the wall clock (default 3)")
    parser.add_argument("--scale", type=float, default=1, help="how often operations are run (default 1)")
    parser.add_argument("--jobs", type=int, default=2, help="machines at once, where time does not count (default 2)")
    parser.add_argument("--limit", type=float, default=1800, help="seconds that one machine may run (default 1800)")
    parser.add_argument("--report", action="store_true", help="write the page again from the last results")
    args = parser.parse_args()
    parts = [part for part in args.only.split(",") if part] or PARTS
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    if args.report:
        say(f"wrote {report.write(json.loads(RESULTS.read_text())).relative_to(ROOT)}")
        return 0
    bench = Bench(args)
    bench.measure(parts)
    return 1 if bench.failed else 0


if __name__ == "__main__":
    sys.exit(main())

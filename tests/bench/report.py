# Writes docs/performance.md from the results of a run. Every row that is measured is shown, also where Xen is better.
from pathlib import Path

import plots
import targets
from machines import ROOT, SYSTEMS, TITLES

PAGE = ROOT / "docs/performance.md"
PLOTS = ROOT / "docs/performance"

INTRO = """\
# Performance

What Tenon costs, beside the same Debian kernel without a hypervisor and on real Xen 4.17 (Debian's package, its
defaults). `make bench` makes this page; it was made with {qemu}, kernel {kernel}, on {cpus} CPUs of a {host}, part by part:
{made}.

Counts come first, because they do not depend on the machine that measures: instructions executed in the hypervisor,
the guest's kernel and its user mode (`tests/bench/opcount.c`, a QEMU plugin). Each step of a REP instruction counts as one.
Times follow as ratios. QEMU translates instructions; on hardware, CR3 writes and faults cost more than they do here.
What the code does to be short is in [performance/paths.md](performance/paths.md).

{summary}
"""
CALLS = """
## Single operations

A micro-guest (`tests/guest/bench_hypercalls.cpp`) runs each operation some hundred times: hypervisor instructions, and the
hypervisor's CR3 writes and INVLPGs, per operation.

![Hypervisor instructions per operation](performance/calls.svg)

"""
LINUX = """
## Operations of a Linux program

`tests/bench/ubench.cpp` in a dom0 with one virtual CPU (Debian's 6.1 kernel with its defaults, initramfs), under `-icount`: hypervisor
instructions per operation. A page fault is one of 256 pages that are mapped, touched and unmapped. `compute` is two
million steps of a generator and, because what it costs is the ticks of the clock, it is counted without `-icount`.

![Hypervisor instructions per operation of a Linux program](performance/linux.svg)

"""
PARTS = """
All instructions that are executed per operation, as user + kernel + hypervisor, and all CR3 writes:

"""
TIME = """
## What the user feels

Guest time under `-icount shift=0` (a nanosecond is an instruction, of whomever), relative to the same kernel without a
hypervisor. `compile` is 25 preprocessed C files with GCC 12's cc1 at -O2, one process each.

![Guest time relative to no hypervisor](performance/time.svg)

"""
WALL = """
## Wall clock

The same program without counting, {rounds} rounds of the three systems in turn; the median of each round's ratio to the run without a
hypervisor in that round. Depends on how busy the host is, and on how dear QEMU makes what hardware makes cheap.

"""
OWN_COUNT = """
By Tenon's own count (`tenon dmesg -k e`), some seconds after each `/init` began:

"""
BOOT = """
## A guest's boot

Instructions of guest kernels that trap and have to be emulated, from `create` in dom0 until the guest's `/init` runs (what
dom0 executes meanwhile is in it).

"""
IO = """
## Disk and network of a guest

A guest with one virtual CPU, its disk a file of dom0, its network a bridge to dom0; the same tools, kernels and
configuration on both. Times are guest time under `-icount`.

"""
COMMANDS = """
## Command lines

    make bench

runs the following, and everything else on this page comes from their output:

"""


def number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.1f}"


def ratio(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}" if value < 1.1 else f"{value:.2f}"


def verdict(target: targets.Target, value: float | None, xen: float | None) -> str:
    if value is None:
        return "not measured"
    if value <= target.at_most:
        text = "met" if target.aim is None or value > target.aim else "met, aim too"
    else:
        text = "**missed**"
    return text + ("; Xen is better" if xen is not None and xen < value else "")


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|---|" + "--:|" * (len(head) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def pair(columns: dict, operation: str, what: str) -> str:
    return " / ".join(number(round(columns[s].get(operation, {}).get(what, 0), 1)) for s in ("tenon", "xen"))


def count_rows(wanted: list[targets.Target], columns: dict) -> list[list[str]]:
    """Rows with a target in their order, then everything else that was measured."""
    known = {t.name: t for t in wanted}
    others = [name for name, counts in columns["tenon"].items() if name not in known and "hv.insn" in counts]
    rows = []
    for name in [*known, *others]:
        mine, xen = (columns[s].get(name, {}).get("hv.insn") for s in ("tenon", "xen"))
        target = known.get(name)
        percent = f"{100 * mine / xen:.0f} %" if mine and xen else "–"
        limits = [number(target.at_most), number(target.aim), verdict(target, mine, xen)] if target else ["", "", ""]
        if not target and mine and xen and mine > xen:
            limits[2] = "Xen is better"
        rows.append([name, number(xen), number(mine), percent, *limits, pair(columns, name, "hv.cr3"),
                     pair(columns, name, "hv.invlpg")])
    return rows


COUNT_HEAD = ["operation", "Xen 4.17", "Tenon", "of Xen", "at most", "aim", "target", "CR3 writes, Tenon / Xen", "INVLPG"]


def parts_rows(columns: dict) -> list[list[str]]:
    rows = []
    for name in (n for n, counts in columns["native"].items() if "user.insn" in counts):
        row = [name]
        for system in SYSTEMS:
            of = columns[system].get(name, {})
            parts = ("user", "kernel", "hv")[:2 if system == "native" else 3]
            row.append(" + ".join(f"{of.get(f'{part}.insn', 0):,.0f}" for part in parts))
        row.append(" / ".join(number(round(sum(v for k, v in columns[s].get(name, {}).items() if k.endswith(".cr3")), 1))
                              for s in SYSTEMS))
        rows.append(row)
    return rows


def against_native(columns: dict, name: str, system: str) -> float | None:
    mine, native = (columns.get(s, {}).get(name, {}).get("ns") for s in (system, "native"))
    return mine / native if mine and native else None


def time_rows(columns: dict) -> list[list[str]]:
    known = {t.name: t for t in targets.GUEST_TIME}
    rows = []
    for name in [*known, *(n for n in columns["native"] if n not in known)]:
        mine, xen = (against_native(columns, name, s) for s in ("tenon", "xen"))
        target, native = known.get(name), columns["native"].get(name, {}).get("ns")
        limits = [ratio(target.at_most), ratio(target.aim), verdict(target, mine, xen)] if target else ["", "", ""]
        rows.append([name, number(native and native / 1000), ratio(xen), ratio(mine), *limits])
    return rows


def wall_rows(rounds: list[dict]) -> list[list[str]]:
    def middle(name: str, system: str) -> str:
        of = sorted(r for r in (against_native(columns, name, system) for columns in rounds) if r)
        return ratio(of[len(of) // 2]) if of else "–"
    return [[name, number(rounds[0]["native"][name]["ns"] / 1000), middle(name, "xen"), middle(name, "tenon")]
            for name in rounds[0]["native"]]


def summary(results: dict) -> str:
    lines = []
    kinds = [("single operations", targets.CALLS, results.get("calls"), "hv.insn"),
             ("operations of a Linux program", targets.LINUX, results.get("linux"), "hv.insn")]
    for title, wanted, columns, what in kinds:
        if columns:
            values = [(t, columns["tenon"].get(t.name, {}).get(what), columns["xen"].get(t.name, {}).get(what)) for t in wanted]
            lines.append(count_line(title, values))
    if times := results.get("linux"):
        values = [(t, *(against_native(times, t.name, s) for s in ("tenon", "xen"))) for t in targets.GUEST_TIME]
        lines.append(count_line("guest time", values))
    missing = [title for part, title in (("boot", "a guest's boot"), ("io", "disk and network of a guest"), ("wall", "wall clock"))
               if not results.get(part)]
    return "\n".join(lines + ([f"- not measured in this run: {', '.join(missing)}"] if missing else []))


def count_line(title: str, values: list[tuple]) -> str:
    measured = [v for v in values if v[1] is not None]
    met = sum(v[1] <= v[0].at_most for v in measured)
    aims = [v for v in measured if v[0].aim is not None]
    both = [v for v in measured if v[2] is not None]
    return (f"- {title}: {met} of {len(values)} targets met, {sum(v[1] <= v[0].aim for v in aims)} of {len(aims)} aims; "
            f"better than Xen in {sum(v[1] < v[2] for v in both)} of {len(both)}")


def write(results: dict) -> Path:
    PLOTS.mkdir(parents=True, exist_ok=True)
    made = "; ".join(f"{part} from {of['tree']} in {of['minutes']:.0f} minutes" for part, of in results.get("made", {}).items() if results.get(part))
    text = INTRO.format(summary=summary(results), made=made, **results["about"])
    if calls := results.get("calls"):
        text += CALLS + table(COUNT_HEAD, count_rows(targets.CALLS, calls))
        plots.counts(PLOTS / "calls.svg", targets.CALLS, calls)
    if linux := results.get("linux"):
        text += LINUX + table(COUNT_HEAD, count_rows(targets.LINUX, linux))
        text += PARTS + table(["operation", *(TITLES[s] for s in SYSTEMS), "CR3 writes of the three"], parts_rows(linux))
        plots.counts(PLOTS / "linux.svg", targets.LINUX, linux)
        text += TIME + table(["operation", "no hypervisor, us", "Xen 4.17", "Tenon", "at most", "aim", "target"], time_rows(linux))
        plots.times(PLOTS / "time.svg", targets.GUEST_TIME, {
            t.name: {s: against_native(linux, t.name, s) for s in ("tenon", "xen")} for t in targets.GUEST_TIME})
    if rounds := results.get("wall"):
        text += WALL.format(rounds=len(rounds))
        text += table(["operation", "no hypervisor, us", "Xen 4.17", "Tenon"], wall_rows(rounds))
    if boot := results.get("boot"):
        text += BOOT + table(["", *(f"{k}, {TITLES[s]}" for k in boot for s in ("xen", "tenon")), "at most", "target"], boot_rows(boot))
    if own := results.get("emulated"):
        kinds = list(next(iter(own.values())))
        text += OWN_COUNT + table(["boot of", "all", *kinds],
                                  [[what, number(sum(n.values())), *(number(n[k]) for k in kinds)] for what, n in own.items()])
    if io := results.get("io"):
        text += IO + table(["", *(TITLES[s] for s in ("xen", "tenon")), "Tenon / Xen", "target"], io_rows(io))
    text += COMMANDS + "\n".join(f"    {command}\n" for command in results["commands"].values())
    PAGE.write_text(text)
    return PAGE


def io_rows(io: dict) -> list[list[str]]:
    rows = []
    for name, value in io["tenon"].items():
        xen = io["xen"][name]
        rows.append([name, number(xen), number(value), ratio(value / xen), "met" if value > xen else "**missed**; Xen is better"])
    return rows


def boot_rows(boot: dict) -> list[list[str]]:
    def row(title: str, what: str, *last: str) -> list[str]:
        return [title, *(number(counts[s].get(what, 0)) for counts in boot.values() for s in ("xen", "tenon")), *last]
    target = targets.EMULATED_IN_A_BOOT
    worst = max(counts["tenon"]["total"] for counts in boot.values())
    kinds = sorted({k for counts in boot.values() for k in counts["tenon"] | counts["xen"] if k != "total"})
    return [row("emulated instructions", "total", number(target.at_most), verdict(target, worst, None)),
            *(row(f"of these {kind}", kind, "", "") for kind in kinds)]

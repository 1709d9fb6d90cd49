# The plots of docs/performance.md: small SVG files that come out the same from the same results.
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.ticker import FuncFormatter  # noqa: E402

matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "tenon", "font.size": 9, "axes.spines.top": False,
                            "axes.spines.right": False})
TENON, XEN, LIMIT = "#1b7f79", "#b9b4a7", "#c0392b"


def bars(path: Path, names: list[str], tenon: list, xen: list, limits: list, label: str, scale: str, start: float) -> None:
    """Two bars a row, Xen above Tenon, and a mark where the target is."""
    figure, axes = plt.subplots(figsize=(8, 0.42 * len(names) + 0.9), layout="constrained")
    rows = range(len(names))
    axes.barh([y - 0.2 for y in rows], [(v or start) - start for v in xen], 0.38, left=start, color=XEN, label="Xen 4.17")
    axes.barh([y + 0.2 for y in rows], [(v or start) - start for v in tenon], 0.38, left=start, color=TENON, label="Tenon")
    axes.scatter(limits, [y + 0.2 for y in rows], marker="|", s=140, color=LIMIT, zorder=3, label="target: at most")
    axes.set_yticks(list(rows), names)
    axes.invert_yaxis()
    axes.set_xscale(scale)
    axes.set_xlabel(label)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.legend(frameon=False, loc="lower right")
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def counts(path: Path, targets: list, columns: dict) -> None:
    def of(system: str) -> list:
        return [columns[system].get(t.name, {}).get("hv.insn") for t in targets]
    bars(path, [t.name for t in targets], of("tenon"), of("xen"), [t.at_most for t in targets],
         "hypervisor instructions per operation", "log", 10)


def times(path: Path, targets: list, ratios: dict) -> None:
    bars(path, [t.name for t in targets], *([ratios[t.name][s] for t in targets] for s in ("tenon", "xen")),
         [t.at_most for t in targets], "guest time, relative to no hypervisor", "log", 1)

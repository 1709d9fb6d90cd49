#!/usr/bin/python3 -B
"""Shows which of Tenon's functions the operations of ubench spend instructions in, per operation."""

import argparse
import bisect
import subprocess
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import image  # noqa: E402
import machines  # noqa: E402
from paths import BUILD  # noqa: E402


class Symbols:
    def __init__(self, program: Path):
        listed = subprocess.run(["nm", "-nC", "--defined-only", program], text=True, check=True, stdout=subprocess.PIPE)
        self.at = [(int(line[:16], 16), line[19:]) for line in listed.stdout.splitlines() if line[17] in "tTwW"]

    def name(self, address: int) -> str:
        return self.at[bisect.bisect_right(self.at, (address, "\x7f")) - 1][1]


def read(path: Path, symbols: Symbols) -> dict[str, Counter]:
    found, current = {}, Counter()
    for line in path.read_text().splitlines():
        first, second = line.split()
        if first == "bench":
            current = found[second] = Counter()
        else:
            current[symbols.name(int(first, 16))] += int(second)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=0.1, help="how often operations are run (default 0.1)")
    parser.add_argument("--rows", type=int, default=25, help="functions shown (default 25)")
    parser.add_argument("--only", default="", help="one operation")
    args = parser.parse_args()
    machines.PLUGIN = machines.OUT / "hot.so"
    options = f"bench.scale={args.scale}" + (args.only and f" bench.only={args.only}")
    done = machines.run("tenon", "profile", image.image(), options, count=True, icount=True,
                        counter=lambda path: read(path, Symbols(BUILD / "tenon.syms")))
    for number, (times, name, _) in machines.printed(done.lines).items():
        counts = done.counts.get(number, Counter())
        print(f"\n{name}: {sum(counts.values()) / times:,.0f} instructions")
        for function, count in counts.most_common(args.rows):
            print(f"  {count / times:12,.1f}  {function}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3 -B
"""Runs rings of tests, each a target of make, and ends with a summary: check_rings.py RING...

The first ring builds; without it nothing else runs. Any other ring that fails does not keep the next ones from running,
but machines with Linux are not booted when the micro-guests fail already. Tests are counted from what the rings print:
GoogleTest's, pytest's and the micro-guests' closing lines; a ring that prints none of these counts as one test.
"""
import os
import re
import signal
import subprocess
import sys
import time

NEEDS = {"check-system": "check-guests", "check-bochs": "check-guests"}
COUNTS = [
    re.compile(r"\[  PASSED  \] (?P<passed>\d+) test"),
    re.compile(r"^ ?(?P<failed>\d+) FAILED TESTS?"),
    re.compile(r"guests (?:on|in) \S+: (?P<passed>\d+) passed, (?P<failed>\d+) failed"),
    re.compile(r"^=* ?(?:(?P<failed>\d+) failed,? ?)?(?:(?P<passed>\d+) passed)?(?:, \d+ \w+)*(?:, (?P<error>\d+) errors?)? in [\d.]+s"),
]


def count(line: str, counts: list[int]) -> bool:
    """Adds what a closing line says to [passed, failed]; whether it was one."""
    for pattern in COUNTS:
        if match := pattern.search(line):
            found = match.groupdict()
            counts[0] += int(found.get("passed") or 0)
            counts[1] += int(found.get("failed") or 0) + int(found.get("error") or 0)
            return True
    return False


def run(ring: str) -> tuple[bool, int, int]:
    """(whether it passed, tests passed, tests failed); its output goes through as it comes."""
    counts, seen = [0, 0], False
    child = subprocess.Popen(["make", "--no-print-directory", ring], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        for raw in child.stdout:
            sys.stdout.buffer.write(raw)
            sys.stdout.flush()
            line = re.sub(r"\x1b\[[0-9;]*m", "", raw.decode(errors="replace"))
            seen |= count(line, counts)
    except KeyboardInterrupt:
        child.terminate()  # make hands it on; a terminal has told all of them already
        child.wait()
        raise
    good = child.wait() == 0
    if not seen:
        counts[0 if good else 1] = 1
    elif not good and not counts[1]:
        counts[1] = 1  # it died before it could count
    return good, *counts


def interrupted(*_) -> None:
    raise KeyboardInterrupt


def main() -> int:
    signal.signal(signal.SIGTERM, interrupted)
    rings, started = sys.argv[1:], time.monotonic()
    rows, failed_rings, passed, failed = [], set(), 0, 0
    for ring in rings:
        missing = next((need for need in (rings[0], NEEDS.get(ring)) if need in failed_rings), None)
        if missing:
            rows.append((ring, f"not run: {missing} failed", 0.0))
            continue
        print(f"== {ring}", flush=True)
        began = time.monotonic()
        good, p, f = run(ring)
        passed, failed = passed + p, failed + f
        if not good:
            failed_rings.add(ring)
        rows.append((ring, f"{p} passed, {f} failed", time.monotonic() - began))
        print(f"== {ring}: {'passed' if good else 'FAILED'} in {rows[-1][2]:.0f} s", flush=True)
    print("\n== summary")
    for ring, what, seconds in rows:
        print(f"   {ring:16} {what:32} {seconds:6.0f} s")
    print(f"check: {passed} passed, {failed} failed in {time.monotonic() - started:.0f} s")
    return 1 if failed_rings else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\ncheck: interrupted")
        sys.exit(130)
    except BrokenPipeError:
        os._exit(1)

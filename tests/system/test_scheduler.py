# Shares of one CPU among Debian guests: weights, a cap, and how soon a sleeper runs. The machine's time goes by instructions, so
# that it does not matter how busy the host is. What a limit allows is computed from how long the looks at the CPU times took.
import json
import re
from dataclasses import dataclass

import pytest

from machine import MachineError

SLICE, ALLOWANCE = 0.010, 0.025  # seconds: a turn beside others; what a cap of 25 % allows in each 100 ms
WINDOW = 5
ICOUNT = ["-icount", "shift=3,align=off,sleep=off"]
SPINNERS = ("light", "heavy")


@dataclass
class Look:
    earliest: float                 # dom0's uptime before and after the CPU times were taken
    latest: float
    seconds: dict[str, float]


@dataclass
class Used:
    least: float                    # how long the window was, at least and at most
    most: float
    seconds: dict[str, float]


def look(machine) -> Look:
    text = machine.shell("cut -d' ' -f1 /proc/uptime; tenon list --json; cut -d' ' -f1 /proc/uptime")
    before, listed, after = re.fullmatch(r"([\d.]+)\s*(\[.*\])\s*([\d.]+)\s*", text, re.S).groups()
    return Look(float(before), float(after) + 0.01, {d["name"]: d["cpu_seconds"] for d in json.loads(listed)})


def used(machine, seconds: float) -> Used:
    machine.shell("sleep 0.5")  # what ran before is over
    first = look(machine)
    machine.shell(f"sleep {seconds}", timeout=120)
    last = look(machine)
    return Used(last.earliest - first.latest, last.latest - first.earliest,
                {name: last.seconds[name] - first.seconds[name] for name in first.seconds})


def late(machine) -> tuple[int, int]:
    """Median and 90th percentile in microseconds."""
    return tuple(int(n) for n in re.findall(r"=(\d+)", machine.shell("sh /tests/guest-share.sh late sleeper", timeout=120)))


@pytest.fixture(scope="class")
def booted(boot):
    try:
        machine = boot(memory=1024, smp=1, options="dom0_mem=512M", extra=ICOUNT, limit=400)
        machine.shell("sh /tests/guest-share.sh start light:secrets heavy:secrets sleeper:late", timeout=200)
        return machine
    except MachineError as error:
        return error


class TestScheduler:
    def test_sleeper_runs_soon_beside_spinners(self, machine):
        for name in SPINNERS:
            machine.shell(f"tenon pause {name}")
        alone = late(machine)
        for name in SPINNERS:
            machine.shell(f"tenon unpause {name}")
        among = late(machine)
        print(f"median and 90 % by {alone} us alone, by {among} us among {len(SPINNERS)} spinners")
        # Who woke has its turn within a millisecond; behind two slices it would wait for up to 20.
        assert among[0] <= alone[0] + 1000
        assert among[1] <= alone[1] + 1000

    def test_weights(self, machine):
        machine.shell("tenon pause sleeper; tenon sched light --weight 256; tenon sched heavy --weight 512")
        got = used(machine, WINDOW)
        light, heavy = (got.seconds[name] for name in SPINNERS)
        print(f"weights 1:2 give {light:.3f} s and {heavy:.3f} s, 1:{heavy / light:.3f}, of {got.most:.2f} s")
        # A look cuts off a turn of each at most, at both ends.
        assert (heavy - 2 * SLICE) / (light + 2 * SLICE) < 2 < (heavy + 2 * SLICE) / (light - 2 * SLICE)
        assert light + heavy > 0.8 * got.least

    def test_cap(self, machine):
        machine.shell("tenon pause light; tenon sched heavy --cap 25")
        got = used(machine, WINDOW)
        seconds = got.seconds["heavy"]
        print(f"cap of 25 %: {seconds:.3f} s of {got.least:.2f} to {got.most:.2f} s, {200 * seconds / (got.least + got.most):.2f} %")
        assert 0.25 * got.least - ALLOWANCE < seconds < 0.25 * got.most + ALLOWANCE
        machine.shell("tenon sched heavy --cap 0")
        free = used(machine, 2)
        assert free.seconds["heavy"] > 0.8 * free.least

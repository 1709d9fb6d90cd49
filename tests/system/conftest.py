# Fixtures of the system tests: stock Debian kernels on the hypervisor under test, in QEMU.
#   pytest --hypervisor tenon|xen|PATH --accel auto|tcg|kvm
# Each machine's serial log is kept in build/system/, also when its test passes.
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/qemu"))

import kvm  # noqa: E402
from boot import dom0_iso, hypervisor_path, is_xen  # noqa: E402
from machine import Machine, MachineError  # noqa: E402
from paths import BUILD  # noqa: E402
from qemu import Config  # noqa: E402

READY = r"TENON-DOM0: [^\n]* ready"


def pytest_addoption(parser):
    parser.addoption("--hypervisor", default="tenon", help="tenon, xen (Debian's Xen 4.17, to compare) or a path")
    parser.addoption("--accel", default="auto", choices=["auto", "tcg", "kvm"])


def pytest_configure(config):
    config.accel, why = kvm.choose(config.getoption("--accel"))
    config.accel_reason = why
    config.addinivalue_line("markers", "xdist_group: tests that share a machine")


@pytest.hookimpl(tryfirst=True)  # before xdist looks for the groups
def pytest_collection_modifyitems(items):
    """With several workers (-n 2 --dist loadgroup): what shares a machine stays together, and the longest start first."""
    def rank(item):
        order = ["test_guest", "test_dom0", "test_memory", "test_isolation", "test_xl", "test_boot", "test_bad_boot"]
        return order.index(item.module.__name__) if item.module.__name__ in order else 0

    items.sort(key=rank)
    for item in items:
        if item.cls:
            machine = item.callspec.params.get("booted", "") if hasattr(item, "callspec") else ""
            item.add_marker(pytest.mark.xdist_group(f"{item.cls.__name__}{machine}"))


def pytest_report_header(config):
    return f"hypervisor: {config.getoption('--hypervisor')}; QEMU with {config.accel} ({config.accel_reason})"


def pytest_sessionstart(session):
    subprocess.run([ROOT / "tools/qemu/fetch"], check=True)
    path = hypervisor_path(session.config.getoption("--hypervisor"))
    if not path.exists():
        pytest.exit(f"{path} is missing: build it first", returncode=2)


@pytest.fixture(scope="session")
def hypervisor(request) -> str:
    return request.config.getoption("--hypervisor")


@pytest.fixture(scope="session")
def on_xen(hypervisor) -> bool:
    return is_xen(hypervisor)


@pytest.fixture(scope="class")
def boot(request, hypervisor, on_xen):
    """boot(kernel=, options=, dom0_options=, gfx=, xl=, limit=, wait=, **Config) starts a machine, waits for dom0's shell
    (unless wait=False), and ends it after the test."""
    machines: list[Machine] = []

    def start(kernel="6.1", options="", dom0_options="", gfx=False, xl=False, limit=240, wait=True, iso=None, **settings):
        settings.setdefault("accel", request.config.accel)
        settings.setdefault("cpu", "Haswell-noTSX" if on_xen else "max")
        if on_xen and settings["cpu"] in ("EPYC", "max") and settings["accel"] == "tcg":
            settings["cpu"] += ",-smap"  # real Xen does not survive SMAP as TCG does it
        name = request.node.nodeid.split("@")[0].split("::", 1)[-1].replace("/", "-").replace("::", ".")
        config = Config(iso=iso or dom0_iso(hypervisor, kernel, options, dom0_options, gfx, xl), **settings)
        config.log = BUILD / "system" / f"{name}{len(machines) or ''}.log"
        machine = Machine(config, limit)
        machines.append(machine)
        machine.__enter__()
        if wait:
            machine.expect(READY)
            machine.expect("dom0# ")
            machine.shell("dmesg -n 1")
        return machine

    yield start
    for machine in machines:
        machine.__exit__()


@pytest.fixture
def machine(booted):
    """The machine that a class of tests shares. `booted`, a fixture of their file, is made once; if it does not come up, the
    first test tells everything, and the others only that."""
    if isinstance(booted, MachineError):
        told, booted.told = getattr(booted, "told", False), True
        pytest.fail("the machine did not come up: see the first failure" if told else str(booted), pytrace=False)
    return booted

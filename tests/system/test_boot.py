# Machines of every sort boot a Debian dom0 to its shell, and power off. Sparse, but every value of every column, and
# most pairs, occur here or in test_dom0.py.
import json
import re

import pytest

MATRIX = [
    # machine firmware cpu            CPUs  MiB    kernel
    ("pc",  "bios", "qemu64",         1,    512,   "6.12"),
    ("q35", "bios", "EPYC",           8,    4096,  "6.1"),
    ("q35", "uefi", "qemu64",         8,    16384, "6.12"),
    ("pc",  "uefi", "EPYC",           1,    1024,  "6.1"),
    ("pc",  "bios", "max",            4,    768,   "6.1"),
    ("q35", "bios", "Haswell-noTSX",  1,    2048,  "6.12"),
]
SMALL_DOM0 = 4096  # MiB, where the host could not back all of a large machine's memory
OWN_PART, OWN_MIB = 0.02, 16  # Tenon may have so much of a machine's memory, and so much more


def host_can_back(mib: int) -> bool:
    available = re.search(r"MemAvailable: *(\d+) kB", open("/proc/meminfo").read())
    return int(available.group(1)) // 1024 > mib + 3072


def own_memory(m) -> tuple[float, int]:
    """(the MiB that the hypervisor keeps, all MiB): what the boot loader's map gives as RAM, without what is free and what the
    domains have."""
    given = int(re.search(r"\(TEN\) (\d+) MiB of memory", m.log).group(1))
    info = json.loads(m.shell("tenon info --json"))
    domains = json.loads(m.shell("tenon list --json"))
    return given - info["free_pages"] / 256 - sum(domain["memory_mib"] for domain in domains), given


@pytest.mark.parametrize("machine,firmware,cpu,smp,memory,kernel", MATRIX)
def test_boots(boot, on_xen, machine, firmware, cpu, smp, memory, kernel):
    whole = memory <= SMALL_DOM0 or host_can_back(memory)
    m = boot(options="" if whole else f"dom0_mem={SMALL_DOM0}M", machine=machine, firmware=firmware, cpu=cpu, smp=smp,
             memory=memory, kernel=kernel, limit=200 + memory // 64)
    m.shell(f"sh /tests/check-cpus.sh {smp}")
    m.shell("sh /tests/check-logs.sh")
    if not on_xen:
        own, given = own_memory(m)
        print(f"Tenon keeps {own:.1f} MiB of {given}")
        assert memory * 0.9 < given <= memory, f"the log's {given} MiB are not the machine's"
        assert 0 < own < given * OWN_PART + OWN_MIB
        # Nearly all the rest is dom0's and in its kernel's hands, on both sides of the hole below 4 GiB.
        usable = int(m.shell("awk '/MemTotal/ {print int($2 / 1024)}' /proc/meminfo"))
        dom0 = json.loads(m.shell("tenon list --json"))[0]["memory_mib"]
        assert dom0 > (given if whole else SMALL_DOM0) * 0.88 - 128, f"dom0 has {dom0} MiB"
        assert usable > dom0 * 0.9 - 128, f"dom0 has {dom0} MiB, its kernel sees {usable}"
    m.send("poweroff -f\n")
    m.wait_end()

# Machines of every sort boot a Debian dom0 to its shell, and power off. Sparse, but every value of every column, and
# most pairs, occur here or in test_dom0.py.
import pytest

MATRIX = [
    # machine firmware cpu            CPUs  MiB    kernel
    ("pc",  "bios", "qemu64",         1,    512,   "6.12"),
    ("q35", "bios", "EPYC",           8,    4096,  "6.1"),
    ("q35", "uefi", "qemu64",         2,    16384, "6.12"),
    ("pc",  "uefi", "EPYC",           1,    1024,  "6.1"),
    ("pc",  "bios", "max",            4,    768,   "6.1"),
    ("q35", "bios", "Haswell-noTSX",  1,    2048,  "6.12"),
]


@pytest.mark.parametrize("machine,firmware,cpu,smp,memory,kernel", MATRIX)
def test_boots(boot, machine, firmware, cpu, smp, memory, kernel):
    m = boot(machine=machine, firmware=firmware, cpu=cpu, smp=smp, memory=memory, kernel=kernel, limit=200)
    m.shell(f"sh /tests/check-cpus.sh {smp}")
    m.shell("sh /tests/check-logs.sh")
    m.send("poweroff -f\n")
    m.wait_end()

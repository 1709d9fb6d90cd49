# Disk images for the tests, made without root: one with partitions, one with an ext4 root file system.
import os
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

from paths import cache_dir

MIB = 1 << 20
SECTOR = 512
ROOT_INIT = """\
#!/bin/sh
# First process of a guest that lives on its own disk.
export PATH=/bin
mount -t proc proc /proc
echo "TENON-GUEST: [$(cut -d' ' -f1 /proc/uptime)] lives on $(awk '$2 == "/" {print $1, $3}' /proc/mounts | tail -n 1)"
date >/boots.new && cat /boots.new >>/boots && sync
echo "TENON-GUEST: boots=$(wc -l </boots)"
while :; do setsid cttyhack sh </dev/console >/dev/console 2>&1; done
"""


def partitioned(path: Path, parts: list[int]) -> None:
    """An MBR with primary partitions of so many MiB each, the first at 1 MiB."""
    record, at = bytearray(SECTOR), MIB // SECTOR
    for n, mib in enumerate(parts):
        size = mib * MIB // SECTOR
        struct.pack_into("<BBHBBHII", record, 446 + 16 * n, 0, 0, 0, 0x83, 0, 0, at, size)
        at += size
    record[510:512] = b"\x55\xaa"
    path.write_bytes(record)
    os.truncate(path, at * SECTOR)


def ext4(path: Path, root: Path, mib: int) -> None:
    """A file system with what is in a folder."""
    mke2fs = shutil.which("mke2fs", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    subprocess.run([mke2fs, "-q", "-t", "ext4", "-d", root, "-E", "root_owner=0:0", path, f"{mib}M"], check=True)


def root_disk(path: Path, mib: int = 24, files: dict[str, str | Path] | None = None) -> None:
    """ext4 with busybox and an init, and `files`: a text each, or the path of what to copy."""
    busybox = cache_dir() / "sysroot/bin/busybox"
    with tempfile.TemporaryDirectory() as staging:
        root = Path(staging)
        for folder in ("bin", "sbin", "proc", "sys", "dev", "tmp", "root"):
            (root / folder).mkdir()
        shutil.copy(busybox, root / "bin/busybox")
        for applet in ("sh", "mount", "awk", "cut", "cat", "date", "sync", "wc", "tail", "setsid", "cttyhack",
                       "reboot", "poweroff", "ls", "dd", "md5sum", "echo"):
            (root / "bin" / applet).symlink_to("busybox")
        (root / "sbin/init").write_text(ROOT_INIT)
        (root / "sbin/init").chmod(0o755)
        for name, content in (files or {}).items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(content, root / name) if isinstance(content, Path) else (root / name).write_text(content)
        ext4(path, root, mib)

# Makes the initramfs of a dom0 that starts a measured guest: the usual one of dom0, and behind it an archive with the
# guest's, which holds sqlite3, fio and iperf3 as Debian ships them.
import gzip
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tools/qemu"))

import boot  # noqa: E402
from initramfs import Archive, Modules, add_busybox, add_program, compress  # noqa: E402
from paths import BUILD, cache_dir  # noqa: E402

OUT = BUILD / "bench"
MODULES = ["xen_blkfront", "xen_netfront", "ext4", "crc32c_generic", "crc32c_intel"]
SOURCES = ("guest_image.py", "guest-init", "dom0-guest.sh")
TOOLS = ("sqlite3", "fio", "iperf3")
DISK_MIB = 64


def program(name: str) -> Path:
    found = shutil.which(name)
    if not found:
        raise SystemExit(f"bench: needs {name}: apt-get install sqlite3 fio iperf3")
    return Path(found).resolve()


def guest(with_tools: bool) -> bytes:
    archive = Archive()
    add_busybox(archive, cache_dir() / "sysroot")
    Modules(cache_dir() / "kernel/cloud").add(archive, MODULES)
    for name in TOOLS if with_tools else ():
        add_program(archive, program(name), path=f"usr/bin/{name}")
    add_program(archive, OUT / "ubench")
    archive.file("init", HERE / "guest-init", 0o755)
    return compress(archive.cpio())


def disk() -> bytes:
    """An empty ext4 file system."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "disk.img"
        mke2fs = shutil.which("mke2fs", path="/usr/sbin:/sbin:/usr/bin:/bin")
        subprocess.run([mke2fs, "-q", "-t", "ext4", path, f"{DISK_MIB}M"], check=True, stdout=subprocess.DEVNULL)
        return gzip.compress(path.read_bytes(), mtime=0)


def make(output: Path, dom0: Path, with_tools: bool) -> None:
    archive = Archive()
    if with_tools:
        add_program(archive, program("iperf3"), path="usr/bin/iperf3")
    add_program(archive, OUT / "ubench")
    archive.file("boot/guest/bench.initrd", guest(with_tools))
    if with_tools:
        archive.file("boot/guest/disk.img.gz", disk())
    else:
        archive.file("boot/guest/vmlinuz-6.12", cache_dir() / "kernel/cloud-6.12/vmlinuz")
    archive.file("tests/bench-guest.sh", HERE / "dom0-guest.sh", 0o755)
    output.write_bytes(dom0.read_bytes() + compress(archive.cpio(), "none"))


def image(with_tools: bool) -> Path:
    """dom0's initramfs; made when it is older than what it is made of. A guest that only boots needs no tools."""
    dom0, output = boot.dom0_image("6.1"), OUT / ("guest-tools.initrd" if with_tools else "guest.initrd")
    newest = max(path.stat().st_mtime for path in (dom0, OUT / "ubench", *(HERE / name for name in SOURCES)))
    if not output.exists() or output.stat().st_mtime < newest:
        make(output, dom0, with_tools)
    return output


if __name__ == "__main__":
    print(image(False), image(True))

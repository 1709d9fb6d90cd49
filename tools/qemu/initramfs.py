# Builds initramfs archives without root: a writer of the "newc" cpio format that Linux reads
# [Documentation/driver-api/early-userspace/buffer-format.rst], and helpers that gather busybox, programs with
# their shared libraries, and kernel modules with what they depend on.
import lzma
import os
import re
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path


class Archive:
    """Paths to contents; parents appear by themselves. Every file belongs to root, every time stamp is 0."""

    def __init__(self) -> None:
        self.entries: dict[str, tuple[int, bytes, tuple[int, int]]] = {}

    def folder(self, path: str, mode: int = 0o755) -> None:
        path = path.strip("/")
        if path and path not in self.entries:
            self.folder(os.path.dirname(path))
            self.entries[path] = (stat.S_IFDIR | mode, b"", (0, 0))

    def file(self, path: str, data: bytes | str | Path, mode: int = 0o644) -> None:
        path = path.strip("/")
        self.folder(os.path.dirname(path))
        if isinstance(data, Path):
            data = data.read_bytes()
        self.entries[path] = (stat.S_IFREG | mode, data.encode() if isinstance(data, str) else data, (0, 0))

    def link(self, path: str, to: str) -> None:
        path = path.strip("/")
        self.folder(os.path.dirname(path))
        self.entries[path] = (stat.S_IFLNK | 0o777, to.encode(), (0, 0))

    def device(self, path: str, major: int, minor: int) -> None:
        path = path.strip("/")
        self.folder(os.path.dirname(path))
        self.entries[path] = (stat.S_IFCHR | 0o600, b"", (major, minor))

    def tree(self, source: Path, into: str) -> None:
        for path in sorted(source.rglob("*")):
            target = f"{into}/{path.relative_to(source)}"
            if path.is_symlink():
                self.link(target, os.readlink(path))
            elif path.is_file():
                self.file(target, path, 0o755 if os.access(path, os.X_OK) else 0o644)

    def cpio(self) -> bytes:
        out = bytearray()

        def put(name: str, mode: int, data: bytes, device: tuple[int, int], inode: int) -> None:
            links = 2 if stat.S_ISDIR(mode) else 1
            fields = [inode, mode, 0, 0, links, 0, len(data), 0, 0, *device, len(name.encode()) + 1, 0]
            out.extend(b"070701" + b"".join(b"%08X" % f for f in fields) + name.encode() + b"\0")
            out.extend(bytes(-len(out) % 4) + data)
            out.extend(bytes(-len(out) % 4))

        for inode, (name, (mode, data, device)) in enumerate(self.entries.items(), 1):
            put(name, mode, data, device, inode)
        put("TRAILER!!!", 0, b"", (0, 0), 0)
        return bytes(out)


def compress(data: bytes, method: str = "zstd") -> bytes:
    """zstd -1: the cheapest for a kernel that unpacks under emulation. Padded, so that archives can be joined."""
    commands = {"zstd": ["zstd", "-q", "-1", "-T0"], "gzip": ["gzip", "-1n"], "none": ["cat"]}
    packed = subprocess.run(commands[method], input=data, stdout=subprocess.PIPE, check=True).stdout
    return packed + bytes(-len(packed) % 512)


def add_busybox(archive: Archive, sysroot: Path) -> None:
    busybox = sysroot / "bin/busybox"
    archive.file("bin/busybox", busybox, 0o755)
    for applet in subprocess.run([busybox, "--list"], text=True, stdout=subprocess.PIPE, check=True).stdout.split():
        if applet != "busybox":
            archive.link(f"bin/{applet}", "busybox")
    for folder in ("proc", "sys", "dev", "run", "tmp", "mnt", "root", "etc", "var/log"):
        archive.folder(folder)
    archive.link("sbin", "bin")
    archive.link("var/run", "../run")
    archive.link("usr/sbin", "bin")
    archive.link("lib64", "lib/x86_64-linux-gnu")
    archive.file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
    archive.file("etc/group", "root:x:0:\n")
    archive.device("dev/console", 5, 1)
    archive.device("dev/null", 1, 3)


def add_program(archive: Archive, program: Path, sysroot: Path | None = None, path: str | None = None) -> None:
    """A program and every shared library that the dynamic linker would load for it."""
    archive.file(path or f"usr/bin/{program.name}", program, 0o755)
    env = dict(os.environ)
    if sysroot:
        env["LD_LIBRARY_PATH"] = str(sysroot / "usr/lib/x86_64-linux-gnu")
    listed = subprocess.run(["ldd", program], text=True, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    for name, found in re.findall(r"^\s*(?:(\S+) => )?(/\S+|not found)", listed.stdout, re.M):
        if found == "not found":
            raise SystemExit(f"{program}: needs {name}, which is not installed")
        archive.file(f"lib/x86_64-linux-gnu/{os.path.basename(found)}", Path(found).resolve(), 0o755)


class Modules:
    """The modules of one kernel, by name; knows what each depends on."""

    def __init__(self, kernel: Path):
        self.release = (kernel / "release").read_text().strip()
        self.folder = kernel / "lib/modules" / self.release
        self.depends: dict[str, list[str]] = {}
        self.path: dict[str, str] = {}
        for line in (self.folder / "modules.dep").read_text().splitlines():
            path, _, rest = line.partition(":")
            self.path[self.name(path)] = path
            self.depends[path] = rest.split()
        builtin = (self.folder / "modules.builtin").read_text().split()
        self.builtin = {self.name(path) for path in builtin}

    @staticmethod
    def name(path: str) -> str:
        return os.path.basename(path).split(".")[0].replace("-", "_")

    def add(self, archive: Archive, names: list[str]) -> None:
        """Copies modules unpacked, and indexes just these; what this kernel lacks or has built in is left out."""
        wanted: set[str] = set()
        for name in names:
            path = self.path.get(self.name(name))
            if path:
                wanted.update([path, *self.depends[path]])
        with tempfile.TemporaryDirectory() as staging:
            base = Path(staging) / "lib/modules" / self.release
            for path in sorted(wanted):
                source, target = self.folder / path, base / path.removesuffix(".xz")
                target.parent.mkdir(parents=True, exist_ok=True)
                data = source.read_bytes()
                target.write_bytes(lzma.decompress(data) if path.endswith(".xz") else data)
            for index in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
                shutil.copy(self.folder / index, base / index)
            depmod = shutil.which("depmod", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
            subprocess.run([depmod or "depmod", "-b", staging, self.release], check=True)
            for index in base.glob("modules.*"):
                if index.name not in ("modules.dep", "modules.alias", "modules.builtin"):
                    index.unlink()
            archive.tree(base, f"lib/modules/{self.release}")

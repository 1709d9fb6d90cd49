# From "this hypervisor, that kernel, these options" to an ISO, with caching: an ISO is made again only when
# something that goes into it changed.
import contextlib
import fcntl
import hashlib
import os
import subprocess
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

from paths import BUILD, cache_dir, hypervisor_path, is_xen

HERE = Path(__file__).resolve().parent
XEN_OPTIONS = "console=com1 com1=115200,8n1 loglvl=all guest_loglvl=all bootscrub=0"
TENON_OPTIONS = "console=com1 com1=115200,8n1 loglvl=info"
KERNELS = ("6.1", "6.12", "cloud")
DOM0_OPTIONS = "console=hvc0 earlyprintk=xen rdinit=/init"


def load_script(name: str):
    """A script of this folder as a module."""
    loader = SourceFileLoader(name.replace("-", "_"), str(HERE / name))
    module = module_from_spec(spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def default_options(hypervisor: str) -> str:
    return XEN_OPTIONS if is_xen(hypervisor) else TENON_OPTIONS


@contextlib.contextmanager
def one_at_a_time():
    """Two test workers may want the same image at the same time."""
    folder = BUILD / "images"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def dom0_image(kernel: str = "6.1", xl: bool = False) -> Path:
    """dom0's initramfs for a kernel of the cache; made when it is older than what it is made of."""
    output = BUILD / "images" / f"dom0-{kernel}{'-xl' if xl else ''}.initrd"
    sources = [HERE / "dom0-image", HERE / "initramfs.py", BUILD / "tools/tenon", BUILD / "tools/tenond",
               cache_dir() / "kernel" / kernel / "release", cache_dir() / "kernel/cloud/release",
               *(HERE / "image").rglob("*"), *(HERE.parents[1] / "tests/system/dom0").rglob("*"),
               *(HERE.parents[1] / "tests/system/guest").rglob("*")]
    newest = max(path.stat().st_mtime for path in sources if path.exists())
    with one_at_a_time():
        if not output.exists() or output.stat().st_mtime < newest:
            print(f"dom0-image: making dom0's initramfs for Linux {kernel}, some seconds", flush=True)
            subprocess.run([HERE / "dom0-image", output, "--kernel", kernel, *(["--xl"] if xl else [])], check=True)
    return output


def make_iso(hypervisor: Path, options: str, modules: list[tuple[str, Path, str]], gfx: bool = False) -> Path:
    key = hashlib.sha256(repr((options, [(n, o) for n, _, o in modules], gfx)).encode())
    for path in [HERE / "iso", hypervisor, *(file for _, file, _ in modules)]:
        state = os.stat(path)
        key.update(repr((str(path), state.st_size, state.st_mtime_ns)).encode())
    output = BUILD / "images" / f"boot-{key.hexdigest()[:16]}.iso"
    with one_at_a_time():
        if output.exists():
            output.touch()  # the oldest go
            return output
        print(f"iso: making a GRUB ISO with {hypervisor}", flush=True)
        load_script("iso").make(output, hypervisor, options, modules, gfx)
        for old in sorted(output.parent.glob("boot-*.iso"), key=lambda p: p.stat().st_mtime)[:-8]:
            old.unlink()
    return output


def dom0_iso(hypervisor: str = "tenon", kernel: str = "6.1", options: str = "", dom0_options: str = "",
             gfx: bool = False, xl: bool = False) -> Path:
    """The usual ISO: `options` and `dom0_options` come after the defaults."""
    path = cache_dir() / "kernel" / kernel / "vmlinuz" if not Path(kernel).exists() else Path(kernel)
    name = kernel if (cache_dir() / "kernel" / kernel).exists() else "6.1"
    modules = [("vmlinuz", path, f"{DOM0_OPTIONS} {dom0_options}".strip()), ("initrd", dom0_image(name, xl), "")]
    return make_iso(hypervisor_path(hypervisor), f"{default_options(hypervisor)} {options}".strip(), modules, gfx)

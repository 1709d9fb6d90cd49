# Where things are: the source tree, the build folder, the cache of downloads, the hypervisors that can be booted.
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("TENON_BUILD") or ROOT / "build")


def cache_dir() -> Path:
    return Path(os.environ.get("TENON_CACHE") or BUILD / "cache").resolve()


def hypervisor_path(name: str) -> Path:
    """"tenon", "xen" (real Xen 4.17 from Debian, to compare with) or a path."""
    known = {"tenon": BUILD / "tenon", "xen": cache_dir() / "xen"}
    return known.get(name) or Path(name)


def is_xen(name: str) -> bool:
    return name == "xen" or Path(name).name.startswith("xen")

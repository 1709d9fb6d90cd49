# Makes the initramfs that is measured, the same for all systems: busybox and ubench; for the compile
# also a compiler and what it compiles.
import random
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tools/qemu"))

from initramfs import Archive, add_busybox, add_program, compress  # noqa: E402
from paths import BUILD, cache_dir  # noqa: E402

OUT = BUILD / "bench"
FILES = 25
HEADERS = ("stdio.h", "stdlib.h", "string.h", "unistd.h", "sys/stat.h", "signal.h", "math.h", "pthread.h")


def source(number: int) -> str:
    """A C file of loops, branches, structures and calls; always the same for a number."""
    rng = random.Random(number)
    text = "".join(f"#include <{name}>\n" for name in HEADERS)
    text += "struct item { struct item *next; long key, value[8]; char name[32]; };\n"
    for f in range(3):
        a, b, c = (rng.randrange(3, 97) for _ in range(3))
        callee = f"f{rng.randrange(f)}(list, n - 1)" if f else "n"
        text += f"""
static long f{f}(struct item *list, long n)
{{
    long sum = {a}, i, table[{b}];
    for (i = 0; i < {b}; i++)
        table[i] = i * {c} ^ (n >> (i % {rng.randrange(2, 9)}));
    for (struct item *at = list; at && n > 0; at = at->next) {{
        switch (at->key % {rng.randrange(4, 8)}) {{
        case 0: sum += at->value[{rng.randrange(8)}] / (n + {a}); break;
        case 1: sum ^= table[at->key % {b}] << {rng.randrange(5)}; break;
        case 2: snprintf(at->name, sizeof at->name, "%ld:%ld", sum, n); break;
        default: sum -= strlen(at->name) * {c}; break;
        }}
        for (i = 1; i < 8; i++)
            at->value[i] += at->value[i - 1] * {a} + table[(i * {b}) % {b}];
    }}
    return sum % {rng.randrange(100, 999)} ? sum + {callee} : sum;
}}
"""
    return text + f"long entry{number}(struct item *l, long n) {{ return f2(l, n) + f1(l, n); }}\n"


def preprocessed(number: int) -> str:
    done = subprocess.run(["gcc-12", "-E", "-P", "-x", "c", "-"], input=source(number), text=True, check=True,
                          stdout=subprocess.PIPE)
    return done.stdout


def compiler() -> Path:
    found = subprocess.run(["gcc-12", "-print-prog-name=cc1"], text=True, check=True, stdout=subprocess.PIPE)
    return Path(found.stdout.strip())


def make(output: Path, with_compiler: bool) -> None:
    archive = Archive()
    add_busybox(archive, cache_dir() / "sysroot")
    add_program(archive, OUT / "ubench")
    if with_compiler:
        add_program(archive, compiler(), path="usr/bin/cc1")
        for number in range(FILES):
            archive.file(f"usr/src/{number:02}.i", preprocessed(number))
    archive.file("init", HERE / "init", 0o755)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(compress(archive.cpio()))


def image(with_compiler: bool = False) -> Path:
    """The initramfs; made when it is older than what it is made of. Only the compile needs the compiler."""
    output = OUT / ("compile.initrd" if with_compiler else "bench.initrd")
    newest = max(path.stat().st_mtime for path in (HERE / "image.py", HERE / "init", OUT / "ubench"))
    if not output.exists() or output.stat().st_mtime < newest:
        make(output, with_compiler)
    return output


if __name__ == "__main__":
    print(image(), image(with_compiler=True))

#!/usr/bin/env python3
"""Writes docs/abi/index.md from the hypercall tables in common/hypercall; with --check only says whether it is up to date.

A row of a table that has no page under docs/abi, or a page that no row names, is an error.
"""
import argparse
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CALLS = ROOT / "common/hypercall"
PAGES = ROOT / "docs/abi"
ROW = re.compile(r'row<([\w:]+), (\w+)(?:, \w+)?>\(\s*"(\w+)",\s*"([^"]*)"\s*\)')
SUB_ROW = re.compile(r'\{(XEN_(?:DOM|SYS)CTL_(\w+)),(?:\s*Needs::(\w+))?')
NEEDS = {"nothing": "none yet", "domain": "any", "next": "any, or the next", "alive": "not dying", "other": "not the caller's",
         "other_alive": "not the caller's, not dying"}


def numbers(header):
    text = (ROOT / "include/abi" / header).read_text()
    return {name: int(value, 0) for name, value in re.findall(r"(\w+) = (0x[0-9a-fA-F]+|\d+)\b", text)}


def privileged_handlers():
    text = "".join(path.read_text() for path in sorted((ROOT / "include/tenon/hypercall").glob("*.hpp")))
    return set(re.findall(r"CallResult (\w+)\(Call&, Privileged", text))


def index(problems):
    number, privileged = numbers("hypercall.h"), privileged_handlers()
    rows = ROW.findall((CALLS / "table.cpp").read_text())
    lines = [
        "# Hypercalls",
        "",
        "Made from the tables in `common/hypercall` by `tools/dev/abi_docs.py`; `make abi-docs` writes it anew.",
        "",
        "A guest in kernel mode puts the number into `rax`, arguments into `rdi`, `rsi`, `rdx`, `r10`, `r8`, `r9`, executes `SYSCALL`",
        "and finds the result, or a negated error number, in `rax`. All other registers but `rcx` and `r11` are kept. Any other",
        "number, and every call marked *refused*, gives `-ENOSYS`; the log says so once for each guest operation.",
        "",
        "| number | call | arguments | who may call |",
        "|--:|---|---|---|",
    ]
    documented = set()
    for handler, constant, name, arguments in rows:
        handler = handler.split("::")[-1]
        refused = handler == "unsupported"
        page = PAGES / f"{name}.md"
        if not refused:
            documented.add(page.name)
            if not page.exists():
                problems.append(f"{name}: no page {page.relative_to(ROOT)}")
        title = name if refused else f"[{name}]({name}.md)"
        who = "refused" if refused else "control domain" if handler in privileged else "any domain"
        lines.append(f"| {number[constant]} | {title} | {arguments or '–'} | {who} |")
    for family, header, source in (("domctl", "domctl.h", "domctl/table.cpp"), ("sysctl", "sysctl.h", "sysctl.cpp")):
        number = numbers(header)
        subs = SUB_ROW.findall((CALLS / source).read_text())
        lines += ["", f"## {family} operations", ""]
        lines += ["| number | operation | domain it names |", "|--:|---|---|"] if family == "domctl" else ["| number | operation |", "|--:|---|"]
        for constant, name, needs in subs:
            lines.append(f"| {number[constant]} | {name} |" + (f" {NEEDS[needs]} |" if needs else ""))
        if not subs:
            problems.append(f"{family}: no rows found")
    for page in sorted(PAGES.glob("*.md")):
        if page.name not in ("index.md", "frames.md", "instructions.md") and page.name not in documented:
            problems.append(f"{page.relative_to(ROOT)}: no call of this name")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the index is out of date")
    options = parser.parse_args()
    problems = []
    text, target = index(problems), PAGES / "index.md"
    if not options.check:
        PAGES.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    elif not target.exists() or target.read_text() != text:
        problems.append("docs/abi/index.md is out of date: run tools/dev/abi_docs.py")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3 -B
"""`make help`: the targets of the makefiles named, each a line "target: ... ##  what it does"."""
import re
import sys

GROUPS = [  # the first that fits takes a target
    ("To boot", r"run|shell|fetch"),
    ("To test", r"check.*|guests|unit"),
    ("To measure", r"bench.*|plots?|report"),
    ("To build", r".*"),
]


def main() -> None:
    groups: dict[str, list[str]] = {title: [] for title, _ in GROUPS}
    for name in sys.argv[1:]:
        for target, text in re.findall(r"^([a-z0-9-]+):.*##\s*(.*)", open(name, encoding="utf-8").read(), re.M):
            title = next(title for title, pattern in GROUPS if re.fullmatch(pattern, target))
            groups[title].append(f"  {target:20}  {text}")
    print("Start here: tools/run boots Tenon in QEMU, tools/check tests it. Both install what they need first.")
    for title, lines in groups.items():
        if lines:
            print(f"\n{title}", *sorted(lines), sep="\n")
    print("\nVariables",
          "  BUILD=DIR             build there, and use what is there; default build",
          "  TOOLCHAIN=clang       the hypervisor by clang; default gcc",
          "  V=1                   show the commands",
          "In the environment: TENON_CACHE=DIR keeps downloads elsewhere than in BUILD/cache.", sep="\n")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Kconfig for the build: kconfig.py header|defconfig OUTPUT

header     write the answers (from .config where it exists, else the defaults) as a C++ header
defconfig  write .config with all defaults
"""
import os
import sys

import kconfiglib


def main():
    what, output = sys.argv[1:3]
    config = kconfiglib.Kconfig("Kconfig", warn=False)
    if what == "defconfig":
        config.write_config(output)
        return
    if os.path.exists(".config"):
        config.load_config(".config")
    lines = ["// Kconfig's answers. Made by tools/dev/kconfig.py.", "#pragma once", "", "namespace tenon::config {"]
    for symbol in config.unique_defined_syms:
        name = symbol.name.lower()
        if symbol.type == kconfiglib.BOOL:
            lines.append(f"inline constexpr bool {name} = {'true' if symbol.str_value == 'y' else 'false'};")
        elif symbol.type in (kconfiglib.INT, kconfiglib.HEX):
            lines.append(f"inline constexpr unsigned long {name} = {symbol.str_value};")
        else:
            lines.append(f'inline constexpr const char* {name} = "{symbol.str_value}";')
    lines += ["} // namespace tenon::config", ""]
    text = "\n".join(lines)
    if not os.path.exists(output) or open(output).read() != text:
        os.makedirs(os.path.dirname(output), exist_ok=True)
        open(output, "w").write(text)


if __name__ == "__main__":
    main()

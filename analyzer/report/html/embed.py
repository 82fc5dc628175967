"""Makes a C++ header of the bundle: embed.py SCRIPT STYLE HEADER. Run by the build."""

import sys


def array(name, path):
    with open(path, "rb") as file:
        data = file.read()
    numbers = ",".join(str(byte) for byte in data)
    return f"inline constexpr unsigned char {name}[] = {{{numbers}}};\n"


def main(script, style, header):
    text = "// Made by embed.py. The HTML report's front end.\n#pragma once\nnamespace lastref {\n"
    text += array("kReportScript", script) + array("kReportStyle", style) + "}\n"
    with open(header, "w", encoding="utf-8") as file:
        file.write(text)


main(*sys.argv[1:])

"""Reads a protobuf message as nested dictionaries, by `protoc --decode`: a parser not our own."""

import json
import re
import subprocess

# Lines of the text format: `name {`, `}`, `name: value`.
LINE = re.compile(r'\s*(?:(\w+) \{|(\})|(\w+): (.*))$')


def decode(schema, message, data):
    """{field: [values]}, in the order of the message; unknown fields are an error."""
    folder, name = schema.rsplit("/", 1)
    text = subprocess.run(["protoc", f"--proto_path={folder}", f"--decode={message}", name],
                          input=data, stdout=subprocess.PIPE, check=True).stdout.decode()
    root = {}
    open_messages = [root]
    for line in text.splitlines():
        begun, ended, field, value = LINE.match(line).groups()
        if ended:
            open_messages.pop()
        elif begun:
            inner = {}
            open_messages[-1].setdefault(begun, []).append(inner)
            open_messages.append(inner)
        else:
            if value.startswith('"'):
                value = value[1:-1].encode().decode("unicode_escape").encode("latin-1").decode()
            elif value in ("true", "false"):
                value = value == "true"
            elif re.fullmatch(r"-?\d+", value):
                value = int(value)
            elif not re.fullmatch(r"[A-Z_]+", value):
                value = json.loads(value)
            open_messages[-1].setdefault(field, []).append(value)
    return root

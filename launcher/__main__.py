"""`./run [MODE] [arguments]`, inside the environment bootstrap.py has made."""

from __future__ import annotations

import sys

from launcher.messages import CannotGoOn, say
from launcher.modes import MODES


def main(arguments: list[str]) -> int:
    mode, *rest = arguments or ["demo"]
    if mode in {"help", "-h", "--help"}:
        print(usage())
        return 0
    if mode not in MODES:
        say(f"./run does not know '{mode}'.\n{usage()}")
        return 2
    try:
        return MODES[mode](rest)
    except CannotGoOn as reason:
        say(str(reason))
        return 1
    except KeyboardInterrupt:
        return 130


def usage() -> str:
    lines = (f"  ./run {name:<8} {(mode.__doc__ or '').splitlines()[0]}" for name, mode in MODES.items())
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

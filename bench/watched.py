"""Run a management command and say, on a last line of JSON, how much memory its process held at most.

The system's `ru_maxrss` would not do: a process inherits its parent's.
"""

import json
import os
import re
import sys
from pathlib import Path

import django
from django.core.management import execute_from_command_line


def peak_mib() -> float:
    """The greatest resident size of this process so far."""
    status = Path("/proc/self/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return round(int(found[1]) / 1024, 1)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    try:
        execute_from_command_line(["manage.py", *sys.argv[1:]])
    except SystemExit as end:  # --help ends so
        if end.code:
            raise
    print(json.dumps({"peak_mib": peak_mib()}))

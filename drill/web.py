"""The web application as drills run it: with the points at which it can be killed or stopped."""

import os
from pathlib import Path

from config.wsgi import application  # before the others: it is what sets Django up

# isort: split
from drill import points

__all__ = ["application"]

points.install(Path(os.environ["STATE_DIR"]))

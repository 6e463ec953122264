"""How much of what is generated comes with a run: a sample, or with `WHOLE=1 ./run test [files]` all of it, in hours.

A sample is the same every time. Where people differ it sends those who have most to gain.
"""

import os

WHOLE = os.environ.get("WHOLE") == "1"

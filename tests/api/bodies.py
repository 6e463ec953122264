"""Good bodies for the writes of the API, to be sent as they are or with something wrong in them."""

from typing import Any

from tests.makers import (
    make_emergency,
    make_facility,
    make_item,
)


def appeal_body(facility: Any = None, **line: Any) -> dict[str, Any]:
    """A valid appeal with one line, changed by keyword."""
    facility = facility or make_facility()
    line = {"item": make_item().pk, "quantity": 500, **line}
    return {
        "facility": str(facility.pk),
        "emergency": make_emergency().pk,
        "lines": [{key: value for key, value in line.items() if value is not ...}],
    }

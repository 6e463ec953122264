"""Tables of NumPy columns that cannot be changed, and their stored form.

A table is a frozen dataclass whose fields are the column types below. Making one copies the columns, so that nobody
else holds a writable view, and checks that each number fits its type: a quantity that wraps silently would become
somebody's masks.
"""

import hashlib
import io
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Annotated, Any, Self, get_type_hints

import numpy as np
from numpy.typing import NDArray

Ints = Annotated[NDArray[np.int64], np.int64]
Small = Annotated[NDArray[np.int32], np.int32]
Floats = Annotated[NDArray[np.float64], np.float64]
Bools = Annotated[NDArray[np.bool_], np.bool_]
Arrays = dict[str, NDArray[Any]]


def column_types(table: type) -> dict[str, np.dtype[Any]]:
    """Name and type of each column of a table, in order."""
    kind: Any = table  # a class can be looked up, whether or not its rows can
    return _column_types(kind)


@cache  # asked for with every table that is made
def _column_types(table: type) -> dict[str, np.dtype[Any]]:
    hints = get_type_hints(table, include_extras=True)
    return {name: np.dtype(hint.__metadata__[0]) for name, hint in hints.items()}


def frozen(values: Any, dtype: np.dtype[Any], dimensions: int, name: str) -> NDArray[Any]:
    """A read-only copy of `values`. Raises ValueError if a number does not fit or the shape is wrong."""
    given = np.asarray(values)
    if given.size == 0:
        given = given.astype(dtype)
    if given.ndim != dimensions:
        raise ValueError(f"{name}: expected {dimensions} dimensions, got {given.ndim}")
    if dtype.kind == "i":
        if given.dtype.kind not in "iub":
            raise ValueError(f"{name}: expected whole numbers, got {given.dtype}")
        bounds = np.iinfo(dtype)
        if given.size and (int(given.min()) < bounds.min or int(given.max()) > bounds.max):
            raise ValueError(f"{name}: a number does not fit {dtype}")
    copy = np.array(given, dtype=dtype, order="C")
    copy.setflags(write=False)
    return copy


class Table:
    """Base of the tables: a frozen dataclass of equally long, read-only columns. One that is left out is zero everywhere."""

    def __post_init__(self) -> None:
        length = len(getattr(self, next(iter(column_types(type(self))))))
        for name, dtype in column_types(type(self)).items():
            given = getattr(self, name)
            values = np.zeros(length, dtype) if given is None else given
            object.__setattr__(self, name, frozen(values, dtype, 1, name))
        lengths = {name: len(getattr(self, name)) for name in column_types(type(self))}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"{type(self).__name__}: columns differ in length: {lengths}")

    def __len__(self) -> int:
        return len(getattr(self, next(iter(column_types(type(self))))))

    @classmethod
    def empty(cls) -> Self:
        return cls(**{name: np.empty(0, dtype) for name, dtype in column_types(cls).items()})

    def take(self, rows: NDArray[Any]) -> Self:
        """The rows at these positions (or where this mask is true), in this order."""
        return type(self)(**{name: getattr(self, name)[rows] for name in column_types(type(self))})

    def arrays(self, prefix: str) -> Arrays:
        return {f"{prefix}.{name}": getattr(self, name) for name in column_types(type(self))}

    @classmethod
    def of_arrays(cls, stored: Mapping[str, NDArray[Any]], prefix: str) -> Self:
        """Raises TypeError where a column that may not be left out is missing."""
        known = (name for name in column_types(cls) if f"{prefix}.{name}" in stored)
        return cls(**{name: stored[f"{prefix}.{name}"] for name in known})


def packed(arrays: Arrays) -> bytes:
    """The arrays as a compressed .npz: the same arrays give the same bytes (no time stamps, no pickle)."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def unpacked(stored: bytes) -> Arrays:
    with np.load(io.BytesIO(stored), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def digest(arrays: Arrays) -> str:
    """SHA-256 over names, types, shapes and contents: independent of the compressor's version."""
    sha = hashlib.sha256()
    for name in sorted(arrays):
        values = np.ascontiguousarray(arrays[name])
        sha.update(f"{name}|{values.dtype.str}|{values.shape}|".encode())
        sha.update(values.tobytes())
    return sha.hexdigest()


def strings(values: Iterable[str]) -> NDArray[Any]:
    """Texts as an array that can be stored without pickle."""
    return np.array(list(values), dtype=np.str_)

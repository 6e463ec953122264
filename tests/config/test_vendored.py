"""What others wrote and we serve: whole, unchanged, with its licence and where it is from."""

import hashlib
from pathlib import Path

import pytest
from django.conf import settings

VENDORED = sorted((Path(settings.BASE_DIR) / "static" / "vendor").iterdir())


@pytest.mark.parametrize("folder", VENDORED, ids=lambda folder: folder.name)
def test_every_file_has_the_bytes_its_manifest_names(folder: Path) -> None:
    named = dict(
        reversed(line.split(maxsplit=1)) for line in (folder / "SHA256SUMS").read_text().splitlines()
    )
    found = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.iterdir()
        if file.name not in ("SHA256SUMS", "SOURCE.md")
    }

    assert found == named
    assert {"LICENSE", *found} == set(found)
    assert (folder / "SOURCE.md").exists()

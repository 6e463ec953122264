"""Requests that no view could read are answered before any view sees them."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db
FIELD = b'--X\r\nContent-Disposition: form-data; name="username"\r\n\r\n\\ud800\r\n--X--\r\n'
FILE = b'--X\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n%s\r\n--X--\r\n'


@pytest.mark.parametrize("charset", ["rot13", "unicode_escape", "utf-16", "idna", "zlib", "nope"])
def test_a_form_in_another_encoding_is_a_bad_request(charset: str) -> None:
    kind = f"multipart/form-data; boundary=X; charset={charset}"

    assert Client().generic("POST", "/sign-in/", FIELD, content_type=kind).status_code == 400


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8"])
def test_a_form_in_utf_8_is_read(charset: str) -> None:
    kind = f"multipart/form-data; boundary=X; charset={charset}"

    assert Client().generic("POST", "/sign-in/", FIELD, content_type=kind).status_code == 200


@pytest.mark.parametrize("name", ["sessionid", "csrftoken", "django_language"])
def test_a_cookie_with_a_quoted_nul_is_a_bad_request(name: str) -> None:
    answer = Client().get("/", headers={"cookie": f'{name}="\\000abcdefghijk"'})

    assert answer.status_code == 400


def test_a_file_of_ten_megabytes_is_too_large_for_any_page() -> None:
    body = FILE % (b"x" * 10_000_000)

    answer = Client().generic("POST", "/sign-in/", body, content_type="multipart/form-data; boundary=X")

    assert answer.status_code == 413


def test_a_host_that_is_not_ours_is_refused() -> None:
    assert Client().get("/", headers={"host": "evil.example"}).status_code == 400

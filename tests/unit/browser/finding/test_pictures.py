import base64
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.browser.finding.pictures import decode_data_url


@given(st.binary(min_size=1))
def test_a_data_url_gives_its_bytes(body: bytes) -> None:
    encoded = base64.b64encode(body).decode()
    assert decode_data_url(f"data:image/png;base64,{encoded}") == body
    assert decode_data_url(f"data:image/png;base64,{encoded.rstrip('=')}") == body
    assert decode_data_url("data:image/png;base64," + quote_from_bytes(encoded.encode())) == body
    assert decode_data_url("data:image/png," + quote_from_bytes(body)) == body


@pytest.mark.parametrize(
    "url",
    [
        "",
        "data:",
        "data:image/png;base64",
        "http://a.example/,x",
        "data:image/svg+xml,<svg/>",
        "data:image/png;base64,A",
    ],
)
def test_what_is_no_raster_data_url_gives_nothing(url: str) -> None:
    assert not decode_data_url(url)


@given(st.text())
def test_any_text_is_decoded_or_passed_over(text: str) -> None:
    decode_data_url(text)
    decode_data_url(f"data:image/png;base64,{text}")

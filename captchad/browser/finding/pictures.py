"""Gets the bytes of a captcha picture without requesting it again: that would make the site draw another one."""

import base64
import binascii
import re
from urllib.parse import unquote_to_bytes

from playwright.async_api import ElementHandle, Frame, Response
from playwright.async_api import Error as PlaywrightError

from captchad.browser.finding.candidates import Candidate
from captchad.browser.page.picture_recorder import PictureRecorder
from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.domain.picture import PICTURE_LIMIT_BYTES

_LENGTH = re.compile(r"[0-9]{1,18}")
_SVG_TYPE = "image/svg"
_OWN_SCHEMES = ("data:", "blob:")


async def read_picture(
    frame: Frame, candidate: Candidate, recorder: PictureRecorder, finder: str
) -> tuple[bytes, str] | None:
    """Return the picture's own bytes and how they were obtained; None when the element is gone.

    Vector pictures and what can't be read any other way are photographed from the page.
    """
    if candidate.kind == "canvas" or candidate.source.startswith(_OWN_SCHEMES):
        own_bytes = decode_data_url(await _read_in_page(frame, candidate, finder))
        if own_bytes:
            return own_bytes, f"read from the {candidate.kind} in the page"
    response = recorder.find(candidate.source) if candidate.source.startswith("http") else None
    if response is not None and not response.headers.get("content-type", "").startswith(_SVG_TYPE):
        own_bytes = await _read_body(response)
        if own_bytes:
            return own_bytes, "from the response that the page received"
    photographed = await _photograph(frame, candidate, finder)
    return None if photographed is None else (photographed, "photographed from the page")


async def _read_body(response: Response) -> bytes | None:
    """Return a picture's bytes; AttemptFailed for more than the limit, before they fill the worker's memory."""
    try:
        # Without Content-Length the browser's own count is asked, which takes a round trip.
        length = response.headers.get("content-length", "")
        size_bytes = int(length) if _LENGTH.fullmatch(length) else (await response.request.sizes())["responseBodySize"]
        if size_bytes > PICTURE_LIMIT_BYTES:
            message = f"the captcha's picture has {size_bytes} bytes, more than the limit of {PICTURE_LIMIT_BYTES}"
            raise AttemptFailed(TaskErrorCode.CAPTCHA_UNREADABLE, message)
        return await response.body()
    except PlaywrightError:
        return None


async def _read_in_page(frame: Frame, candidate: Candidate, finder: str) -> str:
    return str(await frame.evaluate(finder, _ask_for(candidate, "read")) or "")


async def _photograph(frame: Frame, candidate: Candidate, finder: str) -> bytes | None:
    element = await find_again(frame, candidate, finder)
    return None if element is None else await element.screenshot(type="png", animations="disabled")


async def find_again(frame: Frame, candidate: Candidate, finder: str) -> ElementHandle | None:
    """Return the candidate's element, None when it is gone."""
    handle = await frame.evaluate_handle(finder, _ask_for(candidate, "element"))
    return handle.as_element()


def _ask_for(candidate: Candidate, mode: str) -> dict[str, str | int | None]:
    return {"mode": mode, "selector": candidate.selector, "index": candidate.index, "source": candidate.source}


def decode_data_url(url: str) -> bytes | None:
    """Return the bytes of a raster `data:` URL; None where it is none, is broken, or holds a vector picture."""
    head, comma, body = url.partition(",")
    if not comma or not head.startswith("data:") or head[5:].lower().startswith(_SVG_TYPE):
        return None
    raw = unquote_to_bytes(body)
    if not head.lower().endswith(";base64"):
        return raw
    try:
        # Browsers accept white space and missing padding; surplus padding does no harm.
        return base64.b64decode(b"".join(raw.split()) + b"==")
    except (binascii.Error, ValueError):
        return None

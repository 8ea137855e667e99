"""Gets the bytes of a captcha picture without requesting it again: that would make the site draw another one."""

import asyncio
import base64
import binascii
import math
import re
from urllib.parse import unquote_to_bytes

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import FloatRect, Frame, Locator, Response

from captchad.browser.finding.candidates import Candidate
from captchad.browser.finding.transparency import may_be_transparent
from captchad.browser.page.picture_recorder import PictureRecorder
from captchad.browser.scripts.bounds import ANSWER_LENGTH, TAMPERED, Facts
from captchad.browser.scripts.catalogue import FINDER
from captchad.browser.scripts.isolated_world import ask, choose
from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.domain.picture import PICTURE_LIMIT_BYTES

_LENGTH = re.compile(r"[0-9]{1,18}")
_SVG_TYPE = "image/svg"
PICTURE = "picture"
PHOTOGRAPHED = "photographed from the page"
LAID_ON_GROUND = "laid on the page's own ground"
OWN_BOX_KINDS = ("img", "canvas", "svg", "background")
INK_MARGIN_PIXELS = 4
_OWN_SCHEMES = ("data:", "blob:")


async def read_picture(frame: Frame, candidate: Candidate, recorder: PictureRecorder) -> tuple[bytes, str] | None:
    """Return the picture's own bytes and how they were obtained; None when the element is gone.

    Vector pictures and what can't be read any other way are photographed from the page, and so are pale transparent
    ones where no plain colour is behind them.
    """
    own = await _read_own(frame, candidate, recorder)
    if own is not None and candidate.kind == "background" and may_be_transparent(own[0]):
        # Only its element knows the picture, and shows it as it is meant.
        own = None
    if own is not None and may_be_transparent(own[0]):
        laid = await _lay_on_ground(frame, candidate)
        own = own if laid is None else (laid, LAID_ON_GROUND) if laid else None
    if own is not None:
        return own
    photographed = await _photograph(frame, candidate)
    return None if photographed is None else (photographed, PHOTOGRAPHED)


async def _read_own(frame: Frame, candidate: Candidate, recorder: PictureRecorder) -> tuple[bytes, str] | None:
    if candidate.kind == "canvas" or candidate.source.startswith(_OWN_SCHEMES):
        own_bytes = await _read_in_page(frame, candidate)
        if own_bytes:
            return own_bytes, f"read from the {candidate.kind} in the page"
    response = recorder.find(candidate.source) if candidate.source.startswith("http") else None
    if response is not None and not response.headers.get("content-type", "").startswith(_SVG_TYPE):
        own_bytes = await _read_body(response)
        if own_bytes:
            return own_bytes, "from the response that the page received"
    return None


async def _read_body(response: Response) -> bytes | None:
    """Return a picture's bytes; AttemptFailed for more than the limit, before they fill the worker's memory.

    None where nobody can tell their number beforehand: of an encoded picture, and of one from the browser's cache.
    """
    try:
        headers = response.headers
        if headers.get("content-encoding", "identity").strip().lower() != "identity":
            return None
        length = headers.get("content-length", "")
        stated_bytes = int(length) if _LENGTH.fullmatch(length) else 0
        _check_size(stated_bytes)
        # Over HTTP/1 a browser reads no more than that. Otherwise its own count is asked, which takes a round trip.
        if not stated_bytes or "transfer-encoding" in headers or not response.url.startswith("http:"):
            received_bytes = (await response.request.sizes())["responseBodySize"]
            _check_size(received_bytes)
            if received_bytes <= 0:
                return None
        return await response.body()
    except PlaywrightError:
        return None


def _check_size(size_bytes: int) -> None:
    if size_bytes > PICTURE_LIMIT_BYTES:
        raise _refuse(f"has {size_bytes} bytes, more than the limit of {PICTURE_LIMIT_BYTES}")


def _refuse(reason: str) -> AttemptFailed:
    return AttemptFailed(TaskErrorCode.CAPTCHA_UNREADABLE, f"the captcha's picture {reason}")


async def _read_in_page(frame: Frame, candidate: Candidate) -> bytes | None:
    try:
        answer = await ask(frame, FINDER, **_order(candidate, "read"))
        if answer is None:
            return None
        facts = Facts(answer)
        url = None if "is_too_large" in answer else facts.text("data", ANSWER_LENGTH)
    except TAMPERED:
        return None
    # In a thread: a large picture takes a while.
    own_bytes = await asyncio.to_thread(decode_data_url, url) if url is not None else None
    if url is None or len(own_bytes or b"") > PICTURE_LIMIT_BYTES:
        raise _refuse(f"has more than the limit of {PICTURE_LIMIT_BYTES} bytes")
    return own_bytes


async def _lay_on_ground(frame: Frame, candidate: Candidate) -> bytes | None:
    """Return a pale transparent picture on the colour behind it; b"" where only a photograph shows it, else None."""
    try:
        answer = await ask(frame, FINDER, **_order(candidate, "ground"))
        if answer is None:
            return None
        url = "" if "is_shown" in answer else Facts(answer).text("data", ANSWER_LENGTH)
    except TAMPERED:
        return None
    return await asyncio.to_thread(decode_data_url, url) if url else b""


async def _photograph(frame: Frame, candidate: Candidate) -> bytes | None:
    element = await find_again(frame, candidate)
    if element is None:
        return None
    await element.scroll_into_view_if_needed()
    own, window = await element.bounding_box(), frame.page.viewport_size
    if own is None or window is None:
        return None
    box = await _find_ink(frame, candidate, own)
    if box["width"] > window["width"] or box["height"] > window["height"]:
        raise _refuse(f"is shown as {box['width']:.0f} x {box['height']:.0f} pixels, more than the window has")
    # Of the window, not of the element: that one can grow meanwhile.
    return await frame.page.screenshot(type="png", animations="disabled", clip=_round_outwards(box), timeout=0)


async def _find_ink(frame: Frame, candidate: Candidate, own: FloatRect) -> FloatRect:
    """Return where the candidate paints, which need not be its element's box."""
    try:
        ink = Facts(await ask(frame, FINDER, **_order(candidate, "ink")))
        left, top, width, height = (ink.measure(side) for side in ("left", "top", "width", "height"))
    except TAMPERED:
        return own
    is_picture = candidate.kind in OWN_BOX_KINDS
    margin = 0 if is_picture else INK_MARGIN_PIXELS
    box = (own["x"] + left - margin, own["y"] + top - margin, width + 2 * margin, height + 2 * margin)
    if not all(map(math.isfinite, box)) or min(width, height) < 1:
        return own
    return {"x": max(0, box[0]), "y": max(0, box[1]), "width": box[2], "height": box[3]}


def _round_outwards(box: FloatRect) -> FloatRect:
    left, top = math.floor(box["x"]), math.floor(box["y"])
    right, bottom = math.ceil(box["x"] + box["width"]), math.ceil(box["y"] + box["height"])
    return {"x": left, "y": top, "width": right - left, "height": bottom - top}


async def find_again(frame: Frame, candidate: Candidate) -> Locator | None:
    """Return the candidate's element, None when it is gone."""
    return await choose(frame, FINDER, keeps=PICTURE, **_order(candidate, "element"))


def _order(candidate: Candidate, mode: str) -> dict[str, str | int | None]:
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

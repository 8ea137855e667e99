"""Reads a picture in this process, without any server."""

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from captchad.client.options import Hints
from captchad.domain.errors import InvalidRequest
from captchad.domain.picture import PICTURE_LIMIT_BYTES
from captchad.domain.recognition import CaptchaKind, Recognition, parse_position
from captchad.domain.recognition import Hints as ReadingHints

if TYPE_CHECKING:
    from captchad.recognition.recognition_engine import RecognitionEngine

PURPOSE = "reading pictures in process"


def read(picture: bytes | str | os.PathLike[str], **hints: Unpack[Hints]) -> Recognition:
    """Read a picture, given as its bytes or its file; the first call loads the model.

    PictureRefused where it is none. A picture without readable text has an empty text and confidence 0.
    """
    content = picture if isinstance(picture, bytes) else _read_file(Path(picture))
    engine = _load_engine()
    from captchad.recognition.decoding import decode_views  # noqa: PLC0415
    from captchad.recognition.reading import recognise_decoded  # noqa: PLC0415

    (recognition,) = recognise_decoded(engine, [decode_views(content)], [_make_hints(**hints)])
    return recognition


def _read_file(path: Path) -> bytes:
    with path.open("rb") as file:
        # One byte more than allowed is enough for the decoder to refuse it.
        return file.read(PICTURE_LIMIT_BYTES + 1)


@cache
def _load_engine() -> "RecognitionEngine":
    from captchad.runtime.extras import Extra, require  # noqa: PLC0415

    require(Extra.WORKER, PURPOSE)
    from captchad.recognition.engines import DEFAULT_ENGINE, load_engine  # noqa: PLC0415

    return load_engine(DEFAULT_ENGINE)


def _make_hints(**hints: Any) -> ReadingHints:
    kind, position = hints.get("kind"), hints.get("position")
    place = None if position is None else parse_position(position)
    if position is not None and place is None:
        raise InvalidRequest(f"position={position!r} is neither first:N nor last:N")
    return ReadingHints(**{**hints, "kind": None if kind is None else CaptchaKind(kind), "position": place})

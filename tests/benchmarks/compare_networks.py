"""Compares each network alone with both together, on the two generators the tests use.

python -m tests.benchmarks.compare_networks --seed 99
"""

import argparse
import random

from captcha.image import ImageCaptcha

from captchad.domain.recognition import CaptchaKind, Hints
from captchad.recognition.calibration import load_calibration
from captchad.recognition.ddddocr_engine import CALIBRATION_NAME, NETWORK_SOURCES, DdddocrEngine
from captchad.recognition.decoding import Pixels, decode_picture
from captchad.recognition.network import NetworkSource, load_network
from tests.benchmarks.captcha_families import CLEAR_UPPER, DIGITS, UPPER, draw_wheezy_text

TEXT = Hints(kind=CaptchaKind.TEXT)
ALPHABETS = {
    "upper case without look-alikes": CLEAR_UPPER,
    "lower case without look-alikes": CLEAR_UPPER.lower(),
    "upper case and digits": UPPER + DIGITS,
    "digits": DIGITS,
}


def load_engines() -> dict[str, DdddocrEngine]:
    """Load every combination that is compared."""
    calibration = load_calibration(CALIBRATION_NAME)
    networks = [load_network(source) for source in NETWORK_SOURCES]
    unwidened = [
        load_network(NetworkSource(source.file_name, source.charset_name, stretch=1.0)) for source in NETWORK_SOURCES
    ]
    return {
        "common_old": DdddocrEngine(networks[:1], calibration),
        "common": DdddocrEngine(networks[1:], calibration),
        "both, not widened": DdddocrEngine(unwidened, calibration),
        "both": DdddocrEngine(networks, calibration),
    }


def main() -> None:
    """Print a row for each generator and alphabet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", default="99")
    parser.add_argument("--count", type=int, default=250)
    options = parser.parse_args()
    engines = load_engines()
    print(f"| pictures | {' | '.join(engines)} | both, hinted | both, with case |")
    for generator in ("wheezy.captcha", "captcha"):
        for name, alphabet in ALPHABETS.items():
            source = random.Random(f"{options.seed}/{generator}/{name}")
            texts = ["".join(source.choices(alphabet, k=4)) for _ in range(options.count)]
            pictures = [_draw(generator, source, text) for text in texts]
            hinted = Hints(charset=alphabet, min_length=4, max_length=4)
            rates = [_rate(engine, texts, pictures, TEXT) for engine in engines.values()]
            rates.append(_rate(engines["both"], texts, pictures, hinted))
            rates.append(_rate_with_case(engines["both"], texts, pictures))
            print(f"| {generator}, {name} | {' | '.join(f'{rate:.1%}' for rate in rates)} |", flush=True)


def _draw(generator: str, source: random.Random, text: str) -> Pixels:
    is_wheezy = generator == "wheezy.captcha"
    return decode_picture(draw_wheezy_text(source, text) if is_wheezy else ImageCaptcha().generate(text).getvalue())


def _rate(engine: DdddocrEngine, texts: list[str], pictures: list[Pixels], hints: Hints) -> float:
    """Return the share read right but for case; one network alone has no calibration to decide that by."""
    found = [engine.read(picture, hints) for picture in pictures]
    right = (
        reading is not None and reading.reading.symbols == text.lower()
        for reading, text in zip(found, texts, strict=True)
    )
    return sum(right) / len(texts)


def _rate_with_case(engine: DdddocrEngine, texts: list[str], pictures: list[Pixels]) -> float:
    read = engine.recognise(pictures, [TEXT] * len(pictures))
    return sum(recognition.text == text for recognition, text in zip(read, texts, strict=True)) / len(texts)


if __name__ == "__main__":
    main()

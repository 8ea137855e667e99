"""Labels as the store has them, without a store."""

import io
from dataclasses import dataclass

from PIL import Image

from captchad.domain.label import Verdict
from tests.unit.training.plain_pictures import draw_plainly


@dataclass(frozen=True)
class KeptPicture:
    """A label; a picture of None is gone."""

    text: str
    verdict: Verdict = Verdict.RIGHT
    at: str = "2026-01-01T00:00:00.000Z"
    content: bytes | None = b""

    @property
    def picture(self) -> bytes:
        if self.content is None:
            raise FileNotFoundError(self.text)
        return self.content


def draw_label(text: str, number: int = 0, verdict: Verdict = Verdict.RIGHT, drawn: str | None = None) -> KeptPicture:
    """Draw a label's picture, which may say something else; later numbers are later labels."""
    encoded = io.BytesIO()
    Image.fromarray(draw_plainly(drawn or text).picture).save(encoded, "PNG")
    at = f"2026-01-01T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}.000Z"
    return KeptPicture(text, verdict, at, encoded.getvalue())

"""What the browser brings back from a page."""

from dataclasses import dataclass, field

from captchad.domain.recognition import Instruction, Recognition


@dataclass(frozen=True, slots=True)
class CaptchaCapture:
    """The captcha picture of one page, as the bytes the site itself sent.

    `reading` is the answer where the captcha is text of the page; `picture` is a photograph of it then. `timings_ms`
    has the stages open, locate and capture, in milliseconds; `choice` says in one line why this element was taken for
    the captcha; `instruction` is what the page says beside it.
    """

    picture: bytes
    choice: str
    timings_ms: dict[str, float] = field(default_factory=dict)
    instruction: Instruction | None = None
    reading: Recognition | None = None

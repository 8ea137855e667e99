"""Judges what a frame shows: which element is the captcha picture, and why."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

CERTAIN_SCORE = 45
POSSIBLE_SCORE = 20

_CAPTCHA = re.compile(
    r"captcha|kaptcha|securimage|验证码|校验码|驗證碼|yanzhengma|(?<![a-z])yzm"
    r"|(verif|valid|check|auth|sec|rand|img|image|pic|login)[a-z]{0,6}[-_ ]?code|(?<![a-z])[vs]code(?![a-z])"
    r"|code[-_ ]?(img|image|pic)|security[-_ ]?(image|img|text)",
    re.IGNORECASE,
)
_HINT = re.compile(
    r"verif|validat|challenge|security|(?<![a-z])(code|auth|rand|random|human|robot|turing)(?![a-z])|验证|校验|驗證",
    re.IGNORECASE,
)
_DECOY = re.compile(
    r"logo|avatar|portrait|banner|advert|sponsor|sprite|(?<![a-z])(ads?|qr|icons?|favicon|brand|badge|flag|pixel|"
    r"tracking|share|profile|photo|thumb|emoji|smiley|loading|spinner|barcode)(?![a-z])|qr[-_ ]?code|二维码|头像|广告",
    re.IGNORECASE,
)
_DYNAMIC = re.compile(
    r"\.(php|jsp|do|aspx?|ashx|action)\b|[?&](t|r|rnd|rand|time|ts|_|v|key|id)=|/(new|refresh)\b", re.I
)

_NEAR_PIXELS = 150
_SHORTEST, _TALLEST, _NARROWEST, _WIDEST = 14, 160, 36, 520
_FLATTEST_RATIO, _LONGEST_RATIO = 1.4, 8.0
_SQUARE_RATIO = 1.25
_ICON_PIXELS = 12


@dataclass(frozen=True, slots=True)
class NearbyInput:
    """A text input and its distance in CSS pixels."""

    words: str
    distance: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """Facts about one element of one frame; `data` is a data: URL where the frame could read the picture itself.

    `selector` is the caller's, None when the frame was searched without one; `index` counts within that search.
    """

    index: int
    kind: str
    source: str
    own: str
    around: str
    width: int
    height: int
    is_visible: bool
    is_loaded: bool
    is_clickable: bool
    is_outside_form: bool
    is_foreign_link: bool
    inputs: tuple[NearbyInput, ...]
    data: str | None
    selector: str | None = None

    @property
    def is_ready(self) -> bool:
        """Whether there is a picture yet: loaded, and for a canvas something drawn on it."""
        return self.is_loaded and self.data != ""

    @property
    def is_legible(self) -> bool:
        """Whether it could hold text at all: shown, and larger than an icon."""
        return self.is_visible and min(self.width, self.height) >= _ICON_PIXELS


def read_candidate(facts: Mapping[str, Any], selector: str | None = None) -> Candidate:
    """Make a candidate of what finder.js tells; the page could have tampered with it, so types are forced."""
    inputs = tuple(NearbyInput(str(entry["words"]), float(entry["distance"])) for entry in facts["inputs"])
    data = facts["data"]
    return Candidate(
        index=int(facts["index"]),
        kind=str(facts["kind"]),
        source=str(facts["source"]),
        own=str(facts["own"]),
        around=str(facts["around"]),
        width=int(facts["width"]),
        height=int(facts["height"]),
        is_visible=bool(facts["is_visible"]),
        is_loaded=bool(facts["is_loaded"]),
        is_clickable=bool(facts["is_clickable"]),
        is_outside_form=bool(facts["is_outside_form"]),
        is_foreign_link=bool(facts["is_foreign_link"]),
        inputs=inputs,
        data=None if data is None else str(data),
        selector=selector,
    )


@dataclass(frozen=True, slots=True)
class Judgement:
    """How much an element looks like a captcha, and the grounds with their points."""

    score: int
    grounds: tuple[tuple[str, int], ...]

    def explain(self, candidate: Candidate) -> str:
        """Say in one line what was chosen and why."""
        grounds = ", ".join(f"{text} {points:+d}" for text, points in self.grounds)
        name = " ".join(candidate.own.split())[:80]
        return f"{candidate.kind} {candidate.width}x{candidate.height} [{name}]: score {self.score} ({grounds})"


def judge(candidate: Candidate) -> Judgement:
    """Score a candidate from its words, its neighbours and its shape."""
    grounds = [*_judge_words(candidate), *_judge_inputs(candidate), *_judge_shape(candidate), *_judge_place(candidate)]
    return Judgement(sum(points for _, points in grounds), tuple(grounds))


def _judge_words(candidate: Candidate) -> Iterable[tuple[str, int]]:
    if _CAPTCHA.search(candidate.own):
        yield "named a captcha", 45
    elif _HINT.search(candidate.own):
        yield "name hints at a captcha", 20
    if _CAPTCHA.search(candidate.around):
        yield "captcha words around it", 15
    elif _HINT.search(candidate.around):
        yield "hint words around it", 6
    if _DECOY.search(candidate.own):
        yield "named something else", -45
    if _DYNAMIC.search(candidate.source):
        yield "drawn by the server", 6


def _judge_inputs(candidate: Candidate) -> Iterable[tuple[str, int]]:
    near = [entry for entry in candidate.inputs if entry.distance <= _NEAR_PIXELS]
    if any(_CAPTCHA.search(entry.words) for entry in near):
        yield "beside a captcha input", 30
    elif any(_HINT.search(entry.words) for entry in near):
        yield "beside an input for a code", 20
    elif near:
        yield "beside a text input", 10


def _judge_shape(candidate: Candidate) -> Iterable[tuple[str, int]]:
    width, height = max(candidate.width, 1), max(candidate.height, 1)
    ratio = width / height
    is_text_sized = _NARROWEST <= width <= _WIDEST and _SHORTEST <= height <= _TALLEST
    if is_text_sized and _FLATTEST_RATIO <= ratio <= _LONGEST_RATIO:
        yield "shaped like a line of text", 15
    elif 1 / _SQUARE_RATIO < ratio < _SQUARE_RATIO:
        yield "square", -15
    else:
        yield "not shaped like a line of text", -10
    if width > 2 * _WIDEST or height > 2 * _TALLEST:
        yield "very large", -15


def _judge_place(candidate: Candidate) -> Iterable[tuple[str, int]]:
    if candidate.is_clickable:
        yield "clickable", 4
    if candidate.is_outside_form:
        yield "in a header, footer or side bar", -12
    if candidate.is_foreign_link:
        yield "links to another site", -25


def choose(candidates: Iterable[Candidate]) -> tuple[Candidate, Judgement] | None:
    """Give the best visible candidate that may be a captcha, or None; the earlier one wins a tie."""
    judged = [(candidate, judge(candidate)) for candidate in candidates if candidate.is_legible]
    possible = [pair for pair in judged if pair[1].score >= POSSIBLE_SCORE]
    return max(possible, key=lambda pair: pair[1].score, default=None)


def choose_selected(candidates: Iterable[Candidate]) -> tuple[Candidate, Judgement] | None:
    """Give the first element that the caller's selector names, a visible one before a hidden one."""
    known = list(candidates)
    first = next((candidate for candidate in known if candidate.is_visible), known[0] if known else None)
    return None if first is None else (first, Judgement(CERTAIN_SCORE, (("named by the selector", CERTAIN_SCORE),)))

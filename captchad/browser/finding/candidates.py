"""Judges what a frame shows: which element is the captcha picture, and why."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from captchad.browser.finding.shapes import judge_shape
from captchad.browser.finding.wording import (
    FieldPurpose,
    hints_captcha,
    names_captcha,
    names_control,
    names_decoy,
    names_page_part,
    names_stand_in,
)
from captchad.browser.scripts.bounds import NEAR_LIMIT, URL_LENGTH, WORDS_LENGTH, Facts, read_number
from captchad.domain.page_text import PageText, read_page_text
from captchad.domain.plain_text import escape_control_characters

# The points of docs/finding.md. A certain picture is taken at once, a possible one after a second more.
CERTAIN_SCORE = 45
POSSIBLE_SCORE = 30
NEAR_PIXELS = 150
ICON_PIXELS = 12
FIELDS_AFTER_HEADING = 2
LEAST_TEXT_PIXELS = 6
_TEXT_KINDS, _TEXT_MARK = ("text", "question"), "text:"
NAME_LENGTH = 80

_PURPOSE_POINTS = {FieldPurpose.CAPTCHA: 30, FieldPurpose.CODE: 20, FieldPurpose.UNKNOWN: 10, FieldPurpose.OTHER: 0}
_LINK_POINTS = {"foreign": ("links to another site", -25), "site": ("links to another page", -15)}
# A captcha is drawn for each request; a picture with a plain file name is usually a static one.
_DYNAMIC = re.compile(r"\.(php|jsp|do|aspx?|ashx|action)\b|[?&](t|r|rnd|rand|time|ts|_|key|id)=|/(new|refresh)\b", re.I)
_KEPT_FILE = re.compile(r"\.(png|jpe?g|gif|svg|webp|avif|ico)([?#]|$)", re.I)


@dataclass(frozen=True, slots=True)
class NearbyInput:
    """A text input by its purpose, its distance in CSS pixels, and whether no other field comes between."""

    purpose: FieldPurpose
    distance_pixels: float
    is_next: bool = True

    @property
    def points(self) -> int:
        """What the input adds to the score of a picture: all for the next one, nothing from afar."""
        points = _PURPOSE_POINTS[self.purpose] if self.distance_pixels <= NEAR_PIXELS else 0
        # Another field in between makes it less likely that this one is meant.
        return points if self.is_next else points * 2 // 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """Facts about one element of one frame.

    `selector` is the caller's, None when the frame was searched without one; `index` counts within that search. `link`
    is "" or where a link around it leads: "site" or "foreign". `behavioural` names a captcha that is no picture in the
    same form or login; `part_of` one that the element itself belongs to. `kinship` is how far up from the field for the
    answer, or from its form, the first element lies that holds both; -1 where no field is named, and `is_at_aim` says
    that it is the next one; `row` is the index of the row of pieces that it is one of, else -1. Of a pending one the
    request is still open. `spoken` is what the page says around it and around the fields beside it.
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
    inputs: tuple[NearbyInput, ...]
    link: str = ""
    fields_before: int = 0
    fields_after: int = 0
    block: int = -1
    behavioural: str | None = None
    part_of: str | None = None
    kinship: int = -1
    is_at_aim: bool = False
    row: int = -1
    is_pending: bool = False
    spoken: str = ""
    selector: str | None = None

    @property
    def is_ready(self) -> bool:
        """Whether there is a picture yet: loaded, and for a canvas something drawn on it."""
        return self.is_loaded

    @property
    def is_missing(self) -> bool:
        """Whether it says that it is the captcha, and its picture is not there."""
        return not self.is_loaded and self.kind == "img" and names_captcha(self.own) and not names_decoy(self.own)

    @property
    def text(self) -> str | None:
        """The text of the page that it is; None of a picture."""
        return self.source.removeprefix(_TEXT_MARK) if self.kind in _TEXT_KINDS else None

    @property
    def page_text(self) -> PageText | None:
        """The code or the sum that its text is; None of a picture, and of any other text."""
        return None if self.text is None else read_page_text(self.text)

    @property
    def is_beside_answer(self) -> bool:
        """Whether a captcha's field, or the one that the caller names, is next to it."""
        is_for_captcha = any(one.purpose is FieldPurpose.CAPTCHA and one.is_next and one.points for one in self.inputs)
        return self.is_at_aim or is_for_captcha

    @property
    def is_legible(self) -> bool:
        """Whether it could hold text at all: shown, larger than an icon, and no piece of a puzzle."""
        if not self.is_visible or self.part_of is not None:
            return False
        if self.text is not None:
            return self._is_captcha_text and min(self.width, self.height) >= LEAST_TEXT_PIXELS
        # A row of small pictures is more often one of links or badges.
        is_borne_out = self.kind != "tiles" or self._has_captcha_words
        return is_borne_out and min(self.width, self.height) >= ICON_PIXELS

    @property
    def _has_captcha_words(self) -> bool:
        return names_captcha(self.own) or names_captcha(self.around) or self.is_beside_answer

    @property
    def _is_captcha_text(self) -> bool:
        """Whether a text is a code or a sum, and something else of the page says that it is the captcha."""
        found = self.page_text
        if found is None or not self._has_captcha_words:
            return False
        if found.expression is not None:
            return found.is_clear or self.is_beside_answer
        is_of_form = found.is_clear or names_captcha(self.own)
        return self.kind == "text" and is_of_form and not names_page_part(found.answer)


def read_candidate(facts: Facts, purposes: tuple[FieldPurpose, ...], selector: str | None = None) -> Candidate:
    """Build a candidate from the facts of finder.js; TAMPERED where they are none."""
    return Candidate(
        index=facts.number("index"),
        kind=facts.text("kind", WORDS_LENGTH),
        source=facts.text("source", URL_LENGTH),
        own=facts.text("own", WORDS_LENGTH),
        around=facts.text("around", WORDS_LENGTH),
        width=facts.number("width"),
        height=facts.number("height"),
        is_visible=facts.flag("is_visible"),
        is_loaded=facts.flag("is_loaded"),
        is_clickable=facts.flag("is_clickable"),
        is_outside_form=facts.flag("is_outside_form"),
        inputs=read_near(facts.several("near", NEAR_LIMIT), purposes),
        link=facts.text("link", WORDS_LENGTH),
        fields_before=facts.number("fields_before"),
        fields_after=facts.number("fields_after"),
        block=facts.number("block"),
        behavioural=facts.optional_text("behavioural", WORDS_LENGTH),
        part_of=facts.optional_text("part_of", WORDS_LENGTH),
        kinship=facts.number("kinship"),
        is_at_aim=facts.flag("is_at_aim"),
        row=facts.number("row"),
        is_pending=facts.flag("is_pending"),
        selector=selector,
    )


def read_near(near: Iterable[Any], purposes: tuple[FieldPurpose, ...]) -> tuple[NearbyInput, ...]:
    """Return the inputs near an element: a field's number among the frame's, its distance, whether it is the next."""
    known = ((int(at), read_number(distance), bool(is_next)) for at, distance, is_next in near)
    return tuple(
        NearbyInput(purposes[at], distance, is_next) for at, distance, is_next in known if 0 <= at < len(purposes)
    )


@dataclass(frozen=True, slots=True)
class Judgement:
    """How much an element looks like a captcha, and the grounds with their points."""

    score: int
    grounds: tuple[tuple[str, int], ...]

    def explain(self, candidate: Candidate) -> str:
        """Say in one line what was chosen and why."""
        grounds = ", ".join(f"{text} {points:+d}" for text, points in self.grounds)
        name = escape_control_characters(" ".join(candidate.own.split())[:NAME_LENGTH])
        return f"{candidate.kind} {candidate.width}x{candidate.height} [{name}]: score {self.score} ({grounds})"


def judge(candidate: Candidate) -> Judgement:
    """Score a candidate from its words, its neighbours, its shape and its place."""
    grounds = (
        *_judge_words(candidate),
        *_judge_inputs(candidate),
        *(judge_shape(candidate.width, candidate.height) if candidate.text is None else ()),
        *_judge_place(candidate),
    )
    return Judgement(sum(points for _, points in grounds), grounds)


def _judge_words(candidate: Candidate) -> Iterable[tuple[str, int]]:
    is_named = names_captcha(candidate.own)
    if is_named:
        yield "named a captcha", 45
    elif hints_captcha(candidate.own):
        yield "name hints at a captcha", 12
    if names_captcha(candidate.around):
        yield "captcha words around it", 15
    elif hints_captcha(candidate.around):
        yield "hint words around it", 6
    if names_decoy(candidate.own):
        yield "named something else", -20 if is_named else -45
    elif names_control(candidate.own):
        yield "named like a control", -6
    # A captcha's own name outweighs a static file name.
    if candidate.text is None:
        yield from _judge_address(candidate.source, is_named=is_named)


def _judge_address(url: str, *, is_named: bool) -> Iterable[tuple[str, int]]:
    if names_stand_in(url[:WORDS_LENGTH]):
        yield "a stand-in", -60
    elif _DYNAMIC.search(url):
        yield "drawn by the server", 6
    elif _KEPT_FILE.search(url) and not is_named:
        yield "a file that is kept", -8


def _judge_inputs(candidate: Candidate) -> Iterable[tuple[str, int]]:
    best = max(candidate.inputs, key=lambda entry: entry.points, default=None)
    if candidate.is_at_aim:
        yield "beside the field for the answer", _PURPOSE_POINTS[FieldPurpose.CAPTCHA]
    elif best is not None and best.points:
        yield f"{'beside' if best.is_next else 'near'} {best.purpose.value}", best.points
    if not candidate.inputs:
        yield "no input to type it into", -6
    elif candidate.fields_before:
        yield "after an input", 6
    elif candidate.fields_after >= FIELDS_AFTER_HEADING:
        yield "above all inputs", -12


def _judge_place(candidate: Candidate) -> Iterable[tuple[str, int]]:
    if candidate.is_clickable:
        yield "clickable", 4
    if candidate.is_outside_form:
        yield "in a header, footer or side bar", -12
    if candidate.link in _LINK_POINTS:
        yield _LINK_POINTS[candidate.link]


def choose(candidates: Iterable[Candidate]) -> tuple[Candidate, Judgement] | None:
    """Return the best visible candidate that may be a captcha, or None; the earlier one wins a tie.

    A certain picture comes before any text, and a row of pieces before each of them. Where the field for the answer is
    named, those of its form come first, or those nearest to it.
    """
    judged = [(candidate, judge(candidate)) for candidate in candidates if candidate.is_legible]
    possible = [pair for pair in judged if pair[1].score >= POSSIBLE_SCORE]
    rows = {candidate.index for candidate, _ in possible if candidate.kind == "tiles"}
    possible = [pair for pair in possible if pair[0].row not in rows]
    nearest = min((candidate.kinship for candidate, _ in possible), default=-1)
    possible = [pair for pair in possible if pair[0].kinship == nearest]
    return max(possible, key=lambda pair: (*rank(*pair), -pair[0].index), default=None)


def rank(candidate: Candidate, judgement: Judgement) -> tuple[bool, int]:
    """Return by what one candidate is chosen over another: certain pictures first, then by score."""
    return is_certain(candidate, judgement), judgement.score


def is_certain(candidate: Candidate, judgement: Judgement) -> bool:
    """Whether it is taken as soon as it is there: a text waits for the picture that may yet come."""
    is_picture = candidate.text is None or candidate.selector is not None
    return is_picture and judgement.score >= CERTAIN_SCORE


def choose_selected(candidates: Iterable[Candidate]) -> tuple[Candidate, Judgement] | None:
    """Return the first element that the caller's selector names: visible before hidden, near the named field first."""
    known = sorted(candidates, key=lambda candidate: (candidate.kinship, candidate.index))
    first = next((candidate for candidate in known if candidate.is_visible), known[0] if known else None)
    return None if first is None else (first, Judgement(CERTAIN_SCORE, (("named by the selector", CERTAIN_SCORE),)))

"""Reads the facts of finder.js about a page's frames, and places frames in their parents."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from captchad.browser.finding.candidates import Candidate, NearbyInput, read_candidate, read_near
from captchad.browser.finding.wording import FieldPurpose, asks_contact, find_purpose, mentions_message
from captchad.browser.scripts.bounds import (
    BESIDE_LENGTH,
    CANDIDATES_LIMIT,
    CHILD_FRAMES_LIMIT,
    FIELDS_LIMIT,
    NEAR_LIMIT,
    STATE_LENGTH,
    URL_LENGTH,
    WORDS_LENGTH,
    Facts,
)

# A scripted page with fewer elements is most likely still being built by its script.
SPARSE_ELEMENTS = 25
AROUND_LENGTH = 4 * WORDS_LENGTH


@dataclass(frozen=True, slots=True)
class FramePlace:
    """Where a frame stands in its parent; `index` is its number among the parent's, -1 where that is unknown."""

    index: int
    url: str
    own: str
    around: str
    is_visible: bool
    inputs: tuple[NearbyInput, ...]
    fields_before: int
    fields_after: int
    block: int
    behavioural: str | None


@dataclass(frozen=True, slots=True)
class FrameView:
    """The result of one scan of one frame.

    `change` differs where the frame changed since another scan; `is_expectant` says that a captcha may yet come;
    `frames` are those in it that can hold a captcha, unless not `knows_frames`.
    `has_aim` says that the field for the answer is in it.
    """

    state: str
    url: str
    frame_index: int
    unsupported: str | None
    change: str
    is_scripted: bool
    is_expectant: bool
    can_send: bool
    candidates: tuple[Candidate, ...]
    frames: tuple[FramePlace, ...]
    knows_frames: bool
    has_aim: bool = False


def read_view(facts: Facts, url: str, selector: str | None) -> FrameView:
    """Build a view from the facts of finder.js; TAMPERED where they are none."""
    words = [_read_words(field) for field in facts.each("fields", FIELDS_LIMIT)]
    can_send = any(asks_contact(own) for own, _, _ in words)
    purposes = tuple(find_purpose(*texts, can_send=can_send) for texts in words)
    is_scripted, change = facts.flag("is_scripted"), facts.text("change", STATE_LENGTH)
    is_sparse = is_scripted and int(change.partition(" ")[0]) < SPARSE_ELEMENTS
    asks_code = FieldPurpose.CAPTCHA in purposes or FieldPurpose.CODE in purposes
    return FrameView(
        state=facts.text("state", STATE_LENGTH),
        url=url,
        frame_index=facts.number("frame_index"),
        unsupported=facts.optional_text("unsupported", WORDS_LENGTH),
        change=change,
        is_scripted=is_scripted,
        is_expectant=facts.flag("mentions") or asks_code or is_sparse,
        can_send=can_send,
        candidates=tuple(
            _without_messages(_read_spoken(read_candidate(entry, purposes, selector), entry, words), can_send=can_send)
            for entry in facts.each("candidates", CANDIDATES_LIMIT)
        ),
        frames=tuple(_read_place(entry, purposes) for entry in facts.each("frames", CHILD_FRAMES_LIMIT)),
        knows_frames=facts.flag("knows_frames"),
        has_aim=facts.flag("has_aim"),
    )


def _read_words(field: Facts) -> tuple[str, str, str]:
    return field.text("words", WORDS_LENGTH), field.text("before", BESIDE_LENGTH), field.text("after", BESIDE_LENGTH)


def _read_spoken(candidate: Candidate, facts: Facts, words: list[tuple[str, str, str]]) -> Candidate:
    """Add what the page says around a picture and around the fields next to it, as instructions are."""
    near = (int(at) for at, _, is_next in facts.several("near", NEAR_LIMIT) if is_next)
    beside = (" | ".join(words[at]) for at in near if 0 <= at < len(words))
    return replace(candidate, spoken=" | ".join((candidate.around, *beside)))


def _without_messages(candidate: Candidate, *, can_send: bool) -> Candidate:
    """Drop words around a picture that are about a code sent by message: they say nothing about the picture."""
    return replace(candidate, around="") if mentions_message(candidate.around, can_send=can_send) else candidate


def _read_place(facts: Facts, purposes: tuple[FieldPurpose, ...]) -> FramePlace:
    return FramePlace(
        index=facts.number("index"),
        url=facts.text("url", URL_LENGTH),
        own=facts.text("own", WORDS_LENGTH),
        around=facts.text("around", WORDS_LENGTH),
        is_visible=facts.flag("is_visible"),
        inputs=read_near(facts.several("near", NEAR_LIMIT), purposes),
        fields_before=facts.number("fields_before"),
        fields_after=facts.number("fields_after"),
        block=facts.number("block"),
        behavioural=facts.optional_text("behavioural", WORDS_LENGTH),
    )


def find_place(view: FrameView, parent: FrameView) -> FramePlace | None:
    """Return a frame's place in its parent, by its number or, in a shadow root, by its address."""
    by_index = [place for place in parent.frames if place.index >= 0 and place.index == view.frame_index]
    by_url = [place for place in parent.frames if place.index < 0 and place.url == view.url]
    return next(iter(by_index + by_url), None)


def place_view(view: FrameView, place: FramePlace) -> FrameView:
    """Return a frame's view with its candidates and its own frames as they stand in the page."""
    candidates = tuple(_place_candidate(candidate, place) for candidate in view.candidates)
    frames = tuple(
        replace(
            inner, is_visible=inner.is_visible and place.is_visible, behavioural=inner.behavioural or place.behavioural
        )
        for inner in view.frames
    )
    return replace(view, candidates=candidates, frames=frames)


def _place_candidate(candidate: Candidate, place: FramePlace) -> Candidate:
    return replace(
        candidate,
        # Frames can be nested as deep as one likes.
        around=f"{candidate.around} {place.own} {place.around}"[:AROUND_LENGTH],
        spoken=f"{candidate.spoken} | {place.around}"[:AROUND_LENGTH],
        is_visible=candidate.is_visible and place.is_visible,
        inputs=(*candidate.inputs, *place.inputs),
        fields_before=candidate.fields_before + place.fields_before,
        fields_after=candidate.fields_after + place.fields_after,
        behavioural=candidate.behavioural or place.behavioural,
    )


def spread_behavioural(view: FrameView, inner: Iterable[FrameView]) -> FrameView:
    """Return a view whose candidates know of the behavioural captchas in frames of their own form."""
    by_block: dict[int, str] = {}
    for child in inner:
        place = find_place(child, view)
        if place is not None and place.block >= 0 and child.unsupported is not None:
            by_block[place.block] = child.unsupported
    candidates = tuple(
        replace(candidate, behavioural=candidate.behavioural or by_block.get(candidate.block))
        for candidate in view.candidates
    )
    return replace(view, candidates=candidates)

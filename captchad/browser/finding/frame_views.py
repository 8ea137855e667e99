"""Reads the facts of finder.js about a page's frames, and places frames in their parents."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from captchad.browser.finding.candidates import Candidate, NearbyInput, read_candidate, read_near
from captchad.browser.finding.wording import FieldPurpose, asks_contact, find_purpose, mentions_message

# A scripted page with fewer elements is most likely still being built by its script.
SPARSE_ELEMENTS = 25


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


def read_view(facts: Mapping[str, Any], url: str, selector: str | None) -> FrameView:
    """Build a view from the facts of finder.js; the page could have tampered with them, so types are forced."""
    words = [(str(field["words"]), str(field["before"]), str(field["after"])) for field in facts["fields"]]
    can_send = any(asks_contact(own) for own, _, _ in words)
    purposes = tuple(find_purpose(*texts, can_send=can_send) for texts in words)
    is_scripted, change = bool(facts["is_scripted"]), str(facts["change"])
    is_sparse = is_scripted and int(change.partition(" ")[0]) < SPARSE_ELEMENTS
    asks_code = FieldPurpose.CAPTCHA in purposes or FieldPurpose.CODE in purposes
    return FrameView(
        state=str(facts["state"]),
        url=url,
        frame_index=int(facts["frame_index"]),
        unsupported=None if facts["unsupported"] is None else str(facts["unsupported"]),
        change=change,
        is_scripted=is_scripted,
        is_expectant=bool(facts["mentions"]) or asks_code or is_sparse,
        can_send=can_send,
        candidates=tuple(
            _without_messages(read_candidate(entry, purposes, selector), can_send=can_send)
            for entry in facts["candidates"]
        ),
        frames=tuple(_read_place(entry, purposes) for entry in facts["frames"]),
        knows_frames=bool(facts["knows_frames"]),
    )


def _without_messages(candidate: Candidate, *, can_send: bool) -> Candidate:
    """Drop words around a picture that are about a code sent by message: they say nothing about the picture."""
    return replace(candidate, around="") if mentions_message(candidate.around, can_send=can_send) else candidate


def _read_place(facts: Mapping[str, Any], purposes: tuple[FieldPurpose, ...]) -> FramePlace:
    return FramePlace(
        index=int(facts["index"]),
        url=str(facts["url"]),
        own=str(facts["own"]),
        around=str(facts["around"]),
        is_visible=bool(facts["is_visible"]),
        inputs=read_near(facts["near"], purposes),
        fields_before=int(facts["fields_before"]),
        fields_after=int(facts["fields_after"]),
        block=int(facts["block"]),
        behavioural=None if facts["behavioural"] is None else str(facts["behavioural"]),
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
        around=f"{candidate.around} {place.own} {place.around}",
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

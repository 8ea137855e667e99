"""What a page answers is cut to the scripts' limits once more, whatever the answer is."""

import asyncio
import json
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.browser.finding.frame_views import FrameView, read_view
from captchad.browser.forms.form_filling import read_form_facts
from captchad.browser.scripts.bounds import (
    BESIDE_LENGTH,
    CANDIDATES_LIMIT,
    CHILD_FRAMES_LIMIT,
    INLINE_LENGTH,
    NUMBER_LIMIT,
    PLACES_LIMIT,
    STATE_LENGTH,
    TAMPERED,
    URL_LENGTH,
    WORDS_LENGTH,
    Facts,
    cut_url,
    work_aside,
)

LONG = "x" * 60_000
MANY = 2000

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


def make_candidate(**changes: Any) -> dict[str, Any]:
    numbers = dict.fromkeys(
        ("index", "row", "width", "height", "fields_before", "fields_after", "block", "kinship"), 10**30
    )
    flags = dict.fromkeys(
        ("is_visible", "is_loaded", "is_clickable", "is_outside_form", "is_pending", "is_at_aim"), True
    )
    texts = dict.fromkeys(("kind", "source", "own", "around", "link", "behavioural", "part_of"), LONG)
    return {**numbers, **flags, **texts, "near": [[0, 1, True]] * MANY, **changes}


def make_facts(**changes: Any) -> dict[str, Any]:
    place = {**make_candidate(), "url": LONG}
    return {
        "state": LONG,
        "problem": None,
        "unsupported": LONG,
        "mentions": True,
        "is_scripted": True,
        "change": "1 " + LONG,
        "frame_index": 0,
        "fields": [{"words": LONG, "before": LONG, "after": LONG}] * MANY,
        "frames": [place] * MANY,
        "knows_frames": True,
        "has_aim": False,
        "candidates": [make_candidate()] * MANY,
        **changes,
    }


def test_every_text_and_every_list_of_a_frame_is_cut() -> None:
    view = read_view(Facts(make_facts()), "http://localhost/", None)
    assert (len(view.candidates), len(view.frames)) == (CANDIDATES_LIMIT, CHILD_FRAMES_LIMIT)
    assert (len(view.state), len(view.change), len(view.unsupported or "")) == (
        STATE_LENGTH,
        STATE_LENGTH,
        WORDS_LENGTH,
    )
    for seen in (*view.candidates, *view.frames):
        assert len(seen.own) == WORDS_LENGTH
        assert len(seen.around) == WORDS_LENGTH
        assert len(seen.inputs) <= 3
    assert {len(candidate.source) for candidate in view.candidates} == {URL_LENGTH}
    assert {candidate.width for candidate in view.candidates} == {NUMBER_LIMIT}


def test_the_text_beside_a_field_is_cut() -> None:
    facts = Facts({"before": LONG})
    assert len(facts.text("before", BESIDE_LENGTH)) == BESIDE_LENGTH


@given(JSON)
def test_any_other_answer_is_refused(answer: Any) -> None:
    with pytest.raises(TAMPERED):
        read_view(Facts(answer), "", None)


@given(st.sampled_from(sorted(make_facts().keys() - {"problem"})), JSON)
def test_an_answer_with_one_odd_member_is_read_or_refused(name: str, value: Any) -> None:
    try:
        view = read_view(Facts(make_facts(**{name: value})), "", None)
    except TAMPERED:
        return
    assert isinstance(view, FrameView)


def test_no_address_of_a_form_goes_unchecked() -> None:
    places = ["http://localhost/"] * PLACES_LIMIT
    assert read_form_facts(Facts({"places": places, "behavioural": None})).places == tuple(places)
    with pytest.raises(TAMPERED):
        read_form_facts(Facts({"places": [*places, "http://elsewhere/"], "behavioural": None}))
    with pytest.raises(TAMPERED):
        read_form_facts(Facts({"places": 5, "behavioural": None}))


def test_an_address_is_cut_but_never_within_its_host() -> None:
    assert len(cut_url("http://localhost/?" + LONG)) == URL_LENGTH
    assert cut_url("http://localhost:8080/?a=b") == "http://localhost:8080/?a=b"
    assert cut_url(f"http://localhost:{'0' * URL_LENGTH}80@elsewhere/") == "http:"
    assert cut_url("data:" + LONG) == ("data:" + LONG)[:URL_LENGTH]


async def test_much_text_is_worked_on_beside_the_event_loop() -> None:
    assert await work_aside(INLINE_LENGTH, threading.get_ident) == threading.get_ident()
    assert await work_aside(INLINE_LENGTH + 1, threading.get_ident) != threading.get_ident()


async def test_the_event_loop_goes_on_while_a_large_answer_is_read() -> None:
    turns = 0
    # Each letter unfolds to eighteen.
    text = json.dumps(
        make_facts(
            candidates=[],
            frames=[],
            fields=[{"words": f"{n}" + "\ufdfa" * 300, "before": "", "after": ""} for n in range(60)],
        )
    )

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.get_running_loop().create_task(count_turns())
    await work_aside(len(text), lambda: read_view(Facts(json.loads(text)), "", None))
    counting.cancel()
    assert turns > 1

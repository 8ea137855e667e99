import base64
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.domain.errors import BodyTooLarge, InvalidRequest, UnsupportedCharset, Violation
from captchad.domain.page import FormField, Step
from captchad.domain.recognition import CaptchaKind, Hints, Position, Side
from captchad.domain.task import Priority
from captchad.web.api.pointers import make_pointer
from captchad.web.api.validation import explain_bad_url, read_batch, read_task
from captchad.web.bodies import parse_json

PAGE = "http://captcha.example.com/"
GIF = b"GIF89a\x0a\x00\x0a\x00\x00\x00\x00"
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)
NAMES = st.sampled_from(
    [
        "url",
        "image",
        "target",
        "timeout",
        "retry_count",
        "priority",
        "selector",
        "hints",
        "session",
        "fill",
        "steps",
        "task_deadline",
        "return_session",
        "evidence",
        "callback_url",
        "metadata",
        "tasks",
    ]
)


def test_a_charset_that_nothing_reads_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedCharset) as caught:
        read_task({"url": PAGE, "hints": {"charset": "ab龘€"}})
    assert caught.value.violations == (Violation("/hints/charset", "no engine reads 龘 €"),)
    readable = {"url": PAGE, "hints": {"charset": "三加五@#$яЯ۵٥＝"}}
    assert read_task(readable).hints.charset == readable["hints"]["charset"]  # type: ignore[index]
    with pytest.raises(UnsupportedCharset) as caught:
        read_batch({"tasks": [readable, {"url": PAGE, "hints": {"charset": "あ"}}]})
    assert caught.value.violations == (Violation("/tasks/1/hints/charset", "no engine reads あ"),)


def find_pointers(value: Any) -> list[str]:
    with pytest.raises(InvalidRequest) as caught:
        read_task(value)
    return [violation.pointer for violation in caught.value.violations]


def test_a_full_body_becomes_a_draft() -> None:
    draft = read_task(
        {
            "url": PAGE,
            "timeout": 30,
            "retry_count": 0,
            "priority": "high",
            "selector": "#captcha img",
            "hints": {"charset": "abc", "min_length": 4, "max_length": 4, "case_sensitive": False, "kind": "math"},
            "task_deadline": 600.5,
            "metadata": {"a": [1, None, {"b": "ü"}]},
            "return_session": False,
            "evidence": False,
        }
    )
    assert (draft.url, draft.timeout_seconds, draft.retry_count, draft.priority) == (PAGE, 30, 0, Priority.HIGH)
    assert draft.hints == Hints("abc", 4, 4, False, CaptchaKind.MATH)
    assert (draft.task_deadline_seconds, draft.metadata) == (600.5, {"a": [1, None, {"b": "ü"}]})


def test_what_is_left_out_stays_open() -> None:
    draft = read_task({"url": PAGE})
    assert (draft.timeout_seconds, draft.retry_count, draft.task_deadline_seconds) == (None, None, None)
    assert draft.priority is Priority.NORMAL


def test_what_is_wrong_with_a_field_is_said_in_words_of_our_own() -> None:
    hints = {"kind": "x", "min_length": 0, "charset": "\n", "max_lenght": 4}
    with pytest.raises(InvalidRequest) as caught:
        read_task(
            {"url": PAGE, "timeout": "5", "task_deadline": 1e9, "fill": {}, "session": [], "hints": hints, "hint": {}}
        )
    assert {(one.pointer, one.message) for one in caught.value.violations} == {
        ("/timeout", "must be a number"),
        ("/task_deadline", "must be at most 604800"),
        ("/fill/input", "is required"),
        ("/session", "must be an object { … }"),
        ("/hints/kind", "must be one of 'text' or 'math'"),
        ("/hints/min_length", "must be at least 1"),
        ("/hints/charset", "has a character that is not allowed here, or lacks one that is needed"),
        ("/hints/max_lenght", "is not a known field; did you mean max_length?"),
        ("/hint", "is not a known field; did you mean hints?"),
    }


def test_every_wrong_field_is_named_at_once() -> None:
    body = {"url": PAGE, "timeout": "5", "retry_count": 11, "hints": {"kind": "x"}, "nosuch/field~": 1}
    assert sorted(find_pointers(body)) == ["/hints/kind", "/nosuch~1field~0", "/retry_count", "/timeout"]


def test_a_batch_names_the_task_a_wrong_field_is_in() -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_batch({"tasks": [{"url": PAGE}, {"url": PAGE, "timeout": 0}, {"url": PAGE}]})
    assert [violation.pointer for violation in caught.value.violations] == ["/tasks/1/timeout"]


def test_a_callback_is_taken_where_it_is_a_url() -> None:
    place = "https://hooks.example.com/done?of=7"
    assert read_task({"url": PAGE, "callback_url": place}).callback_url == place
    with pytest.raises(InvalidRequest) as caught:
        read_batch({"tasks": [{"url": PAGE, "callback_url": "ftp://hooks.example.com/"}]})
    assert [violation.pointer for violation in caught.value.violations] == ["/tasks/0/callback_url"]


@pytest.mark.parametrize(("size", "is_small"), [(4096 - len('{"a":""}'), True), (4097 - len('{"a":""}'), False)])
def test_metadata_may_have_exactly_four_kibibytes(size: int, is_small: bool) -> None:
    body = {"url": PAGE, "metadata": {"a": "x" * size}}
    if is_small:
        assert read_task(body).metadata == body["metadata"]
    else:
        assert find_pointers(body) == ["/metadata"]


@pytest.mark.parametrize("digits", [20, 301, 4301, 50_000])
@pytest.mark.parametrize("sign", ["", "-"])
def test_an_integer_is_refused_where_it_stands_however_many_digits_it_has(digits: int, sign: str) -> None:
    number = sign + "9" * digits
    members = '"timeout":N,"task_deadline":N,"hints":{"min_length":N},"retry_count":N'
    session = '"session":{"cookies":[{"name":"a","value":"b","domain":"captcha.example.com","expires":N}]}'
    bounded = parse_json(f'{{"url":"{PAGE}",{members},{session}}}'.replace("N", number).encode())
    pointers = ["/hints/min_length", "/retry_count", "/session/cookies/0/expires", "/task_deadline", "/timeout"]
    with pytest.raises(InvalidRequest) as caught:
        read_task(bounded)
    assert sorted(violation.pointer for violation in caught.value.violations) == pointers
    assert all(v.message.startswith(("must be at ", "must be less than ")) for v in caught.value.violations)
    free = parse_json(f'{{"url":"{PAGE}","metadata":{{"\\u00e9":[1,{number}]}}}}'.encode())
    with pytest.raises(InvalidRequest) as caught:
        read_task(free)
    assert caught.value.violations == (
        Violation("/metadata/é/1", "is an integer of more than 64 bits; send it as a string"),
    )


@pytest.mark.parametrize(
    ("metadata", "pointer"),
    [
        ({"order": 2**64}, "/metadata/order"),
        ({"order": -(2**63) - 1}, "/metadata/order"),
        ({"orders": [1, {"a/b": 10**100}]}, "/metadata/orders/1/a~1b"),
    ],
)
def test_an_integer_that_json_can_not_hold_is_named_as_such(metadata: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_task({"url": PAGE, "metadata": metadata})
    assert caught.value.violations == (Violation(pointer, "is an integer of more than 64 bits; send it as a string"),)


def test_integers_of_64_bits_and_booleans_are_kept() -> None:
    metadata = {"least": -(2**63), "largest": 2**64 - 1, "is": True}
    assert read_task({"url": PAGE, "metadata": metadata}).metadata == metadata


@pytest.mark.parametrize("name", ["timeout", "retry_count", "task_deadline"])
def test_a_number_beyond_all_bounds_is_refused_by_its_name(name: str) -> None:
    assert find_pointers({"url": PAGE, name: 10**400}) == [f"/{name}"]


def test_metadata_nested_too_deeply_is_named_as_such() -> None:
    nest: dict[str, Any] = {}
    for _ in range(300):
        nest = {"a": nest}
    assert find_pointers({"url": PAGE, "metadata": nest}) == ["/metadata"]


def test_a_picture_is_decoded_and_needs_its_target() -> None:
    image = base64.b64encode(GIF).decode()
    draft = read_task({"image": image, "target": "captcha.example.com"})
    assert (draft.picture, draft.target_host) == (GIF, "captcha.example.com")
    assert find_pointers({"image": image}) == ["/target"]
    assert read_task({"image": image, "target": "captcha.example.com", "evidence": True}).evidence
    assert find_pointers({"image": image + "=", "target": "a"}) == ["/image"]
    assert find_pointers({"image": image[:-4] + "\n" + image[-4:], "target": "a"}) == ["/image"]


def test_a_picture_may_have_exactly_two_mebibytes() -> None:
    limit = 2 * 1024 * 1024
    assert read_task({"image": base64.b64encode(GIF.ljust(limit, b"\0")).decode(), "target": "a"}).picture is not None
    with pytest.raises(BodyTooLarge):
        read_task({"image": base64.b64encode(GIF.ljust(limit + 1, b"\0")).decode(), "target": "a"})


@given(st.dictionaries(NAMES | st.text(), VALUES) | VALUES)
def test_no_body_whatever_fails_otherwise_than_by_name(value: Any) -> None:
    for read in (read_task, read_batch):
        with suppress(InvalidRequest, BodyTooLarge):
            read(value)


@given(st.text())
def test_no_url_whatever_breaks_the_check(text: str) -> None:
    assert explain_bad_url(text) is None or explain_bad_url(text)


@pytest.mark.parametrize("url", [PAGE, "HTTPS://a.example.com:8443/x?y=%20#z", "http://user@a/", "http://[::1]/"])
def test_absolute_web_urls_are_left_to_the_scope_check(url: str) -> None:
    assert explain_bad_url(url) is None


def test_pointers_are_escaped() -> None:
    assert make_pointer(["tasks", 3, "a/b~c"]) == "/tasks/3/a~1b~0c"
    assert make_pointer([]) == ""
    assert make_pointer(["session", "headers", "X A", "[key]"]) == "/session/headers/X A"


def test_steps_and_fields_become_part_of_the_draft() -> None:
    draft = read_task(
        {
            "url": PAGE,
            "steps": [{"click": "#login"}, {"type": "#user", "value": "anna"}],
            "fill": {
                "input": "#code",
                "dialogs": "accept",
                "fields": [
                    {"selector": "#password", "value": ""},
                    {"selector": "#land", "choose": "DE"},
                    {"selector": "#agree", "check": False},
                ],
            },
        }
    )
    assert draft.steps == (Step("click", "#login"), Step("type", "#user", "anna"))
    assert draft.fill is not None
    assert draft.fill.dialogs == "accept"
    assert draft.fill.fields == (
        FormField("#password", value=""),
        FormField("#land", choose="DE"),
        FormField("#agree", check=False),
    )


@pytest.mark.parametrize(
    ("step", "pointer"),
    [
        ({}, "/steps/0"),
        ({"click": "#a", "focus": "#b"}, "/steps/0"),
        ({"click": "#a", "value": "b"}, "/steps/0"),
        ({"type": "#a"}, "/steps/0"),
        ({"type": "#a", "value": "two\nlines"}, "/steps/0/value"),
        ({"type": "#a", "value": "x" * 2049}, "/steps/0/value"),
        ({"click": "//a"}, "/steps/0/click"),
        ({"click": None}, "/steps/0/click"),
        ({"press": "#a"}, "/steps/0/press"),
    ],
)
def test_a_step_that_can_not_be_taken_is_named(step: dict[str, Any], pointer: str) -> None:
    assert pointer in find_pointers({"url": PAGE, "steps": [step]})


@pytest.mark.parametrize(
    ("field", "pointer"),
    [
        ({"selector": "#a"}, "/fill/fields/0"),
        ({"selector": "#a", "value": "b", "check": True}, "/fill/fields/0"),
        ({"selector": "xpath=//a", "value": "b"}, "/fill/fields/0/selector"),
        ({"value": "b"}, "/fill/fields/0/selector"),
        ({"selector": "#a", "check": "yes"}, "/fill/fields/0/check"),
    ],
)
def test_a_field_that_can_not_be_filled_is_named(field: dict[str, Any], pointer: str) -> None:
    assert pointer in find_pointers({"url": PAGE, "fill": {"input": "#code", "fields": [field]}})


def test_there_are_bounds_to_steps_and_fields() -> None:
    assert find_pointers({"url": PAGE, "steps": [{"click": "#a"}] * 11}) == ["/steps"]
    fields = [{"selector": "#a", "check": True}] * 31
    assert find_pointers({"url": PAGE, "fill": {"input": "#code", "fields": fields}}) == ["/fill/fields"]


def test_typed_values_need_the_session_key_and_ticks_and_clicks_do_not() -> None:
    fields = [{"selector": "#a", "check": True}, {"selector": "#b", "value": "c"}, {"selector": "#d", "choose": "e"}]
    body = {"url": PAGE, "steps": [{"click": "#a"}, {"type": "#b", "value": "c"}]}
    body["fill"] = {"input": "#code", "fields": fields}  # type: ignore[assignment]
    with pytest.raises(InvalidRequest) as caught:
        read_task(body, has_session_key=False)
    pointers = [violation.pointer for violation in caught.value.violations]
    assert pointers == ["/steps/1/value", "/fill/fields/1/value", "/fill/fields/2/choose"]
    assert read_task(
        {**body, "steps": [{"click": "#a"}], "fill": {"input": "#code", "fields": fields[:1]}}, False
    ).steps


def test_a_picture_has_no_page_to_take_steps_on() -> None:
    picture = base64.b64encode(GIF).decode()
    pointers = find_pointers({"image": picture, "target": "a.example", "steps": [{"click": "#a"}]})
    assert pointers == ["/steps"]


def test_a_colour_and_a_position_become_values() -> None:
    draft = read_task({"url": PAGE, "hints": {"colour": "Red", "position": "last:3"}})
    assert draft.hints == Hints(colour="Red", position=Position(Side.LAST, 3))


@pytest.mark.parametrize(
    ("hints", "pointer"),
    [
        ({"colour": "rouge"}, "/hints/colour"),
        ({"colour": "#f00"}, "/hints/colour"),
        ({"position": "middle:3"}, "/hints/position"),
        ({"position": "last:0"}, "/hints/position"),
        ({"position": "last:65"}, "/hints/position"),
        ({"position": "last:5", "max_length": 4}, "/hints/position"),
        ({"position": "last:1", "kind": "math"}, "/hints/position"),
    ],
)
def test_a_colour_or_a_position_that_is_none_is_named(hints: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_task({"url": PAGE, "hints": hints})
    assert [violation.pointer for violation in caught.value.violations] == [pointer]

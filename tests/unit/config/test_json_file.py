from pathlib import Path

import pytest

from captchad.config.json_file import parse_text, read_file


def test_a_syntax_error_is_given_with_line_and_column() -> None:
    (problem,) = parse_text('{\n  "worker": {\n    "batch_size": 5,\n  }\n}', "a.json").problems
    assert problem.message == (
        "not valid JSON: expecting property name enclosed in double quotes at line 4, column 3"
    ) or problem.message.startswith("not valid JSON: illegal trailing comma")
    assert problem.source == "a.json"


def test_comments_are_left_out_and_columns_stay() -> None:
    parsed = parse_text('{\n  "a": 1, // one "quoted" // twice\n  "url": "http://x//y"\n}', "a.json")
    assert parsed.tree == {"a": 1, "url": "http://x//y"}
    (problem,) = parse_text('{ // a comment\n  "a" 1}', "a.json").problems
    assert "line 2, column 7" in problem.message


def test_keys_written_twice_are_named_with_their_paths() -> None:
    text = '{"worker": {"batch_size": 1, "batch_size": 2}, "list": [{"x": 1, "x": 1}], "worker": {"batch_size": 3}}'
    assert {problem.path for problem in parse_text(text, "a.json").problems} == {"worker", "list[0].x"}


@pytest.mark.parametrize("text", ["", "[1]", "null", '{"a": NaN}', '{"a": "\\ud800"}', "[" * 100_000, "9" * 5000])
def test_what_is_no_json_object_is_refused(text: str) -> None:
    parsed = parse_text(text, "a.json")
    assert parsed.tree == {}
    assert parsed.problems


@pytest.mark.parametrize("digits", [301, 5000])
def test_an_integer_of_more_digits_than_can_be_converted_is_left_to_its_settings_bounds(digits: int) -> None:
    parsed = parse_text(f'{{"a": {"9" * digits}, "b": -{"9" * digits}}}', "a.json")
    assert parsed.problems == ()
    assert parsed.tree["a"] > 10**100
    assert parsed.tree["b"] < -(10**100)


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(b'{"a": "\xff"}')
    assert read_file(file).problems[0].message == "the file is not UTF-8 text (byte 7)"


def test_a_byte_order_mark_does_not_hurt(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert read_file(file).tree == {"a": 1}


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert "can't be read" in read_file(tmp_path).problems[0].message

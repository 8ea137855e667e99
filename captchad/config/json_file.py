"""Reads the JSON of a configuration file; every fault is named with its line and column or its path."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from captchad.domain.errors import ConfigurationProblem
from captchad.domain.json_integer import read_integer

FILE_LIMIT_BYTES = 4_194_304
_STRING_OR_COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"?|//[^\n]*')


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """The top-level object of a file (empty where it can't be read) and what is wrong with its JSON."""

    tree: dict[str, Any]
    problems: tuple[ConfigurationProblem, ...] = ()


class _Object(dict[str, Any]):
    """A JSON object that remembers which of its keys were written twice."""

    repeated: tuple[str, ...] = ()


def read_file(path: Path) -> ParsedFile:
    """Read a configuration file; a missing or unreadable one is a problem too."""
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        return _refuse(f"the file can't be read: {reason}", str(path))
    if len(content) > FILE_LIMIT_BYTES:
        return _refuse(f"the file is larger than {FILE_LIMIT_BYTES} bytes", str(path))
    try:
        # With or without the byte order mark that some editors put first.
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return _refuse(f"the file is not UTF-8 text (byte {error.start})", str(path))
    return parse_text(text, str(path))


def parse_text(text: str, source: str) -> ParsedFile:
    """Parse JSON in which `//` comments are allowed; `source` names the text in the problems."""
    try:
        tree = json.loads(
            _STRING_OR_COMMENT.sub(_blank_comment, text),
            object_pairs_hook=_keep_repeated,
            parse_constant=_refuse_constant,
            parse_int=read_integer,
        )
        # Half a surrogate pair can be parsed, but would fail wherever it is written later.
        json.dumps(tree, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        return _refuse(f"not valid JSON: {error.msg.lower()} at line {error.lineno}, column {error.colno}", source)
    except UnicodeEncodeError:
        return _refuse("a text has half of a surrogate pair (\\ud800 to \\udfff) in it", source)
    except (ValueError, RecursionError) as error:
        return _refuse(f"not valid JSON: {error}", source)
    if not isinstance(tree, dict):
        return _refuse("the file must contain one JSON object: { … }", source)
    return ParsedFile(tree, tuple(_find_repeated(tree, "", source)))


def _refuse(message: str, source: str) -> ParsedFile:
    return ParsedFile({}, (ConfigurationProblem("", message, source),))


def _blank_comment(match: re.Match[str]) -> str:
    # Blanks instead of nothing: columns in error messages stay those of the file.
    return match.group() if match.group().startswith('"') else " " * len(match.group())


def _keep_repeated(pairs: list[tuple[str, Any]]) -> _Object:
    found = _Object(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        found.repeated = tuple(name for name in found if names.count(name) > 1)
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _find_repeated(value: Any, path: str, source: str) -> list[ConfigurationProblem]:
    problems: list[ConfigurationProblem] = []
    if isinstance(value, _Object):
        for name in value.repeated:
            problems.append(ConfigurationProblem(join_path(path, name), "the key is written twice; keep one", source))
        for name, inner in value.items():
            problems += _find_repeated(inner, join_path(path, name), source)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            problems += _find_repeated(inner, join_path(path, index), source)
    return problems


def join_path(path: str, step: str | int) -> str:
    """Return the path one step further in: `worker.task_timeout`, `security.targets[0]`."""
    if isinstance(step, int):
        return f"{path}[{step}]"
    return f"{path}.{step}" if path else step

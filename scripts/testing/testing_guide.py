"""Reads docs/testing.md for what its reader does: the files that are to be written, and the commands to be run."""

import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "docs/testing.md"
STEPS = "## Ten minutes"
DOWNLOAD = "playwright install --with-deps chromium"
DOWNLOADS = "https://cdn.playwright.dev"
_BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"`(?P<name>\w+\.py)`[^`]*:\s*\Z")
_ADDITION = re.compile(r"in `(?P<name>\w+\.py)`, at its end:\s*\Z")


@dataclass(frozen=True, slots=True)
class Step:
    """One block of the guide: a file's text, more text for a file, or commands."""

    text: str
    file: str | None = None
    is_addition: bool = False


def read_steps(document: str) -> list[Step]:
    """Return the blocks that are commands, or that the text before them gives a file's name, in their order."""
    steps = []
    for block in _BLOCK.finditer(document):
        before = document[: block.start()].rstrip(" ")
        addition, file = _ADDITION.search(before), _FILE.search(before)
        if block["language"] == "sh":
            steps.append(Step(block["text"]))
        elif addition is not None:
            steps.append(Step(block["text"], addition["name"], is_addition=True))
        elif file is not None:
            steps.append(Step(block["text"], file["name"]))
    return steps


def read_ten_minutes(document: str) -> list[Step]:
    """Return the steps of the chapter that leads to the first green test."""
    chapter = document.partition(f"\n{STEPS}\n")[2].partition("\n## ")[0]
    return read_steps(chapter)


def write_files(folder: Path, steps: list[Step]) -> list[str]:
    """Write the files of the steps; return the names of those that are tests."""
    for step in steps:
        if step.file is not None and not step.is_addition:
            (folder / step.file).write_text(step.text, encoding="utf-8")
    return [step.file for step in steps if step.file is not None and step.file.startswith("test_")]


def make_script(steps: list[Step]) -> str:
    """Return the steps as one shell script, which ends at the first that fails.

    Where no browser can be downloaded, it goes on as the guide says for that case.
    """
    lines = ["set -eu", f"curl -sIm 20 {DOWNLOADS} >/dev/null || no_download=1"]
    additions = [step for step in steps if step.is_addition]
    for step in (one for one in steps if not one.is_addition):
        if step.file is None:
            lines += [_run(command) for command in step.text.splitlines()]
            continue
        lines.append(_write(">", step))
        if any(one.file == step.file for one in additions):
            lines.append('if [ -n "${no_download:-}" ]; then command -v chromium-headless-shell')
            lines += [_write(">>", one) for one in additions if one.file == step.file]
            lines.append("fi")
    return "\n".join(lines) + "\n"


def _run(command: str) -> str:
    run = f'[ -n "${{no_download:-}}" ] || {command}' if command == DOWNLOAD else command
    return f"echo {shlex.quote(f'--- {command}')}\n{run}"


def _write(redirection: str, step: Step) -> str:
    return f"cat {redirection} {step.file} <<'END_OF_FILE'\n{step.text}END_OF_FILE"


def main() -> None:
    """Print the script of the ten minutes; with --further FOLDER, write the files of the other chapters."""
    document = GUIDE.read_text(encoding="utf-8")
    if sys.argv[1:2] == ["--further"]:
        write_files(
            Path(sys.argv[2]), [step for step in read_steps(document) if step not in read_ten_minutes(document)]
        )
    else:
        sys.stdout.write(make_script(read_ten_minutes(document)))


if __name__ == "__main__":
    main()

"""`captchad recognise` on real files with the real model."""

import json
import random
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image, ImageDraw, ImageFont

from captchad.cli.recognise import recognise
from captchad.domain.charsets import CYRILLIC
from captchad.recognition.model import find_packaged_model
from tests.benchmarks.captcha_families import CLEAR_UPPER, FONT, draw_wheezy_text
from tests.benchmarks.recognition.animations import FORMATS, draw_animation


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    source = random.Random(11)
    for number in range(3):
        text = "".join(source.choices(CLEAR_UPPER, k=4))
        (folder / f"wheezy{number}.jpg").write_bytes(draw_wheezy_text(source, text))
    Image.new("RGB", (80, 30), "white").save(folder / "blank.png")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nrubbish")
    return folder


def test_a_line_for_each_file_with_text_and_confidence(pictures: Path) -> None:
    files = [str(pictures / f"wheezy{number}.jpg") for number in range(3)]
    result = CliRunner().invoke(recognise, [*files, "--charset", CLEAR_UPPER, "--min-length", "4", "--max-length", "4"])
    assert result.exit_code == 0
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert [line[0] for line in lines] == files
    assert all(len(text) == 4 and set(text) <= set(CLEAR_UPPER) for _, text, _ in lines)
    assert all(0 <= float(confidence) <= 1 for _, _, confidence in lines)


def test_a_picture_may_come_from_standard_input(pictures: Path) -> None:
    file = pictures / "wheezy0.jpg"
    result = CliRunner().invoke(recognise, ["-", str(file)], input=file.read_bytes())
    assert result.exit_code == 0, result.stderr
    from_stdin, from_file = (line.split("\t") for line in result.stdout.splitlines())
    assert from_stdin == ["-", *from_file[1:]]


def test_a_charset_that_cannot_be_read_is_wrong_usage_with_the_symbols(pictures: Path) -> None:
    file = str(pictures / "wheezy0.jpg")
    refused = CliRunner().invoke(recognise, [file, "--charset", "ab龘€"])
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "--charset: no engine reads 龘 €" in refused.stderr
    # A model of one's own reads with its own symbols alone.
    refused = CliRunner().invoke(recognise, [file, "--model", str(find_packaged_model()), "--charset", "ab三"])
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "--charset: no engine reads 三" in refused.stderr


def test_wide_alphabets_are_read_without_a_word_about_them() -> None:
    folder = Path(__file__).parents[1] / "recognition" / "wide_pictures"
    files = [str(folder / f"{name}.png") for name in ("sum_of_words", "chinese")]
    result = CliRunner().invoke(recognise, files)
    assert result.exit_code == 0, result.stderr
    assert [line.split("\t")[1] for line in result.stdout.splitlines()] == ["12", "森林海洋"]
    result = CliRunner().invoke(recognise, [str(folder / "cyrillic.png"), "--charset", CYRILLIC])
    assert result.stdout.split("\t")[1] == "БДЖЯФЩ"


def test_json_has_all_there_is_to_know(pictures: Path) -> None:
    file = str(pictures / "wheezy0.jpg")
    result = CliRunner().invoke(recognise, ["--json", "--kind", "text", file])
    (entry,) = json.loads(result.stdout)
    assert set(entry) == {
        "file",
        "text",
        "confidence",
        "characters",
        "kind",
        "expression",
        "recogniser",
        "milliseconds",
    }
    assert (entry["file"], entry["kind"], entry["expression"]) == (file, "text", None)
    assert [character["text"] for character in entry["characters"]] == list(entry["text"])


def test_a_blank_picture_has_an_empty_text_that_nobody_trusts(pictures: Path) -> None:
    result = CliRunner().invoke(recognise, [str(pictures / "blank.png")])
    assert (result.exit_code, result.stdout) == (0, f"{pictures / 'blank.png'}\t\t0.00\n")


def test_files_that_cannot_be_read_are_named_after_the_others_were_read(pictures: Path) -> None:
    broken, missing, fine = (str(pictures / name) for name in ("broken.png", "missing.png", "wheezy0.jpg"))
    plain = CliRunner().invoke(recognise, [broken, missing, str(pictures), fine])
    assert plain.exit_code == 1
    assert [line.split(":")[:2] for line in plain.stderr.splitlines()] == [
        ["captchad", f" {path}"] for path in (broken, missing, str(pictures))
    ]
    assert plain.stdout.startswith(f"{fine}\t")
    as_json = json.loads(CliRunner().invoke(recognise, ["--json", broken, missing, fine]).stdout)
    assert [("error" in entry) for entry in as_json] == [True, True, False]


def test_the_engine_is_chosen_by_its_name(pictures: Path) -> None:
    result = CliRunner().invoke(recognise, ["--json", "--engine", "tesseract", str(pictures / "wheezy0.jpg")])
    (entry,) = json.loads(result.stdout)
    assert entry["recogniser"].startswith("tesseract-")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["x.png", "--engine", "nobody"],
        ["x.png", "--min-length", "5", "--max-length", "4"],
        ["x.png", "--charset", " "],
    ],
)
def test_wrong_usage_is_refused(arguments: list[str]) -> None:
    assert CliRunner().invoke(recognise, arguments).exit_code == 2


@pytest.mark.parametrize("picture_format", FORMATS)
@pytest.mark.parametrize("style", ["blink", "blink at random", "fade", "slide"])
def test_an_animation_is_read_from_all_of_its_frames(tmp_path: Path, style: str, picture_format: str) -> None:
    drawn = draw_animation(random.Random(f"{style}:3"), [Path(FONT)], style, "lines", picture_format, frames=6)
    file = tmp_path / "animation"
    file.write_bytes(drawn.data)
    result = CliRunner().invoke(recognise, ["--json", str(file)])
    (entry,) = json.loads(result.stdout)
    assert entry["text"].upper() == drawn.text
    assert entry["confidence"] > 0.6


def test_frames_that_show_different_texts_are_not_trusted(tmp_path: Path) -> None:
    font = ImageFont.load_default(36)
    frames = [Image.new("L", (130, 56), 235) for _ in range(4)]
    for frame, text in zip(frames, ("7KM4", "WRTX", "HG25", "PNDA"), strict=True):
        ImageDraw.Draw(frame).text((12, 6), text, fill=20, font=font)
    file = tmp_path / "animation.gif"
    frames[0].save(file, save_all=True, append_images=frames[1:], duration=200)
    (entry,) = json.loads(CliRunner().invoke(recognise, ["--json", str(file)]).stdout)
    assert entry["confidence"] < 0.3


def test_only_characters_of_a_colour_or_at_one_end_are_read(tmp_path: Path) -> None:
    picture = Image.new("RGB", (220, 60), "white")
    for number, (letter, ink) in enumerate(zip("7KM4HX", ("blue", "red", "green", "red", "black", "red"), strict=True)):
        ImageDraw.Draw(picture).text((34 * number + 12, 6), letter, fill=ink, font=ImageFont.load_default(38))
    file = tmp_path / "inks.png"
    picture.save(file)
    for options, text in ((["--colour", "red"], "K4X"), (["--position", "first:2"], "7K")):
        (entry,) = json.loads(CliRunner().invoke(recognise, ["--json", *options, str(file)]).stdout)
        assert entry["text"] == text
    for options in (["--colour", "rouge"], ["--position", "last"]):
        assert CliRunner().invoke(recognise, [*options, str(file)]).exit_code == 2

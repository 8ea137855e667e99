"""The HTML report: whole in itself, and no picture, name or text of it can do anything."""

import io
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from captchad.recognition.evaluation.diagram import draw_reliability_diagram
from captchad.recognition.evaluation.evaluated_picture import CASE_COUNTS, EvaluatedPicture
from captchad.recognition.evaluation.evaluation import evaluate_outcomes
from captchad.recognition.evaluation.page import INLINE_LIMIT_BYTES, make_page
from captchad.recognition.evaluation.reliability import measure_reliability
from tests.unit.recognition.evaluation.drawing import MANY, make

HOSTILE = "\"'><script src=//evil.example></script>&amp;\u202e\x1b[2J"
ALLOWED = {
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "h1",
    "h2",
    "p",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
}
ALLOWED |= {"svg", "rect", "line", "circle", "text", "div", "figure", "figcaption", "code", "br", "small", "img"}


class Reader(HTMLParser):
    """Keeps tags, links to anything and all text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.handlers: list[str] = []
        self.seen = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attributes if name in {"src", "href", "srcset", "data", "action"}]
        self.handlers += [name for name, _ in attributes if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.seen += data


def make_picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (8, 8)).save(buffer, "PNG")
    return buffer.getvalue()


def report(outcomes: list[EvaluatedPicture], pictures: dict[str, bytes], engine: str = "engine") -> Reader:
    return Reader(make_page(evaluate_outcomes(engine, outcomes, CASE_COUNTS), outcomes, pictures))


def test_hostile_names_texts_and_reasons_are_shown_and_nothing_else() -> None:
    page = report([make(HOSTILE, HOSTILE + "x", 0.9, HOSTILE, HOSTILE)], {HOSTILE: make_picture()}, HOSTILE)
    assert page.tags <= ALLOWED | {"title"}
    assert page.handlers == []
    assert all(link.startswith("data:image/png;base64,") for link in page.links)
    assert "<script src=//evil.example>" in page.seen
    assert not re.search("[\x1b\u202e]", page.seen)


@given(MANY, st.text(max_size=20), st.binary(max_size=60))
def test_no_outcome_brings_a_tag_or_a_link_of_its_own(
    outcomes: list[EvaluatedPicture], engine: str, picture: bytes
) -> None:
    page = report(outcomes, {outcome.file: picture for outcome in outcomes}, engine)
    assert page.tags <= ALLOWED
    assert all(link.startswith("data:image/") for link in page.links)


def test_the_policy_forbids_every_request() -> None:
    page = make_page(evaluate_outcomes("engine", [make("a", "a")], CASE_COUNTS), [], {})
    assert "default-src &#x27;none&#x27;; img-src data:" in page
    assert "None is wrong." in page


def test_pictures_are_inlined_by_what_they_are_and_only_so_large() -> None:
    drawing = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script/></svg>'
    large = make_picture() + bytes(INLINE_LIMIT_BYTES)
    outcomes = [
        make("a", "b", file=name) for name in ("fine.svg", "vector.png", "large.png", "rubbish.png", "gone.png")
    ]
    pictures = {"fine.svg": make_picture(), "vector.png": drawing, "large.png": large, "rubbish.png": b"GIF"}
    page = report(outcomes, pictures)
    assert len(page.links) == 1
    assert page.seen.count("(the picture can't be shown)") == 4


@given(MANY)
def test_the_diagram_is_well_formed_and_has_a_dot_for_each_bin_inside(outcomes: list[EvaluatedPicture]) -> None:
    reliability = measure_reliability(outcomes, CASE_COUNTS)
    drawn = ElementTree.fromstring(draw_reliability_diagram(reliability))
    dots = drawn.findall("{http://www.w3.org/2000/svg}circle")
    assert len(dots) == len(reliability.bins)
    size = float(drawn.attrib["width"])
    assert all(0 < float(dot.attrib[side]) < size for dot in dots for side in ("cx", "cy"))

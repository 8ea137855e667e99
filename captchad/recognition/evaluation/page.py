"""The evaluation as one HTML page that asks nothing of any server: all of it is in the file, and no script."""

import base64
import html
from collections.abc import Iterable, Mapping, Sequence

from captchad.domain.errors import PictureRefused
from captchad.domain.picture import PictureFormat, read_picture_header
from captchad.recognition.evaluation.diagram import draw_reliability_diagram
from captchad.recognition.evaluation.evaluated_picture import EvaluatedPicture
from captchad.recognition.evaluation.evaluation import Evaluation
from captchad.recognition.evaluation.wording import (
    CONFUSION_HEADINGS,
    COVERAGE_HEADINGS,
    FIGURE_HEADINGS,
    word_confusions,
    word_coverage,
    word_figures,
    word_text,
)

INLINE_LIMIT_BYTES = 256 * 1024
CONFUSIONS_SHOWN = 40
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}
table{border-collapse:collapse}th,td{text-align:left;padding:.15rem .9rem .15rem 0;vertical-align:top}
th{border-bottom:1px solid #999}td{border-bottom:1px solid #e4e4e4;overflow-wrap:anywhere}
.worst{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:1rem;padding:0}
figure{margin:0;border:1px solid #ddd;padding:.6rem;overflow-wrap:anywhere}
figure img{max-width:100%;max-height:8rem;background:#eee}
code{font-size:1.05em;white-space:pre-wrap}small{color:#666}
"""


def make_page(evaluation: Evaluation, worst: Sequence[EvaluatedPicture], pictures: Mapping[str, bytes]) -> str:
    """Return the page; `pictures` has the bytes of the worst by their file, where they could be read."""
    rule = "the case of letters is ignored" if evaluation.is_case_ignored else "the case of letters counts"
    return "\n".join(
        (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{html.escape(_POLICY)}">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>captchad evaluate</title>\n<style>{_STYLE}</style>\n</head>\n<body>",
            "<h1>How well the pictures are read</h1>",
            _make_table(FIGURE_HEADINGS, word_figures(evaluation)),
            f"<p>In all that follows, {rule}.</p>",
            "<h2>Does confidence mean what it says?</h2>",
            draw_reliability_diagram(evaluation.reliability),
            "<p>Each dot is a bin of about as many pictures as the others, its line the 95 % interval of the share "
            "that is right.</p>",
            "<h2>What is right when only the surest are answered</h2>",
            _make_table(COVERAGE_HEADINGS, word_coverage(evaluation)),
            "<h2>Confused characters</h2>",
            _make_confusions(evaluation),
            "<h2>The worst: wrong, and the surest of it first</h2>",
            _make_worst(worst, pictures),
            "</body>\n</html>\n",
        )
    )


def _make_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{html.escape(heading)}</th>" for heading in headings)
    body = "\n".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def _make_confusions(evaluation: Evaluation) -> str:
    rows = word_confusions(evaluation, CONFUSIONS_SHOWN)
    return _make_table(CONFUSION_HEADINGS, rows) if rows else "<p>None.</p>"


def _make_worst(worst: Sequence[EvaluatedPicture], pictures: Mapping[str, bytes]) -> str:
    if not worst:
        return "<p>None is wrong.</p>"
    figures = "\n".join(_make_figure(outcome, pictures.get(outcome.file)) for outcome in worst)
    return f'<div class="worst">\n{figures}\n</div>'


def _make_figure(outcome: EvaluatedPicture, picture: bytes | None) -> str:
    problem = "" if outcome.problem is None else f"<br>{html.escape(word_text(outcome.problem))}"
    return (
        f"<figure>{_make_image(picture)}<figcaption>true <code>{html.escape(word_text(outcome.truth))}</code><br>"
        f"read <code>{html.escape(word_text(outcome.text))}</code> with {outcome.confidence:.3f}{problem}<br>"
        f"<small>{html.escape(word_text(outcome.file))}</small></figcaption></figure>"
    )


def _make_image(picture: bytes | None) -> str:
    media_type = None if picture is None else _find_media_type(picture)
    if picture is None or media_type is None:
        return "<small>(the picture can't be shown)</small>"
    return f'<img alt="" src="data:{media_type};base64,{base64.b64encode(picture).decode("ascii")}"><br>'


def _find_media_type(picture: bytes) -> str | None:
    """Return the type by the picture's own bytes, never by its name; None for what is too large or no picture."""
    if len(picture) > INLINE_LIMIT_BYTES:
        return None
    try:
        found = read_picture_header(picture).format
    except PictureRefused:
        return None
    # A vector picture could name others, or bring a script along.
    return None if found is PictureFormat.SVG else f"image/{found}"

"""The review sheet: one HTML file with every picture and its text in a field, corrected by hand and saved again."""

import base64
import html
from collections.abc import Sequence

from captchad.domain.errors import PictureRefused
from captchad.domain.label import LABEL_TEXT_LIMIT_CHARACTERS
from captchad.domain.picture import PictureFormat, find_picture_format
from captchad.domain.plain_text import escape_control_characters
from captchad.operations.labels.label_folder import FolderPicture
from captchad.recognition.labelled import LABELS_FILE_NAME

SHEET_FILE_NAME = "review.html"

_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'"
)
_STYLE = """
:root{color-scheme:light dark;--ground:#fff;--text:#1f2328;--quiet:#59636e;--line:#8886;--accent:#0b57d0;
--doubt:#8a4600}
@media (prefers-color-scheme:dark){:root{--ground:#15181c;--text:#e6e8ea;--quiet:#a5adb6;--accent:#8ab4f8;
--doubt:#ffb454}}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,sans-serif;margin:0;color:var(--text);background:var(--ground)}
header{position:sticky;top:0;z-index:1;display:flex;flex-wrap:wrap;gap:.5rem 1.25rem;align-items:center;
padding:.75rem 1.25rem;background:var(--ground);border-bottom:1px solid var(--line)}
h1{font-size:1.1rem;margin:0;overflow-wrap:anywhere}
button{font:inherit;font-weight:600;padding:.35rem .9rem;border:0;border-radius:.4rem;background:var(--accent);
color:var(--ground);cursor:pointer;margin-left:auto}
main{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:1rem;padding:1.25rem}
label{display:flex;flex-direction:column;gap:.4rem;border:1px solid var(--line);border-radius:.5rem;padding:.7rem}
label:focus-within{border-color:var(--accent);box-shadow:0 0 0 1px var(--accent)}
.picture{display:flex;align-items:center;justify-content:center;min-height:5rem;background:#fff;border-radius:.3rem}
img{max-width:100%;max-height:8rem;min-height:3rem;object-fit:contain}
input{font:1.15rem ui-monospace,monospace;letter-spacing:.06em;width:100%;padding:.3rem .5rem;
border:1px solid var(--line);border-radius:.3rem;background:var(--ground);color:var(--text)}
input::placeholder{color:var(--quiet);opacity:1;letter-spacing:0;font-size:.85rem}
.changed input{border-color:var(--accent);border-width:2px}
small{color:var(--quiet);overflow-wrap:anywhere}
small b{color:var(--doubt);font-weight:600}
"""
_SCRIPT = """
"use strict";
const fields = [...document.querySelectorAll("input")];
const state = document.getElementById("state");
const clean = (text) => text.replace(/[\\u0000-\\u001f\\u007f]+/g, " ").trim();
const isChanged = (field) => clean(field.value) !== field.defaultValue;
let isSaved = true;
function show() {
  const changed = fields.filter(isChanged).length, empty = fields.filter((field) => !clean(field.value)).length;
  state.textContent = `${changed} changed, ${empty} without a text`;
}
for (const [index, field] of fields.entries()) {
  field.addEventListener("input", () => {
    field.closest("label").classList.toggle("changed", isChanged(field));
    isSaved = false;
    show();
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing) fields[(index + 1) % fields.length].select();
  });
}
document.getElementById("save").addEventListener("click", () => {
  const lines = fields.filter((field) => clean(field.value)).map((field) => `${field.name}\\t${clean(field.value)}\\n`);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(lines, {type: "text/tab-separated-values"}));
  link.download = document.body.dataset.file;
  link.click();
  URL.revokeObjectURL(link.href);
  isSaved = true;
});
addEventListener("beforeunload", (event) => { if (!isSaved) event.preventDefault(); });
show();
"""


def build_review_sheet(name: str, pictures: Sequence[FolderPicture]) -> str:
    """Return the sheet of a folder of this name; those whose text nobody knows come first."""
    ordered = sorted(pictures, key=lambda picture: bool(picture.text))
    cards = "\n".join(_make_card(picture) for picture in ordered)
    title = html.escape(escape_control_characters(name))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{html.escape(_POLICY)}">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{title} — captchad labels</title>\n<style>{_STYLE}</style>\n</head>\n"
        f'<body data-file="{LABELS_FILE_NAME}">\n<header><h1>{title}: {len(ordered)} pictures</h1>'
        '<span id="state" role="status"></span>'
        f'<button id="save" type="button">Save {LABELS_FILE_NAME}</button></header>\n'
        f"<main>\n{cards}\n</main>\n<script>{_SCRIPT}</script>\n</body>\n</html>\n"
    )


def _make_card(picture: FolderPicture) -> str:
    file, refused = html.escape(picture.file), html.escape(picture.refused)
    hint = f"<small><b>refused:</b> {refused}</small>" if refused else ""
    return (
        f'<label><span class="picture">{_make_image(picture.picture)}</span>'
        f'<input name="{file}" value="{html.escape(picture.text)}" maxlength="{LABEL_TEXT_LIMIT_CHARACTERS}" '
        'autocomplete="off" autocapitalize="off" spellcheck="false" placeholder="what the picture shows">'
        f"{hint}<small>{file}</small></label>"
    )


def _make_image(picture: bytes) -> str:
    try:
        found = find_picture_format(picture)
    except PictureRefused:
        found = PictureFormat.SVG
    # A vector picture could name others; it can't be learned from anyway.
    if found is PictureFormat.SVG:
        return "<small>(the picture can't be shown)</small>"
    return f'<img alt="" src="data:image/{found};base64,{base64.b64encode(picture).decode("ascii")}">'

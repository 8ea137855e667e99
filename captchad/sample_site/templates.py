"""Fills the site's pages; every value is escaped."""

import json
from collections.abc import Iterable
from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable
from string import Template

from captchad.sample_site.kinds import PageKind

_LAYOUT, _FORM, _LIST = "layout", "form", "index"


class Templates:
    """The pages of the folder `pages`, and the pieces of its forms, read once."""

    def __init__(self) -> None:
        folder = files("captchad.sample_site").joinpath("pages")
        self._pages = _read(folder)
        self._pieces = _read(folder.joinpath("pieces"))

    def fill(self, page: str, title: str, **values: str) -> str:
        """Return a page inside the common layout."""
        return self._lay_out(title, self.fill_bare(page, **values))

    def fill_bare(self, page: str, **values: str) -> str:
        """Return a page without the layout, for a frame."""
        return self._pages[page].substitute(_escape(values))

    def fill_form(self, kind: PageKind, **values: str) -> str:
        """Return the page with the form of a kind."""
        escaped = _escape({"kind": kind.name, "title": kind.title} | values)
        piece = self._pieces[kind.page].substitute(escaped)
        return self._lay_out(kind.title, self._pages[_FORM].substitute(escaped, piece=piece))

    def list_kinds(self, title: str, addressed: Iterable[tuple[str, PageKind]]) -> str:
        """Return the page that lists all kinds with their addresses and options."""
        lines = [
            f'    <li><a href="{escape(address)}">{escape(kind.title)}</a>'
            f"<code>{escape(json.dumps(kind.options, ensure_ascii=False))}</code></li>"
            for address, kind in addressed
        ]
        return self._lay_out(title, self._pages[_LIST].substitute(list="\n".join(lines)))

    def _lay_out(self, title: str, body: str) -> str:
        return self._pages[_LAYOUT].substitute(title=escape(title), body=body)


def _read(folder: Traversable) -> dict[str, Template]:
    suffix = ".html"
    return {
        page.name.removesuffix(suffix): Template(page.read_text(encoding="utf-8"))
        for page in folder.iterdir()
        if page.name.endswith(suffix)
    }


def _escape(values: dict[str, str]) -> dict[str, str]:
    return {name: escape(value) for name, value in values.items()}

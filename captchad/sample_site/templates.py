"""Fills the site's pages; every value is escaped."""

from html import escape
from importlib.resources import files
from string import Template

_LAYOUT = "layout"


class Templates:
    """The pages of the folder `pages`, read once."""

    def __init__(self) -> None:
        folder = files("captchad.sample_site").joinpath("pages")
        self._pages = {
            page.name.removesuffix(".html"): Template(page.read_text(encoding="utf-8"))
            for page in folder.iterdir()
            if page.name.endswith(".html")
        }

    def fill(self, page: str, title: str, **values: str) -> str:
        """Return a page inside the common layout."""
        body = self.fill_bare(page, **values)
        return self._pages[_LAYOUT].substitute(title=escape(title), body=body)

    def fill_bare(self, page: str, **values: str) -> str:
        """Return a page without the layout, for a frame."""
        return self._pages[page].substitute({name: escape(value) for name, value in values.items()})

"""Adds to setup.cfg what is computed: the long description, whose links must also work on a package index."""

import re
from configparser import ConfigParser
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).parent
RELATIVE_LINK = re.compile(r"(?P<picture>!?)\[(?P<text>[^\]]*)\]\((?![a-z]+:|#)(?P<path>[^)]+)\)")


def make_links_absolute(text: str, home: str) -> str:
    """Point a Markdown text's relative links into the repository at `home`; a picture is linked as the bare file."""

    def link(found: re.Match[str]) -> str:
        view = "raw" if found["picture"] else "blob"
        return f"{found['picture']}[{found['text']}]({home}/{view}/main/{found['path']})"

    return RELATIVE_LINK.sub(link, text)


def read_home() -> str:
    """Read the project's address from setup.cfg."""
    parser = ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser["metadata"]["url"]


setup(long_description=make_links_absolute((ROOT / "README.md").read_text(encoding="utf-8"), read_home()))

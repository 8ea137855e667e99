"""The monitor's page's files: complete, without inline code and without a way for markup to slip in."""

import re

import pytest

from captchad.web.dashboard.static_files import load_static_files

FILES = load_static_files()
SCRIPTS = sorted(name for name in FILES if name.endswith(".js"))


def read(name: str) -> str:
    return FILES[name].body.decode()


def test_every_file_the_page_names_is_there() -> None:
    wanted = set(re.findall(r'(?:src|href)="static/([^"]+)"', read("index.html")))
    for name in SCRIPTS:
        wanted |= set(re.findall(r'from "\./([^"]+)"', read(name)))
    assert wanted | {"index.html"} == set(FILES)


@pytest.mark.parametrize("name", sorted(FILES))
def test_nothing_points_elsewhere(name: str) -> None:
    addresses = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+", read(name)))
    assert addresses <= {"http://www.w3.org"}


def test_no_address_depends_on_where_a_proxy_shows_the_page() -> None:
    assert re.findall(r'(?:src|href)="/[^"]*"', read("index.html")) == []


def test_the_page_has_no_inline_code_or_style() -> None:
    page = read("index.html")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:", page)


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_script_can_make_markup_from_text(name: str) -> None:
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|createContextualFragment",
        read(name),
    )


@pytest.mark.parametrize("name", sorted(FILES))
def test_files_stay_readable(name: str) -> None:
    assert len(read(name).splitlines()) <= 300


def test_every_element_the_scripts_look_up_exists() -> None:
    page_ids = set(re.findall(r'\bid="([^"]+)"', read("index.html")))
    wanted = {found for name in SCRIPTS for found in re.findall(r'byId\("([^"]+)"\)', read(name))}
    assert wanted <= page_ids


def test_a_page_below_a_prefix_is_another_page() -> None:
    page = FILES["index.html"]
    assert page.with_base("") == page
    below = page.with_base("/monitor")
    assert b'<base href="/monitor/">' in below.body
    assert below.etag != page.etag

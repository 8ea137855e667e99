"""The sample site as a client sees it: the truth never leaves it, and every answer counts once."""

import base64
import json
import re
import signal
import ssl
import subprocess
import sys
from html import unescape

import aiohttp
import pytest

from captchad.sample_site.kinds import KINDS, LOGIN, PageKind, find_kind
from captchad.sample_site.site import AUTHORITY, SampleSite
from tests.patience import PATIENCE_SECONDS

PNG = b"\x89PNG"
DRAWN = [kind for kind in KINDS if kind.comes_as != "page" and not kind.is_slow]
"""Those whose answer is in a picture alone."""


def name_kind(name: str) -> PageKind:
    kind = find_kind(name)
    assert kind is not None
    return kind


async def fetch(visitor: aiohttp.ClientSession, url: str) -> tuple[bytes, dict[str, str]]:
    """Return a response's body and headers."""
    async with visitor.get(url) as response:
        assert response.status == 200
        return await response.read(), dict(response.headers)


def picture_url(site: SampleSite, visit: str, kind: PageKind = LOGIN) -> str:
    return f"{site.base_url}/captcha/{kind.name}.png?visit={visit}"


def plain_url(site: SampleSite, visit: str, kind: PageKind) -> str:
    """Return a page's address without TLS, which says nothing of what is in it."""
    return site.url(visit, kind).replace(site.secure_url, site.base_url)


async def answer(visitor: aiohttp.ClientSession, url: str, visit: str, text: str) -> str:
    async with visitor.post(url, data={"visit": visit, "username": "<b>ada", "captcha": text}) as response:
        assert response.status == 200
        return await response.text()


async def see_all_but_the_pixels(site: SampleSite, kind: PageKind, visit: str) -> str:
    """Visit a page with what it loads; give everything received but pictures, chance and the visit's name."""
    seen = []
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as visitor:
        page, headers = await fetch(visitor, plain_url(site, visit, kind))
        seen.append(f"{headers}{page.decode()}")
        paths = re.findall(r'(?:src|href|fetch)[=(]\s*"(/[^"]+)"', page.decode())
        for path in [*paths, f"/framed?visit={visit}"]:
            body, headers = await fetch(visitor, f"{site.base_url}{path}")
            seen.append(f"{path}{headers}{'' if body.startswith(PNG) else body.decode()}")
        if kind.comes_as == "picture":
            body, headers = await fetch(visitor, picture_url(site, visit, kind))
            assert body.startswith(PNG)
            seen.append(str(headers))
    chance = r"sample_session=[\w-]+|'(?:Date|Content-Length)': '[^']*'|data:image/png;base64,[\w+/=]+"
    return re.sub(chance, "", "".join(seen)).replace(visit, "VISIT")


@pytest.mark.parametrize("kind", DRAWN, ids=lambda kind: kind.name)
async def test_nothing_but_the_pixels_depends_on_the_truth(site: SampleSite, kind: PageKind) -> None:
    visits = [f"visit-{number}" for number in range(6)]
    seen = {await see_all_but_the_pixels(site, kind, visit) for visit in visits}
    assert len({site.truth(visit) for visit in visits}) == len(visits)
    assert len(seen) == 1


async def test_every_view_draws_a_new_text(site: SampleSite, visitor: aiohttp.ClientSession) -> None:
    truths = set()
    for _ in range(5):
        await fetch(visitor, picture_url(site, "again"))
        truths.add(site.truth("again"))
    assert len(truths) == 5


async def test_page_without_its_picture_has_no_truth(site: SampleSite, visitor: aiohttp.ClientSession) -> None:
    await fetch(visitor, site.url("unseen"))
    assert site.truth("unseen") is None


async def test_data_uri_page_brings_the_picture_along(site: SampleSite, visitor: aiohttp.ClientSession) -> None:
    page, _ = await fetch(visitor, site.url("inline", name_kind("data-uri")))
    found = re.search(rb"data:image/png;base64,([A-Za-z0-9+/=]+)", page)
    assert found is not None
    assert base64.b64decode(found[1]).startswith(PNG)
    assert site.truth("inline") is not None


@pytest.mark.parametrize("name", ["login", "image"])
async def test_right_answer_is_welcomed_once(site: SampleSite, visitor: aiohttp.ClientSession, name: str) -> None:
    url = site.url("one", name_kind(name)).partition("?")[0]
    await fetch(visitor, site.url("one", name_kind(name)))
    await fetch(visitor, picture_url(site, "one"))
    truth = site.truth("one")
    assert truth is not None
    assert 'id="welcome"' in await answer(visitor, url, "one", truth.upper())
    assert site.verdict("one") is True
    assert 'id="welcome"' not in await answer(visitor, url, "one", truth)


async def test_wrong_answer_is_told_and_shows_the_form_again(site: SampleSite, visitor: aiohttp.ClientSession) -> None:
    await fetch(visitor, picture_url(site, "one"))
    page = await answer(visitor, f"{site.base_url}/login", "one", "!!!!")
    assert "That was not the right answer" in page
    assert "/captcha/login.png?visit=one" in page
    assert site.verdict("one") is False


async def test_names_are_escaped(site: SampleSite, visitor: aiohttp.ClientSession) -> None:
    await fetch(visitor, picture_url(site, "one"))
    page = await answer(visitor, f"{site.base_url}/login", "one", site.truth("one") or "")
    assert "&lt;b&gt;ada" in page
    assert "<b>ada" not in page


@pytest.mark.parametrize("visit", ["a b", "%3Cscript%3E", "x" * 65, "%22onload"])
async def test_malformed_visit_is_refused(site: SampleSite, visitor: aiohttp.ClientSession, visit: str) -> None:
    async with visitor.get(f"{site.base_url}/login?visit={visit}") as response:
        assert response.status == 400


async def test_unknown_shape_and_asset_are_not_found(site: SampleSite, visitor: aiohttp.ClientSession) -> None:
    for path in ("/pages/riddle", "/captcha/riddle.png", "/assets/secret.txt"):
        async with visitor.get(f"{site.base_url}{path}") as response:
            assert response.status == 404


async def test_pages_name_no_other_host(site: SampleSite, visitor: aiohttp.ClientSession) -> None:
    for kind in KINDS:
        page, _ = await fetch(visitor, plain_url(site, "one", kind))
        assert re.findall(rb"https?:|[\"'(]//", page) == []


async def test_right_answer_with_a_wrong_password_is_not_right(
    site: SampleSite, visitor: aiohttp.ClientSession
) -> None:
    kind = name_kind("fields")
    url = site.url("one", kind)
    for password, is_right in (("wrong", False), (kind.wanted["password"], True)):
        await fetch(visitor, picture_url(site, "one", kind))
        form = {**kind.wanted, "visit": "one", "password": password, "captcha": site.truth("one")}
        async with visitor.post(url, data=form) as response:
            page = await response.text()
        assert ("The name or the password is wrong" in page) != is_right
        assert site.verdict("one") is is_right


async def test_the_other_form_is_not_right(site: SampleSite, visitor: aiohttp.ClientSession) -> None:
    await fetch(visitor, picture_url(site, "one", name_kind("two-forms")))
    page = await answer(visitor, f"{site.base_url}/other-form", "one", site.truth("one") or "")
    assert "That was the other form" in page
    assert site.verdict("one") is False


async def test_tiles_are_those_of_the_page_that_was_shown(site: SampleSite, visitor: aiohttp.ClientSession) -> None:
    await fetch(visitor, site.url("one", name_kind("tiles")))
    for place in range(len(site.truth("one") or "")):
        body, _ = await fetch(visitor, f"{site.base_url}/tiles/{place}.png?visit=one")
        assert body.startswith(PNG)
    async with visitor.get(f"{site.base_url}/tiles/0.png?visit=unseen") as response:
        assert response.status == 404


async def test_tls_is_trusted_by_the_authority_that_the_site_names(
    site: SampleSite, visitor: aiohttp.ClientSession
) -> None:
    pem, _ = await fetch(visitor, f"{site.base_url}{AUTHORITY}")
    trusting = ssl.create_default_context(cadata=pem.decode())
    async with visitor.get(site.secure_url, ssl=trusting) as response:
        assert response.status == 200
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        await visitor.get(site.secure_url)


async def test_the_index_has_every_kind_with_its_options(site: SampleSite, visitor: aiohttp.ClientSession) -> None:
    page = unescape((await fetch(visitor, site.base_url))[0].decode())
    for kind in KINDS:
        assert kind.title in page
        assert json.dumps(kind.options, ensure_ascii=False) in page


def test_the_site_says_how_it_is_stopped_also_in_the_background() -> None:
    command = [sys.executable, "-m", "captchad.sample_site", "--port=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            stop = re.search("`(kill [0-9]+)`", said)
            assert stop is not None, said
            subprocess.run(stop[1].split(), check=True)
            assert process.wait(PATIENCE_SECONDS) == -signal.SIGTERM
        finally:
            process.kill()

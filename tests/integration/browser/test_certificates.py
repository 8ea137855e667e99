"""Sites behind certificates of private authorities, pinned keys and client certificates, in a real browser."""

import shutil
import ssl
from pathlib import Path

import pytest
from aiohttp import web

from captchad.browser.page.certificate_errors import explain_certificate, is_certificate_error
from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.domain.page import PageOrder
from captchad.domain.target import Origin, Target
from tests.certificates import Issued, issue, make_authority
from tests.integration.browser.secure_site import AlertingServer, SecureSite
from tests.integration.browser.stage import CAPTCHA_PNG, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOST = "127.0.0.1"


async def open_site(stage: Stage, tls: ssl.SSLContext, host: str = HOST) -> SecureSite:
    site = SecureSite(tls, host)
    await stage.open_site(site)
    return site


async def read(stage: Stage, site: SecureSite, *targets: Target) -> bytes:
    stage.policy.replace_targets(targets)
    return (await stage.read_page(PageOrder(site.url(), site.host))).picture


async def refuse(stage: Stage, site: SecureSite, *targets: Target) -> str:
    """Return why a page is not read: finally, and for its certificate."""
    with pytest.raises(AttemptFailed) as caught:
        await read(stage, site, *targets)
    assert caught.value.task_error_code is TaskErrorCode.CERTIFICATE_ERROR, caught.value.message
    assert not caught.value.is_retryable
    assert site.hits["/"] == 0
    return caught.value.message


@pytest.fixture
def authority(tmp_path: Path) -> Issued:
    return make_authority(tmp_path)


@pytest.fixture
def issued(tmp_path: Path, authority: Issued) -> Issued:
    return issue(tmp_path, authority, HOST, "site.localhost")


async def test_a_site_of_a_declared_authority_is_read(stage: Stage, authority: Issued, issued: Issued) -> None:
    site = await open_site(stage, issued.serve())
    assert await read(stage, site, site.target(authorities=authority.path)) == CAPTCHA_PNG


async def test_a_certificate_signed_by_itself_is_its_own_authority(stage: Stage, tmp_path: Path) -> None:
    own = issue(tmp_path, None, HOST)
    site = await open_site(stage, own.serve())
    assert await read(stage, site, site.target(authorities=own.path)) == CAPTCHA_PNG


async def test_an_undeclared_authority_is_refused_with_the_setting_that_mends_it(stage: Stage, issued: Issued) -> None:
    site = await open_site(stage, issued.serve())
    message = await refuse(stage, site, site.target())
    assert "security.targets[].certificate_authorities" in message
    assert "CN=Private CA" in message


async def test_an_authority_serves_no_other_target(stage: Stage, authority: Issued, issued: Issued) -> None:
    trusted = await open_site(stage, issued.serve())
    other = await open_site(stage, issued.serve(), "site.localhost")
    targets = trusted.target(authorities=authority.path), other.target()
    assert await read(stage, trusted, *targets) == CAPTCHA_PNG
    # In the same browser, and right after it was trusted there.
    assert "certificate_authorities" in await refuse(stage, other, *targets)
    assert await read(stage, trusted, *targets) == CAPTCHA_PNG


async def test_each_target_is_judged_by_its_own_authorities(
    stage: Stage, tmp_path: Path, authority: Issued, issued: Issued
) -> None:
    foreign = make_authority(tmp_path, "Another CA")
    site = await open_site(stage, issued.serve())
    message = await refuse(stage, site, site.target(authorities=foreign.path))
    assert "none of security.targets[].certificate_authorities has issued it" in message


async def test_parts_of_a_page_are_judged_by_the_target_they_are_of(
    stage: Stage, authority: Issued, issued: Issued
) -> None:
    """A page of one target loads a picture of another: each connection counts by itself."""
    page = await open_site(stage, issued.serve())
    api = await open_site(stage, issued.serve(), "site.localhost")
    page.put_page("/", f'<img class="captcha" src="{api.url("/captcha.png")}"><input name="captcha">')
    own = page.target(authorities=authority.path)
    assert await read(stage, page, own, api.target(authorities=authority.path)) == CAPTCHA_PNG
    stage.policy.replace_targets((own, api.target()))
    with pytest.raises(AttemptFailed, match="looks like a captcha") as caught:
        await stage.capture(page.url(), timeout_seconds=10)
    assert caught.value.task_error_code is TaskErrorCode.CAPTCHA_NOT_FOUND
    assert api.hits["/captcha.png"] == 1


@pytest.mark.parametrize("declared", ["nothing", "authority", "pin"])
async def test_one_that_has_expired_is_refused_whatever_is_trusted(
    stage: Stage, tmp_path: Path, authority: Issued, declared: str
) -> None:
    expired = issue(tmp_path, authority, HOST, ended=True)
    site = await open_site(stage, expired.serve())
    if declared == "nothing":
        # The authority comes first; without it nothing else is worth a word.
        assert "certificate_authorities" in await refuse(stage, site, site.target())
        return
    is_pin = declared == "pin"
    target = site.target(authorities=None if is_pin else authority.path, pins=(expired.pin,) if is_pin else ())
    message = await refuse(stage, site, target)
    assert "has expired" in message
    assert f"to {expired.certificate.not_valid_after_utc:%Y-%m-%d}" in message


@pytest.mark.parametrize("is_pinned", [False, True])
async def test_a_wrong_name_is_refused_with_the_names_it_is_for(
    stage: Stage, tmp_path: Path, authority: Issued, *, is_pinned: bool
) -> None:
    issued = issue(tmp_path, authority, "portal.example", "10.1.2.3")
    site = await open_site(stage, issued.serve())
    target = site.target(pins=(issued.pin,)) if is_pinned else site.target(authorities=authority.path)
    assert "is not for 127.0.0.1, but for portal.example, 10.1.2.3" in await refuse(stage, site, target)


async def test_a_pinned_key_stands_for_an_authority(stage: Stage, tmp_path: Path, authority: Issued) -> None:
    issued = issue(tmp_path, authority, HOST)
    site = await open_site(stage, issued.serve())
    for _ in range(2):
        assert await read(stage, site, site.target(pins=(issued.pin,))) == CAPTCHA_PNG


@pytest.mark.parametrize("has_authority", [False, True])
async def test_a_wrong_pin_is_refused_even_with_the_right_authority(
    stage: Stage, tmp_path: Path, authority: Issued, issued: Issued, *, has_authority: bool
) -> None:
    site = await open_site(stage, issued.serve())
    other = issue(tmp_path, authority, HOST)
    target = site.target(authorities=authority.path if has_authority else None, pins=(other.pin,))
    message = await refuse(stage, site, target)
    assert "security.targets[].certificate_pins" in message
    assert issued.pin in message


async def test_a_client_certificate_is_shown_to_its_target(
    stage: Stage, tmp_path: Path, authority: Issued, issued: Issued
) -> None:
    client = issue(tmp_path, authority, "captchad")
    site = await open_site(stage, issued.serve(clients=authority))
    assert await read(stage, site, site.target(authorities=authority.path, client=client.path)) == CAPTCHA_PNG


async def test_a_client_certificate_is_shown_to_nobody_in_visits_of_other_targets(
    stage: Stage, tmp_path: Path, authority: Issued, issued: Issued
) -> None:
    client = issue(tmp_path, authority, "captchad")
    bank = await open_site(stage, issued.serve(clients=authority), "site.localhost")
    page = await open_site(stage, issued.serve())
    page.put_page("/", f'<img class="captcha" src="/captcha.png"><img src="{bank.url("/captcha.png")}">')
    targets = page.target(authorities=authority.path), bank.target(authorities=authority.path, client=client.path)
    assert await read(stage, page, *targets) == CAPTCHA_PNG
    assert not bank.hits
    assert await read(stage, bank, *targets) == CAPTCHA_PNG


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("shown", ["none", "another's"])
async def test_a_missing_client_certificate_is_named(
    stage: Stage, tmp_path: Path, authority: Issued, issued: Issued, shown: str, newest: ssl.TLSVersion
) -> None:
    foreign = issue(tmp_path, make_authority(tmp_path, "Another CA"), "captchad")
    client = foreign.path if shown == "another's" else None
    with AlertingServer(issued.serve(clients=authority, newest=newest)) as server:
        site = SecureSite(server.tls)
        site.port = server.port
        message = await refuse(stage, site, site.target(authorities=authority.path, client=client))
    assert "security.targets[].client_certificate" in message


async def test_files_are_read_again_at_a_reload(
    stage: Stage, tmp_path: Path, authority: Issued, issued: Issued
) -> None:
    declared = tmp_path / "declared.pem"
    shutil.copy(make_authority(tmp_path, "Former CA").path, declared)
    site = await open_site(stage, issued.serve())
    target = site.target(authorities=str(declared))
    await refuse(stage, site, target)
    shutil.copy(authority.path, declared)
    assert await read(stage, site, target) == CAPTCHA_PNG
    declared.unlink()
    site.hits.clear()
    assert f"{declared} can't be read" in await refuse(stage, site, target)


async def test_websockets_and_large_answers_pass(stage: Stage, authority: Issued, issued: Issued) -> None:
    site = await open_site(stage, issued.serve())
    size = 20_000_000

    async def echo(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(f"echo {message.data}")
        return socket

    async def send_much(_: web.Request) -> web.StreamResponse:
        return web.Response(body=bytes(size))

    site.put("/socket", echo)
    site.put("/much", send_much)
    stage.policy.replace_targets((site.target(authorities=authority.path),))
    async with stage.open_page(PageOrder(site.url(), HOST)) as session:
        heard = await session.page.evaluate(
            """() => new Promise(done => {
                const socket = new WebSocket(location.href.replace('https', 'wss') + 'socket');
                socket.onopen = () => socket.send('hello');
                socket.onmessage = event => done(event.data);
            })"""
        )
        assert heard == "echo hello"
        length = await session.page.evaluate("async () => (await (await fetch('/much')).arrayBuffer()).byteLength")
        assert length == size
        sent = await session.page.evaluate(
            "async () => (await fetch('/', {method: 'POST', body: new Uint8Array(800000)})).status"
        )
        assert sent == 200


@pytest.mark.parametrize(
    ("name", "ended", "words", "expected"),
    [
        ("portal.example", False, "net::ERR_CERT_COMMON_NAME_INVALID", "is not for 127.0.0.1, but for portal.example"),
        (HOST, True, "net::ERR_CERT_DATE_INVALID", "has expired, or is not valid yet: it is for"),
        (HOST, False, "net::ERR_CERT_AUTHORITY_INVALID", "security.targets[].certificate_authorities"),
        (HOST, False, "net::ERR_BAD_SSL_CLIENT_AUTH_CERT", "security.targets[].client_certificate"),
        (HOST, False, "net::ERR_CERT_REVOKED", "is refused: ERR_CERT_REVOKED"),
    ],
)
async def test_what_the_browser_itself_refuses_is_explained_by_what_the_site_shows(
    stage: Stage, tmp_path: Path, authority: Issued, name: str, words: str, expected: str, *, ended: bool
) -> None:
    site = await open_site(stage, issue(tmp_path, authority, name, ended=ended).serve())
    stage.policy.replace_targets((site.target(),))
    text = f"Page.goto: {words} at {site.url()}"
    assert is_certificate_error(text)
    error = await explain_certificate(stage.proxy, Origin("https", HOST, site.port), text)
    assert error.task_error_code is TaskErrorCode.CERTIFICATE_ERROR
    assert expected in error.message


async def test_a_failure_to_connect_is_no_certificate_error(stage: Stage, authority: Issued, issued: Issued) -> None:
    site = await open_site(stage, issued.serve())
    await site.stop()
    with pytest.raises(AttemptFailed) as caught:
        await read(stage, site, site.target(authorities=authority.path))
    assert caught.value.task_error_code is TaskErrorCode.NAVIGATION_FAILED
    assert caught.value.is_retryable


async def test_a_renewed_certificate_with_the_pinned_key_is_read(
    stage: Stage, tmp_path: Path, authority: Issued
) -> None:
    """What was fetched for a pin is not held against the certificate that replaces it."""
    first, second = (issue(tmp_path, authority, HOST) for _ in range(2))
    tls = first.serve()
    site = await open_site(stage, tls)
    target = site.target(pins=(first.pin, second.pin))
    assert await read(stage, site, target) == CAPTCHA_PNG
    tls.load_cert_chain(second.path)
    assert (await stage.read_page(PageOrder(site.url(), HOST))).picture == CAPTCHA_PNG

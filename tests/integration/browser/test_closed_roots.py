"""Captchas in closed shadow roots, which no script of the page's own document can look into."""

import pytest
from aiohttp import web

from tests.integration.browser.form_stage import COOKIE, FIELDS, FORM, FormSite, FormStage
from tests.integration.browser.stage import CAPTCHA_PNG, LocalSite, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLOSED = """
<x-login></x-login><script>
customElements.define("x-login", class extends HTMLElement {
  connectedCallback() {
    const root = this.attachShadow({mode: "closed"});
    root.innerHTML = '%s';
    %s
  }
});
</script>
"""
SENDING = """
root.getElementById("send").onclick = async () => {
  const reply = await fetch("/verdict?answer=" + root.getElementById("answer").value);
  root.getElementById("result").innerHTML = await reply.json() ? '<p id="welcome">ok</p>' : '<p class="error">no</p>';
};
"""


async def test_a_captcha_in_one_is_found_and_another_in_it(site: LocalSite, stage: Stage) -> None:
    site.put_picture("/picture", CAPTCHA_PNG)
    site.put_page("/", CLOSED % ('<img id="captcha" src="/picture">', ""))
    assert (await stage.capture(site.url())).picture == CAPTCHA_PNG
    inner = (
        'const inner = root.querySelector("div").attachShadow({mode: "closed"});'
        'inner.innerHTML = \'<img id="captcha" src="/picture">\';'
    )
    site.put_page("/", CLOSED % ('<div style="min-height:20px"></div>', inner))
    assert (await stage.capture(site.url(), "#captcha")).picture == CAPTCHA_PNG


async def test_one_is_looked_into_again_where_the_page_was_too_busy(site: LocalSite, stage: Stage) -> None:
    site.put_picture("/picture", CAPTCHA_PNG)
    busy = """
    addEventListener("load", () => setTimeout(() => {
      const until = performance.now() + 4500;
      while (performance.now() < until);
    }, 200));
    """
    site.put_page("/", CLOSED % ('<img id="captcha" src="/picture">', busy))
    assert (await stage.capture(site.url())).picture == CAPTCHA_PNG


async def test_a_form_in_one_is_filled_and_its_verdict_seen(site: LocalSite, stage: Stage) -> None:
    form = FormSite(site)

    async def check(request: web.Request) -> web.StreamResponse:
        return web.json_response(form.is_right(request.cookies.get(COOKIE, ""), request.query["answer"]))

    site.put("/verdict", check)
    form.show(CLOSED % (f'<div>{FIELDS}<p id="result"></p></div>', SENDING))
    result = await FormStage(stage, form).complete(fill=FORM)
    assert (result.captcha_text, result.verified) == ("word1", True)
    assert len(form.answers) == 1


async def test_a_form_in_one_in_a_frame_is_filled_and_its_verdict_seen(site: LocalSite, stage: Stage) -> None:
    form = FormSite(site)

    async def check(request: web.Request) -> web.StreamResponse:
        return web.json_response(form.is_right(request.cookies.get(COOKIE, ""), request.query["answer"]))

    site.put("/verdict", check)
    site.put_page("/other", CLOSED % ("<p>Nothing is here</p>", ""))
    site.put_page("/login", CLOSED % (f'<div>{FIELDS}<p id="result"></p></div>', SENDING))
    form.show('<h1>Welcome</h1><iframe src="/other"></iframe><iframe src="/login"></iframe>')
    result = await FormStage(stage, form).complete(fill=FORM)
    assert (result.captcha_text, result.verified) == ("word1", True)
    assert len(form.answers) == 1


async def test_the_page_notices_nothing(site: LocalSite, stage: Stage) -> None:
    site.put_picture("/picture", CAPTCHA_PNG)
    telling = 'setInterval(() => { if ("captchadRoot" in this || this.shadowRoot) fetch("/noticed") }, 20);'
    site.put_page("/", CLOSED % ('<img id="captcha" src="/picture">', telling))
    await stage.capture(site.url())
    assert not site.hits["/noticed"]


async def test_a_frame_without_a_script_that_comes_after_the_look_into_one_is_searched(
    site: LocalSite, stage: Stage
) -> None:
    site.put_picture("/picture", CAPTCHA_PNG)
    site.put_page("/frame", '<img src="/picture">')
    # Well after the page stands still, when closed roots are looked into.
    late = (
        'setTimeout(() => { root.host.after(Object.assign(document.createElement("iframe"), {src: "/frame"})) }, 4000);'
    )
    site.put_page("/", CLOSED % ("<p>Welcome</p>", late))
    assert (await stage.capture(site.url(), "img")).picture == CAPTCHA_PNG

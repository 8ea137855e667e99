"""A site that has had enough says so in the answer to the page itself."""

import pytest
from aiohttp import web

from captchad.domain.errors import AttemptFailed, TaskErrorCode
from tests.integration.browser.stage import CAPTCHA_PNG, LocalSite, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = '<form><img src="/captcha.png" alt="captcha"><input name="captcha"></form>'


def put_answer(site: LocalSite, status: int, **headers: str) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(text=PAGE, content_type="text/html", status=status, headers=headers)

    site.put("/", answer)
    site.put_picture("/captcha.png", CAPTCHA_PNG)


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [(429, {"Retry-After": "90"}, 90.0), (429, {}, 10.0), (503, {"Retry-After": "5"}, 5.0)],
)
async def test_the_attempt_ends_with_the_time_the_site_asks_for(
    stage: Stage, site: LocalSite, status: int, headers: dict[str, str], seconds: float
) -> None:
    put_answer(site, status, **headers)
    with pytest.raises(AttemptFailed) as caught:
        await stage.capture(site.url())
    assert caught.value.task_error_code is TaskErrorCode.HTTP_ERROR
    assert caught.value.retry_after_seconds == seconds
    assert str(status) in caught.value.message


async def test_an_error_page_with_a_captcha_that_asks_for_no_time_is_read(stage: Stage, site: LocalSite) -> None:
    put_answer(site, 503)
    assert (await stage.capture(site.url())).picture == CAPTCHA_PNG

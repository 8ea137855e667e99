"""A page that refuses what the form was filled with, and not the answer, ends the task at once."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import pytest_asyncio
from aiohttp import web

from captchad.broker.consumer import AttemptOutcome
from captchad.domain.errors import TaskErrorCode
from captchad.domain.page import Fill, FormField
from tests.integration.browser.form_stage import ERROR, FIELDS, WELCOME, FormSite, FormStage
from tests.integration.browser.stage import LocalSite, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

PASSWORD = "correct horse!"
REJECTION = '<p class="error" id="rejection">Name or password is wrong</p>'


def log_in(password: str, **conditions: str) -> Fill:
    conditions = {"success": "#welcome", "failure": ".error", "rejected": "#rejection"} | conditions
    return Fill("#answer", "#send", fields=(FormField("#password", value=password),), **conditions)


class PasswordSite(FormSite):
    """A login that says whether the captcha or the password was wrong."""

    def __init__(self, site: LocalSite) -> None:
        super().__init__(site)
        self.rejected = 0
        self.show(f'<form method="post" action="/login"><input id="password" name="password">{FIELDS}</form>')
        site.put("/login", self._log_in)
        site.put("/denied", self._deny)

    async def _log_in(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        if not self.is_right(request.cookies.get("visitor", ""), str(form["answer"])):
            return self._answer(request, ERROR + self.page)
        if form["password"] == "elsewhere":
            raise web.HTTPSeeOther("http://elsewhere.example/denied?why=password")
        if form["password"] == PASSWORD:
            return self._answer(request, WELCOME)
        self.rejected += 1
        raise web.HTTPSeeOther("/denied")

    async def _deny(self, request: web.Request) -> web.StreamResponse:
        return self._answer(request, REJECTION + self.page)


@pytest_asyncio.fixture(loop_scope="module")
async def logins(stage: Stage, site: LocalSite) -> FormStage:
    return FormStage(stage, PasswordSite(site))


@pytest.mark.parametrize("rejected", ["#rejection", "text:password is WRONG", "url:/denied", "url:*/denied"])
async def test_a_wrong_password_ends_the_task_after_one_answer(rejected: str, logins: FormStage) -> None:
    settlement = await logins.settle(fill=log_in("guess", rejected=rejected))
    assert settlement.outcome is AttemptOutcome.FAILED
    assert settlement.error is not None
    assert settlement.error.code is TaskErrorCode.FORM_REJECTED
    assert rejected in settlement.error.message
    assert not settlement.error.is_retryable
    assert len(logins.form.answers) == 1


async def test_a_wrong_captcha_is_answered_again_and_a_right_login_is_verified(logins: FormStage) -> None:
    logins.misread = 2
    assert (await logins.complete(fill=log_in(PASSWORD))).verified is True
    assert len(logins.form.answers) == 3


@pytest.mark.parametrize("strip", [lambda fill: replace(fill, failure=None), lambda fill: replace(fill, success=None)])
async def test_one_other_condition_is_enough_beside_it(strip: Callable[[Fill], Fill], logins: FormStage) -> None:
    logins.misread = 1
    settlement = await logins.settle(fill=strip(log_in("guess")))
    assert settlement.error is not None
    assert settlement.error.code is TaskErrorCode.FORM_REJECTED
    assert len(logins.form.answers) == 2


async def test_a_rejection_out_of_scope_is_seen_by_its_address(logins: FormStage) -> None:
    settlement = await logins.settle(fill=log_in("elsewhere", rejected="url:*/denied?why=password"))
    assert settlement.error is not None
    assert settlement.error.code is TaskErrorCode.FORM_REJECTED


async def test_a_rejection_in_a_dialog_is_seen(logins: FormStage) -> None:
    logins.form.show(
        f'<form method="post" action="/login"><input id="password" name="password">{FIELDS}</form><script>'
        "document.forms[0].onsubmit = () => { alert('Wrong password'); return false }</script>"
    )
    settlement = await logins.settle(fill=log_in("guess", rejected="text:wrong password"))
    assert settlement.error is not None
    assert settlement.error.code is TaskErrorCode.FORM_REJECTED

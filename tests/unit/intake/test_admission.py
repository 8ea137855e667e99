from dataclasses import replace
from datetime import date

import pytest

from captchad.domain.api_key import ApiKey, Scope
from captchad.domain.errors import Forbidden, TargetNotAllowed, TaskNotFound
from captchad.domain.proof import NOTHING_KNOWN
from captchad.domain.target import Target
from captchad.domain.task import TaskRequest
from captchad.intake.admission import (
    Admission,
    DeclaredTargets,
    Ownership,
    check_reach,
    find_ownership,
    may_reach,
)
from captchad.runtime.clock import Clock

TARGETS = (
    Target("captcha.example.com", expires=date(2026, 6, 30), proof="waived: a test"),
    Target("*.sites.example.org", ports=(443,), expires=date(2026, 6, 30), proof="waived: a test"),
    Target("unproven.example.com", expires=date(2026, 6, 30)),
    Target("127.0.0.1", ports=(8085,), allow_private_addresses=True),
    Target("localhost", ports=(8085,)),
    Target("10.0.0.7", expires=date(2026, 6, 30)),
    Target("*.localhost", ports=(8085,), allow_private_addresses=True),
    Target("169.254.169.254", expires=date(2026, 6, 30), allow_private_addresses=True),
    Target("xn--bcher-kva.example", expires=date(2026, 6, 30)),
)


class FixedDay(Clock):
    """A clock that stands on one day."""

    def __init__(self, day: date) -> None:
        self._day = day

    def today(self) -> date:
        return self._day


def make_key(*targets: str) -> ApiKey:
    return ApiKey("1", "tests", frozenset({Scope.SUBMIT}), targets, 0)


def make_admission(day: date = date(2026, 6, 30)) -> Admission:
    return Admission(DeclaredTargets(TARGETS), FixedDay(day), lambda: NOTHING_KNOWN)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://captcha.example.com/a", "captcha.example.com"),
        ("HTTPS://Captcha.Example.COM./a", "captcha.example.com"),
        ("https://a.b.sites.example.org/", "*.sites.example.org"),
        ("http://127.0.0.1:8085/", "127.0.0.1"),
    ],
)
def test_a_page_of_a_declared_target_is_admitted(url: str, host: str) -> None:
    assert make_admission().admit_url(url, None).host == host


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://example.com/", "not a declared target"),
        ("http://captcha.example.com:8080/", "port 8080"),
        ("http://a.sites.example.org/", "port 80"),
        ("http://localhost:8085/", "allow_private_addresses"),
        ("http://10.0.0.7/", "allow_private_addresses"),
        ("http://app.localhost:8085/", "declare exactly this host"),
        ("http://169.254.169.254/", "metadata service, which is never reachable"),
        ("http://user@captcha.example.com/", "user name"),
        ("http://user:secret@captcha.example.com/", r"send it in session\.headers, as Authorization"),
    ],
)
def test_anything_else_is_refused_with_its_reason(url: str, reason: str) -> None:
    with pytest.raises(TargetNotAllowed, match=reason):
        make_admission().admit_url(url, None)


def test_the_last_day_of_an_authorisation_counts_and_the_next_does_not() -> None:
    make_admission(date(2026, 6, 30)).admit_url("http://captcha.example.com/", None)
    with pytest.raises(TargetNotAllowed, match="expired on 2026-06-30"):
        make_admission(date(2026, 7, 1)).admit_url("http://captcha.example.com/", None)


def test_a_key_with_targets_is_held_to_them() -> None:
    admission = make_admission()
    admission.admit_url("http://captcha.example.com/", make_key())
    admission.admit_url("http://captcha.example.com/", make_key("captcha.example.com"))
    admission.admit_url("https://a.sites.example.org/", make_key("*.sites.example.org"))
    admission.admit_url("https://a.sites.example.org/", make_key("a.sites.example.org"))
    with pytest.raises(TargetNotAllowed, match=r"limited to a\.sites\.example\.org"):
        admission.admit_url("https://b.sites.example.org/", make_key("a.sites.example.org"))


def test_a_picture_belongs_to_the_target_it_names() -> None:
    admission = make_admission()
    assert admission.admit_host("Captcha.example.com", None).host == "captcha.example.com"
    assert admission.admit_host("a.sites.example.org", None).host == "*.sites.example.org"
    assert admission.admit_host("*.sites.example.org", None).host == "*.sites.example.org"
    assert admission.admit_host("Bücher.example", None).host == "xn--bcher-kva.example"
    with pytest.raises(TargetNotAllowed):
        admission.admit_host("elsewhere.example.net", None)


def test_a_public_target_is_closed_until_it_is_proven() -> None:
    with pytest.raises(TargetNotAllowed, match=r"captchad targets prove unproven\.example\.com"):
        make_admission().admit_url("http://unproven.example.com/", None)
    with pytest.raises(TargetNotAllowed, match="not proven to be yours"):
        make_admission().admit_host("unproven.example.com", None)


def test_a_picture_is_taken_only_from_a_key_that_is_bound_to_its_target() -> None:
    admission = make_admission()
    assert admission.admit_host("captcha.example.com", make_key("captcha.example.com"))
    assert admission.admit_host("a.sites.example.org", make_key("*.sites.example.org"))
    for key in (make_key(), make_key("elsewhere.example.net")):
        with pytest.raises(TargetNotAllowed):
            admission.admit_host("captcha.example.com", key)
    assert admission.admit_url("http://captcha.example.com/", make_key())


def test_replaced_targets_count_at_once() -> None:
    targets = DeclaredTargets(TARGETS)
    admission = Admission(targets, FixedDay(date(2026, 6, 30)), lambda: NOTHING_KNOWN)
    targets.replace(())
    with pytest.raises(TargetNotAllowed):
        admission.admit_url("http://captcha.example.com/", None)


def owned_by(request: TaskRequest, key_id: str | None) -> Ownership:
    return find_ownership(replace(request, key_id=key_id))


PAGE = TaskRequest("*.sites.example.org", url="https://a.sites.example.org/")
PICTURE = TaskRequest("*.sites.example.org", picture=b"")


@pytest.mark.parametrize("others", [Scope.READ_ALL, Scope.ADMIN])
@pytest.mark.parametrize("request_", [PAGE, PICTURE])
def test_a_key_reaches_its_own_tasks_and_without_keys_everybody_all(request_: TaskRequest, others: Scope) -> None:
    assert may_reach(make_key("elsewhere.example.net"), owned_by(request_, "1"), others)
    assert may_reach(None, owned_by(request_, None), others)
    for owner in ("2", None):
        assert not may_reach(make_key(), owned_by(request_, owner), others)
        assert not may_reach(make_key("a.sites.example.org"), owned_by(request_, owner), others)


def test_read_all_sees_others_tasks_and_only_admin_ends_them() -> None:
    task = owned_by(PAGE, "2")
    reader, admin = (replace(make_key(), scopes=frozenset({scope})) for scope in (Scope.READ_ALL, Scope.ADMIN))
    assert may_reach(reader, task, Scope.READ_ALL)
    assert not may_reach(reader, task, Scope.ADMIN)
    assert may_reach(admin, task, Scope.READ_ALL)
    assert may_reach(admin, task, Scope.ADMIN)
    assert not may_reach(replace(admin, revoked_ms=1), task, Scope.ADMIN)


@pytest.mark.parametrize("scope", [Scope.READ_ALL, Scope.ADMIN])
def test_targets_bind_whoever_may_see_others_tasks(scope: Scope) -> None:
    def may_see(request: TaskRequest, *targets: str) -> bool:
        key = replace(make_key(*targets), scopes=frozenset({scope}))
        return may_reach(key, owned_by(request, "2"), Scope.READ_ALL)

    assert may_see(PAGE, "a.sites.example.org")
    assert may_see(PICTURE, "*.sites.example.org")
    assert may_see(TaskRequest("captcha.example.com", picture=b""), "*.example.com")
    assert not may_see(PAGE, "b.sites.example.org")
    assert not may_see(PICTURE, "a.sites.example.org")
    assert not may_see(PICTURE, "captcha.example.com")


def test_a_refusal_says_what_is_missing() -> None:
    task = replace(PAGE, key_id="2")
    with pytest.raises(TaskNotFound, match="there is no task task_1"):
        check_reach(make_key(), "task_1", task, Scope.READ_ALL)
    elsewhere = replace(make_key("b.sites.example.org"), scopes=frozenset({Scope.ADMIN}))
    with pytest.raises(TaskNotFound):
        check_reach(elsewhere, "task_1", task, Scope.ADMIN)
    reader = replace(make_key(), scopes=frozenset({Scope.READ_ALL}))
    with pytest.raises(Forbidden, match="another key's task; the key 'tests' would need the scope admin"):
        check_reach(reader, "task_1", task, Scope.ADMIN)
    check_reach(None, "task_1", task, Scope.ADMIN)

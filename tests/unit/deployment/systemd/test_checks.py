import json

import pytest

from captchad.deployment.systemd.checks import read_faults

FAIL = {"subject": "redis", "status": "fail", "found": "version 5 at here", "fix": "install Redis 6.2 or newer"}
WARN = {"subject": "fonts", "status": "warn", "found": "none installed", "fix": "apt-get install fonts"}
BROWSER = {"subject": "browser", "status": "fail", "found": "no Chromium", "fix": "install one"}


def test_what_doctor_finds_wrong_is_a_fault_and_what_is_doubtful_is_not() -> None:
    faults = read_faults("doctor", json.dumps([FAIL, WARN]), "", has_workers=True)
    assert faults == ["redis: version 5 at here (install Redis 6.2 or newer)"]


@pytest.mark.parametrize(("has_workers", "count"), [(True, 1), (False, 0)])
def test_a_browser_matters_where_there_are_workers(has_workers: bool, count: int) -> None:
    assert len(read_faults("doctor", json.dumps([BROWSER]), "", has_workers=has_workers)) == count


def test_what_is_wrong_in_the_configuration_is_a_fault_with_its_path() -> None:
    problems = [{"path": "redis.url", "message": "no URL"}, {"path": "", "message": "no JSON"}]
    output = json.dumps({"valid": False, "problems": problems, "warnings": problems})
    assert read_faults("config check", output, "", has_workers=True) == ["redis.url: no URL", "no JSON"]


@pytest.mark.parametrize(
    ("output", "complaints", "said"),
    [
        ("", "Traceback\nImportError: no aiohttp\n", "ImportError: no aiohttp"),
        ("SUBJECT  FOUND\n", "", "SUBJECT  FOUND"),
        ("", "", "it says nothing"),
    ],
)
def test_a_check_that_does_not_come_to_its_end_is_a_fault(output: str, complaints: str, said: str) -> None:
    assert read_faults("doctor", output, complaints, has_workers=True) == [said]

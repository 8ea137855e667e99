import os

import pytest

from captchad.cli import deploy_checks
from captchad.cli.doctor.finding import Finding, bad, doubtful, good
from captchad.config.settings import BrowserSection, Configuration
from captchad.domain.errors import DeploymentFailed

HERE = Configuration()
ELSEWHERE = Configuration(browser=BrowserSection(backend="playwright", urls=("ws://browsers.example.com:3000/x",)))


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", "/root/.cache/browsers")
    monkeypatch.setattr(deploy_checks, "check_shared_memory", lambda: good("shared memory", "enough"))
    monkeypatch.setattr(deploy_checks, "check_fonts", lambda: doubtful("fonts", "none installed", "install some"))


def find(monkeypatch: pytest.MonkeyPatch, finding: Finding) -> None:
    def check(configuration: Configuration) -> list[Finding]:
        assert os.environ["PLAYWRIGHT_BROWSERS_PATH"] == "/opt/captchad/browsers"
        return [finding]

    monkeypatch.setattr(deploy_checks, "check_browser", check)


def test_a_host_without_a_browser_for_its_workers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    find(monkeypatch, bad("browser", "there is no Chromium", "install one"))
    with pytest.raises(DeploymentFailed, match="browser: there is no Chromium; install one"):
        list(deploy_checks.examine_browser(HERE))


def test_what_may_still_come_right_is_doubted(monkeypatch: pytest.MonkeyPatch) -> None:
    fonts = "fonts: none installed; install some"
    find(monkeypatch, bad("browser", "nobody answers", "start it"))
    assert list(deploy_checks.examine_browser(ELSEWHERE)) == [fonts, "browser: nobody answers; start it"]
    find(monkeypatch, bad("sandbox", "off", "allow it"))
    assert list(deploy_checks.examine_browser(HERE)) == [fonts, "sandbox: off; allow it"]

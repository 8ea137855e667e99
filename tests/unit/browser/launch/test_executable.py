from pathlib import Path

import pytest

from captchad.browser.launch.executable import EGRESS_FLAGS, find_executable
from captchad.domain.errors import DependencyMissing


def make_program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def only_this_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path / "bin"


def test_the_configured_program_wins(tmp_path: Path, only_this_path: Path) -> None:
    make_program(only_this_path / "chromium")
    wanted = make_program(tmp_path / "own" / "chrome")
    assert find_executable(str(wanted), "/nowhere/chrome") == str(wanted)


def test_a_configured_program_that_is_not_there_is_an_error(only_this_path: Path) -> None:
    make_program(only_this_path / "chromium")
    with pytest.raises(DependencyMissing, match="nowhere"):
        find_executable("/nowhere/chrome", "/nowhere/else")


def test_the_downloaded_headless_shell_comes_before_the_downloaded_browser(tmp_path: Path) -> None:
    browser = make_program(tmp_path / "ms-playwright" / "chromium-1200" / "chrome-linux" / "chrome")
    assert find_executable(None, str(browser)) == str(browser)
    folder = tmp_path / "ms-playwright" / "chromium_headless_shell-1200"
    shell = make_program(folder / "chrome-headless-shell-linux64" / "chrome-headless-shell")
    assert find_executable(None, str(browser)) == str(shell)


def test_the_distributions_headless_shell_comes_before_its_browser(only_this_path: Path) -> None:
    browser = make_program(only_this_path / "chromium")
    assert find_executable(None, "/nowhere/chrome") == str(browser)
    shell = make_program(only_this_path / "chromium-headless-shell")
    assert find_executable(None, "/nowhere/chrome") == str(shell)


def test_without_any_it_says_what_to_install() -> None:
    with pytest.raises(DependencyMissing, match="apt-get install chromium-headless-shell libatomic1"):
        find_executable(None, "/nowhere/chrome")


def test_no_flag_leaves_a_way_around_the_proxy() -> None:
    assert "--proxy-bypass-list=<-loopback>" in EGRESS_FLAGS
    assert "--force-webrtc-ip-handling-policy=disable_non_proxied_udp" in EGRESS_FLAGS

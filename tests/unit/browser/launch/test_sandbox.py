import subprocess
from pathlib import Path

import pytest

from captchad.browser.launch import sandbox
from captchad.browser.launch.launcher import LEAST_PROCESS_BYTES, Launch, browser_environment, write_launcher
from captchad.browser.launch.sandbox import (
    BrowserUser,
    Sandbox,
    explain_missing_namespaces,
    is_sandbox_failure,
    plan_sandbox,
)


def test_an_ordinary_user_runs_its_browser_as_itself(tmp_path: Path) -> None:
    assert plan_sandbox("nobody", "/bin/sh", tmp_path, is_root=False) == Sandbox()


@pytest.mark.parametrize(
    ("user", "problem"),
    [("no-such-account", "there is no user no-such-account"), ("root", "browser.user is root, which is root")],
)
def test_a_user_that_will_not_do_is_named(tmp_path: Path, user: str, problem: str) -> None:
    planned = plan_sandbox(user, "/bin/sh", tmp_path, is_root=True)
    assert not planned.has_sandbox
    assert problem in planned.problem


def test_without_the_program_that_drops_privileges_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    planned = plan_sandbox("nobody", "/bin/sh", tmp_path, is_root=True)
    assert "setpriv" in planned.problem
    assert "install util-linux" in planned.problem


def test_a_browser_the_user_cant_pass_to_is_named(tmp_path: Path) -> None:
    planned = plan_sandbox("nobody", str(tmp_path / "chromium"), tmp_path, is_root=True)
    assert not planned.has_sandbox
    assert planned.problem


@pytest.mark.parametrize(
    ("message", "is_failure"),
    [
        ("FATAL:zygote_host_impl_linux.cc(128)] No usable sandbox! If you", True),
        ("Chromium sandboxing failed!", True),
        ("error while loading shared libraries: libnss3.so", False),
    ],
)
def test_a_failure_of_the_sandbox_is_told_from_others(message: str, is_failure: bool) -> None:
    assert is_sandbox_failure(message) is is_failure


def test_the_setting_that_bars_namespaces_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    setting = tmp_path / "max_user_namespaces"
    monkeypatch.setattr(sandbox, "_NAMESPACE_LIMITS", ((str(setting), "0", "it is 0; raise it"),))
    assert "CLONE_NEWUSER" in explain_missing_namespaces()
    setting.write_text("0\n")
    assert explain_missing_namespaces() == "Chromium's sandbox can't work here: it is 0; raise it"


def test_the_launcher_quotes_what_it_runs(tmp_path: Path) -> None:
    launch = Launch("/opt/a browser/chrome", BrowserUser("someone", 1234, 5678), 2 << 30)
    script = write_launcher(tmp_path, launch, tmp_path / "its home")
    text = Path(script).read_text()
    assert "'/opt/a browser/chrome' \"$@\"" in text
    assert "chown 1234:5678" in text
    assert Path(script).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("asked_bytes", "given_bytes"), [(2 << 30, 2 << 30), (1000, LEAST_PROCESS_BYTES)])
def test_the_launcher_limits_the_memory_of_each_process(asked_bytes: int, given_bytes: int, tmp_path: Path) -> None:
    script = write_launcher(tmp_path, Launch("/bin/sh", None, asked_bytes), tmp_path)
    ran = subprocess.run([script, "-c", "ulimit -d"], capture_output=True, text=True, check=True)
    assert int(ran.stdout) * 1024 == given_bytes


def test_a_browsers_environment_holds_what_it_needs_alone(tmp_path: Path) -> None:
    own = {"PATH": "/bin", "REDIS_PASSWORD": "secret", "HOME": "/root", "XDG_CONFIG_HOME": "/root/.config"}
    given = browser_environment(own, tmp_path / "home", tmp_path / "tmp")
    assert given == {"PATH": "/bin", "HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path / "tmp")}

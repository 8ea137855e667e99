from pathlib import Path

import pytest

from captchad import __version__
from captchad.deployment.systemd.installation import _pip_arguments
from captchad.deployment.systemd.origins import MARK, Origin, describe_release, name_release, of_next, of_wheels
from captchad.domain.errors import DeploymentFailed

WHEEL = "captchad-9.0.0-py3-none-any.whl"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    folder = tmp_path / "0.2.0"
    folder.mkdir()
    (folder / MARK).write_text("abc\n")
    return folder


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / WHEEL
    path.write_bytes(b"content")
    return path


def test_a_release_is_called_by_its_version_and_another_of_the_same_version_by_its_digest_too() -> None:
    assert name_release("0.2.0", "a" * 16, {}) == "0.2.0"
    assert name_release("0.2.0", "a" * 16, {"0.2.0": "a" * 16}) == "0.2.0"
    assert name_release("0.2.0", "a" * 16, {"0.2.0": "b" * 16}) == "0.2.0-aaaaaaaa"


def test_the_environment_that_runs_this_is_described_by_its_version() -> None:
    assert describe_release(None, {}).name == __version__


def test_a_wheel_is_the_same_release_until_it_or_its_base_differs(base: Path, wheel: Path) -> None:
    first = describe_release(of_next(str(wheel), base), {})
    assert first.name == "9.0.0"
    assert describe_release(of_next(str(wheel), base), {}) == first
    wheel.write_bytes(b"other")
    second = describe_release(of_next(str(wheel), base), {"9.0.0": first.digest})
    assert second.name == f"9.0.0-{second.digest[:8]}"
    (base / MARK).write_text("def\n")
    assert describe_release(of_next(str(wheel), base), {}).digest not in {first.digest, second.digest}


def test_a_version_is_asked_of_pips_index_and_a_wheel_of_its_folder_alone(base: Path, wheel: Path) -> None:
    of_index = _pip_arguments(Path("python"), of_next("9.0.0", base))
    assert "--no-index" not in of_index
    assert of_index[-1] == "captchad[worker,embedded]==9.0.0"
    of_folder = _pip_arguments(Path("python"), of_next(str(wheel), base))
    assert {"--no-index", f"--find-links={wheel.parent}"} <= {*of_folder}
    assert of_folder[-1] == f"{wheel}[worker,embedded]"


def test_a_folder_has_one_wheel_of_captchads(tmp_path: Path, wheel: Path) -> None:
    assert of_wheels(tmp_path) == Origin(str(wheel), tmp_path)
    (tmp_path / "captchad-9.1.0-py3-none-any.whl").touch()
    with pytest.raises(DeploymentFailed, match="has 2 wheels of captchad"):
        of_wheels(tmp_path)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("absent.whl", "absent.whl is not there"),
        ("latest", "'latest' is neither a version nor a wheel"),
        ("--index-url=x", "neither a version nor a wheel"),
    ],
)
def test_what_is_no_release_is_refused(base: Path, asked: str, message: str) -> None:
    with pytest.raises(DeploymentFailed, match=message):
        of_next(asked, base)


def test_a_wheel_of_something_else_is_refused(base: Path, tmp_path: Path) -> None:
    other = tmp_path / "click-8.0-py3-none-any.whl"
    other.touch()
    with pytest.raises(DeploymentFailed, match="is no wheel of captchad's"):
        describe_release(of_next(str(other), base), {})

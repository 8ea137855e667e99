import os
from pathlib import Path

import pytest

from captchad.deployment.ownership import handed_over

NOBODY = 65534
OWNERS = [0, NOBODY] if os.geteuid() == 0 else [os.geteuid()]


@pytest.mark.parametrize("owner", OWNERS)
def test_what_is_made_below_a_state_folder_belongs_to_its_owner(tmp_path: Path, owner: int) -> None:
    real, state, elsewhere = tmp_path / "private", tmp_path / "state", tmp_path / "elsewhere"
    real.mkdir()
    os.chown(real, owner, -1)
    # As systemd has it where the user is a dynamic one.
    state.symlink_to(real)
    elsewhere.write_text("of somebody else")
    with handed_over(state):
        (state / "labels/a.example.com").mkdir(parents=True)
        (state / "labels/a.example.com/one.label").write_text("picture")
        (state / "link").symlink_to(elsewhere)
    made = [state / "labels", state / "labels/a.example.com", state / "labels/a.example.com/one.label", state / "link"]
    assert {path.lstat().st_uid for path in made} == {owner}
    assert elsewhere.stat().st_uid == os.geteuid()


@pytest.mark.parametrize("owner", OWNERS)
def test_what_was_made_before_an_interruption_does_too(tmp_path: Path, owner: int) -> None:
    os.chown(tmp_path, owner, -1)

    def make() -> None:
        with handed_over(tmp_path):
            (tmp_path / "one").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make()
    assert (tmp_path / "one").stat().st_uid == owner


def test_a_folder_that_was_not_made_is_no_failure(tmp_path: Path) -> None:
    with handed_over(tmp_path / "none"):
        pass

from pathlib import Path

from captchad.deployment.private_fleet import make_private_environment


def test_environment_that_means_another_fleet_is_left_out(tmp_path: Path) -> None:
    given = {"REDIS_URL": "x", "CAPTCHAD_SECURITY__TARGETS": "x", "ENVIRONMENT": "prod", "PATH": "/bin", "HOME": "/h"}
    assert make_private_environment(given, tmp_path) == {
        "PATH": "/bin",
        "HOME": "/h",
        "CAPTCHAD_STATE_DIRECTORY": str(tmp_path / "state"),
    }

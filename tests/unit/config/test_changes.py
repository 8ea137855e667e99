from captchad.config.changes import RELOADABLE, changed_settings
from captchad.config.setting_names import find_setting
from captchad.config.settings import Configuration


def test_equal_configurations_have_no_changes() -> None:
    changes = changed_settings(Configuration(), Configuration())
    assert (changes.reloadable, changes.need_restart) == ((), ())


def test_changes_are_told_apart_by_what_they_take() -> None:
    new = Configuration.model_validate(
        {
            "security": {
                "targets": [{"host": "localhost"}],
                "rate_limiting": {"enabled": True},
                "allowed_origins": ["*"],
            },
            "gateway": {"rate_limit": {"burst_size": 5}, "queue_limit": 7},
            "logging": {"level": "debug", "format": "json"},
            "redis": {"master": {"host": "elsewhere"}},
        }
    )
    changes = changed_settings(Configuration(), new)
    assert changes.reloadable == (
        "gateway.queue_limit",
        "gateway.rate_limit.burst_size",
        "logging.level",
        "security.rate_limiting.enabled",
        "security.targets",
    )
    assert "redis.master.host" in changes.need_restart
    assert {"logging.format", "security.allowed_origins"} <= set(changes.need_restart)


def test_every_reloadable_setting_exists() -> None:
    assert all(find_setting(path) for path in RELOADABLE)

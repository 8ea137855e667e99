from captchad.config.changes import RELOADABLE, changed_settings, describe_changes, take_over_reloadable
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


MIXED = Configuration.model_validate(
    {
        "security": {"targets": [{"host": "localhost"}], "api_key_required": True, "session_key": "k" * 32},
        "gateway": {"rate_limit": {"burst_size": 5}, "queue_limit": 7, "processes": 2},
        "recognition": {"models": {"localhost": "m.onnx"}, "collect_labels": True},
        "logging": {"level": "debug", "format": "json"},
    }
)


def test_what_is_in_force_after_a_reload_is_the_old_with_what_can_be_taken_over() -> None:
    old = Configuration()
    in_force = take_over_reloadable(old, MIXED)
    remaining = changed_settings(in_force, MIXED)
    assert remaining.reloadable == ()
    assert remaining.need_restart == changed_settings(old, MIXED).need_restart
    assert changed_settings(old, in_force).need_restart == ()
    assert (in_force.logging.level, in_force.logging.format) == ("debug", "auto")
    assert in_force.security.targets == MIXED.security.targets
    assert not in_force.security.api_key_required


def test_a_reload_is_described_truly_however_often_it_is_repeated() -> None:
    old = Configuration()
    first = describe_changes(old, MIXED)
    assert 'logging.level is now "debug"' in first.taken_over
    assert "gateway.queue_limit is now 7" in first.taken_over
    assert "security.targets has changed" in first.taken_over
    restarting = "stays in force until this role is restarted"
    assert f'logging.format is "json" in the configuration, but "auto" {restarting}' in first.waiting
    assert f"security.api_key_required is true in the configuration, but false {restarting}" in first.waiting
    assert not any("k" * 32 in line for line in first.waiting)
    again = describe_changes(take_over_reloadable(old, MIXED), MIXED)
    assert again.taken_over == "nothing that a reload takes over has changed"
    assert again.waiting == first.waiting
    assert describe_changes(old, old).taken_over == "nothing has changed"


def test_a_secret_that_changed_is_named_without_its_value() -> None:
    with_keys = [Configuration.model_validate({"security": {"session_key": key * 32}}) for key in "ab"]
    (line,) = describe_changes(*with_keys).waiting
    expected = "has changed, but its old value stays in force until this role is restarted"
    assert line == f"security.session_key {expected}"


def test_every_reloadable_setting_exists() -> None:
    assert all(find_setting(path) for path in RELOADABLE)

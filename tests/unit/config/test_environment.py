import pytest

from tests.unit.config.conftest import FindProblems, Load


def test_the_specifications_variables_set_their_settings(load: Load) -> None:
    environment = {
        "REDIS_URL": "redis://redis-master:6379/0",
        "REDIS_TLS_ENABLED": "true",
        "SELENIUM_HUB_URL": "http://hub:4444",
        "WORKER_NODES_COUNT": "4",
        "DEPLOYMENT_MODE": "multi",
        "ENVIRONMENT": "prod",
    }
    configuration = load({}, environment).configuration
    assert configuration.redis.url is not None
    assert configuration.redis.url.get_secret_value() == "redis://redis-master:6379/0"
    assert configuration.redis.tls.enabled
    assert configuration.selenium.hub_url == "http://hub:4444"
    assert configuration.worker_nodes_count == 4
    assert (configuration.deployment_mode, configuration.environment) == ("multi", "prod")


def test_an_empty_variable_of_the_specification_counts_as_unset(load: Load) -> None:
    assert load({}, {"REDIS_URL": "", "WORKER_NODES_COUNT": ""}).configuration.redis.url is None


@pytest.mark.parametrize("text", ["true", "1", "yes", "On"])
def test_a_switch_is_on_by_the_usual_words(load: Load, text: str) -> None:
    assert load({}, {"REDIS_TLS_ENABLED": text}).configuration.redis.tls.enabled


def test_any_key_can_be_set_with_a_json_value(load: Load) -> None:
    environment = {
        "CAPTCHAD_GATEWAY__RATE_LIMIT__ENABLED": "false",
        "CAPTCHAD_SECURITY__ALLOWED_ORIGINS": '["https://a.example"]',
        "CAPTCHAD_SECURITY__TARGETS": '[{"host": "localhost"}]',
        "CAPTCHAD_RECOGNITION__MODELS": '{"a.example.com": "m"}',
        "CAPTCHAD_LOGGING__LEVEL": "debug",
        "CAPTCHAD_WORKER_NODES_COUNT": "7",
    }
    configuration = load({}, environment).configuration
    assert not configuration.gateway.rate_limit.enabled
    assert configuration.security.allowed_origins == ("https://a.example",)
    assert configuration.security.targets[0].host == "localhost"
    assert configuration.recognition.models == {"a.example.com": "m"}
    assert configuration.logging.level == "debug"
    assert configuration.worker_nodes_count == 7


@pytest.mark.parametrize("text", ["12345", "true", "null", '"12345"'])
def test_a_password_may_look_like_any_json(load: Load, text: str) -> None:
    master = load({}, {"CAPTCHAD_REDIS__MASTER__PASSWORD": text}).configuration.redis.master
    assert master is not None
    assert master.password.get_secret_value() == text.strip('"')


def test_our_variable_wins_over_the_specifications(load: Load) -> None:
    environment = {"CAPTCHAD_WORKER_NODES_COUNT": "3", "WORKER_NODES_COUNT": "5"}
    assert load({}, environment).configuration.worker_nodes_count == 3


def test_null_takes_a_setting_of_the_file_away(load: Load) -> None:
    file = {"redis": {"sentinel": {"hosts": ["a:1"]}}}
    assert load(file, {"CAPTCHAD_REDIS__SENTINEL": "null"}).configuration.redis.sentinel is None


def test_an_unknown_variable_of_ours_is_an_error_with_its_neighbour(find_problems: FindProblems) -> None:
    problem = find_problems({}, {"CAPTCHAD_WORKER__TASK_TIMOUT": "5"})["worker.task_timout"]
    assert problem.message == "unknown key; the nearest known one is worker.task_timeout"
    assert problem.source == "environment variable CAPTCHAD_WORKER__TASK_TIMOUT"


def test_one_underscore_too_few_is_warned_of(load: Load) -> None:
    (warning,) = load({}, {"CAPTCHAD_WORKER_TASK_TIMEOUT": "5"}).warnings
    assert warning.message == "CAPTCHAD_WORKER_TASK_TIMEOUT sets nothing; write CAPTCHAD_WORKER__TASK_TIMEOUT"


def test_variables_that_are_no_settings_are_left_alone(load: Load) -> None:
    environment = {"CAPTCHAD_GATEWAY_URL": "x", "CAPTCHAD_API_KEY": "y", "CAPTCHAD_STATE_DIRECTORY": "z", "HOME": "/"}
    assert load({}, environment).warnings == ()


@pytest.mark.parametrize(
    ("file_url", "variable_url", "expected"),
    [
        (None, "redis://h:1/0", "redis://:p%40ss@h:1/0"),
        (None, "redis://user@h:1/0", "redis://user:p%40ss@h:1/0"),
        (None, "redis://:own@h:1/0", "redis://:own@h:1/0"),
        ("redis://:old@h:1/0", None, "redis://:p%40ss@h:1/0"),
    ],
)
def test_the_redis_password_goes_into_the_url_that_is_used(
    load: Load, file_url: str | None, variable_url: str | None, expected: str
) -> None:
    environment = {"REDIS_PASSWORD": "p@ss"} | ({"REDIS_URL": variable_url} if variable_url else {})
    redis = load({"redis": {"url": file_url}}, environment).configuration.redis
    assert redis.url is not None
    assert redis.url.get_secret_value() == expected


def test_without_a_url_the_redis_password_is_the_masters(load: Load) -> None:
    file = {"redis": {"master": {"host": "h", "password": "old"}}}
    master = load(file, {"REDIS_PASSWORD": "new"}).configuration.redis.master
    assert master is not None
    assert (master.host, master.password.get_secret_value()) == ("h", "new")

import json
import re
from datetime import date
from pathlib import Path
from typing import get_origin

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from captchad.config.layers import Source
from captchad.config.loader import load_configuration
from captchad.config.section import Section
from captchad.config.setting_names import section_of
from captchad.config.settings import Configuration
from captchad.domain.errors import ConfigurationError, ConfigurationProblem
from tests.unit.config import specified_files
from tests.unit.config.conftest import FindProblems, Load


def test_the_specifications_file_loads_unchanged(load: Load) -> None:
    loaded = load(specified_files.DISTRIBUTED)
    redis = loaded.configuration.redis
    assert redis.master is not None
    assert redis.sentinel is not None
    assert redis.master.host == "redis-master"
    assert redis.sentinel.hosts == ("redis-sentinel:26379",)
    assert loaded.configuration.selenium.hub_url == "http://selenium-hub:4444"
    assert loaded.warnings == ()


@pytest.mark.parametrize("text", [specified_files.CONCURRENCY, specified_files.CACHE, specified_files.ACCESS])
def test_the_specifications_fragments_load_unchanged(load: Load, text: str) -> None:
    assert load(text).warnings == ()


def test_what_the_fragments_set_is_in_force(load: Load) -> None:
    security = load(specified_files.ACCESS).configuration.security
    assert security.api_key_required
    assert security.rate_limiting.enabled
    assert security.allowed_origins == ("https://yourdomain.com",)


def test_an_empty_file_gives_the_defaults(load: Load) -> None:
    assert load({}).configuration == Configuration()


def test_without_any_file_the_defaults_are_in_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    loaded = load_configuration(None, {})
    assert loaded.path is None
    assert loaded.configuration == Configuration()


def test_a_flag_wins_over_the_environment_and_that_over_the_file(load: Load) -> None:
    file = {"worker": {"task_timeout": 10, "batch_size": 2, "max_retry_attempts": 1}}
    environment = {"CAPTCHAD_WORKER__TASK_TIMEOUT": "20", "CAPTCHAD_WORKER__BATCH_SIZE": "4"}
    loaded = load(file, environment, {"worker.task_timeout": 30, "worker.drain_seconds": None})
    worker = loaded.configuration.worker
    assert (worker.task_timeout, worker.batch_size, worker.max_retry_attempts) == (30, 4, 1)
    assert loaded.sources["worker.task_timeout"] is Source.FLAG
    assert loaded.sources["worker.batch_size"] is Source.ENVIRONMENT
    assert loaded.sources["worker.max_retry_attempts"] is Source.FILE
    assert loaded.sources["worker.drain_seconds"] is Source.DEFAULT


def test_the_named_file_wins_over_the_variable_and_that_over_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, batch_size in (("named", 1), ("variable", 2), ("config/distributed", 3)):
        file = tmp_path / f"{name}.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps({"worker": {"batch_size": batch_size}}))
    monkeypatch.chdir(tmp_path)
    environment = {"DISTRIBUTED_CONFIG_PATH": "variable.json"}
    found = [
        load_configuration(path, variables).configuration.worker.batch_size
        for path, variables in (("named.json", environment), (None, environment), (None, {}))
    ]
    assert found == [1, 2, 3]


def test_a_named_file_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="can't be read: no such file") as refused:
        load_configuration(str(tmp_path / "missing.json"), {})
    assert refused.value.problems[0].source.endswith("missing.json")


def test_every_error_of_file_environment_and_targets_comes_at_once(find_problems: FindProblems) -> None:
    found = find_problems(
        {
            "worker": {"task_timeout": "soon", "task_timout": 3},
            "redis": {"url": "http://example.com"},
            "security": {"targets": [{"host": "*"}, {"host": "a.example.com", "prots": [1]}]},
        },
        {"WORKER_NODES_COUNT": "many"},
    )
    assert {
        "worker.task_timeout",
        "worker.task_timout",
        "redis.url",
        "security.targets[0].host",
        "security.targets[0].owner",
        "security.targets[1].prots",
        "worker_nodes_count",
    } <= found.keys()
    assert found["worker_nodes_count"].source == "environment variable WORKER_NODES_COUNT"
    assert found["worker.task_timeout"].source.endswith("distributed.json")


def test_a_list_with_elements_is_not_called_too_short(find_problems: FindProblems) -> None:
    found = find_problems({"security": {"targets": [{"host": "localhost", "ports": [0, 70000]}]}})
    assert found.keys() == {"security.targets[0].ports[0]", "security.targets[0].ports[1]"}


@pytest.mark.parametrize(
    ("tree", "path", "nearest"),
    [
        ({"worker": {"task_timout": 1}}, "worker.task_timout", "worker.task_timeout"),
        ({"wroker": {}}, "wroker", "worker"),
        ({"scheduler": {"task_timeout": 1}}, "scheduler.task_timeout", "worker.task_timeout"),
        ({"worker.task_timeout": 1}, "worker.task_timeout", "worker.task_timeout"),
        ({"redis": {"tls": {"enable": True}}}, "redis.tls.enable", "redis.tls.enabled"),
        (
            {"security": {"targets": [{"host": "localhost", "max_per_minut": 1}]}},
            "security.targets[0].max_per_minut",
            "security.targets[0].max_per_minute",
        ),
        (
            {"security": {"targets": [{"host": "localhost", "port": 80}]}},
            "security.targets[0].port",
            "security.targets[0].ports",
        ),
    ],
)
def test_an_unknown_key_is_named_with_its_nearest_neighbour(
    find_problems: FindProblems, tree: object, path: str, nearest: str
) -> None:
    assert find_problems(tree)[path].message == f"unknown key; the nearest known one is {nearest}"


@pytest.mark.parametrize(
    ("tree", "path", "message"),
    [
        ({"worker": {"task_timeout": "120"}}, "worker.task_timeout", 'must be a number, not "120"'),
        ({"worker": {"task_timeout": 0}}, "worker.task_timeout", "must be at least 1, not 0"),
        ({"worker": {"task_timeout": 601}}, "worker.task_timeout", "must be at most 600, not 601"),
        ({"redis": {"task_result_ttl": 2**63 - 1}}, "redis.task_result_ttl", "must be at most 315360000, not 9223"),
        ({"redis": {"max_connections": 10**30}}, "redis.max_connections", "must be at most 1000000000, not 1000"),
        ({"worker": {"drain_seconds": 1e300}}, "worker.drain_seconds", "must be at most 315360000, not 1e+300"),
        ({"worker": {"batch_size": 1.5}}, "worker.batch_size", "must be a whole number, not 1.5"),
        ({"worker": {"batch_size": True}}, "worker.batch_size", "must be a whole number, not true"),
        ({"worker": {"drain_seconds": {}}}, "worker.drain_seconds", "must be a number, not an object"),
        ({"worker": []}, "worker", "must be an object { … }, not a list"),
        ({"worker": None}, "worker", "must be an object { … }, not null"),
        ({"redis": {"sentinel": {}}}, "redis.sentinel.hosts", "is required"),
        ({"redis": {"sentinel": {"hosts": []}}}, "redis.sentinel.hosts", "must have at least 1 element(s)"),
        ({"redis": {"sentinel": {"hosts": ["a:b"]}}}, "redis.sentinel.hosts[0]", "must be HOST:PORT, not 'a:b'"),
        ({"redis": {"master": {"password": 5}}}, "redis.master.password", "must be text in quotes"),
        ({"security": {"api_key_required": 1}}, "security.api_key_required", "must be true or false, not 1"),
        ({"environment": "production"}, "environment", "must be one of 'dev' or 'prod', not \"production\""),
        (
            {"security": {"allowed_origins": ["https://a.example/x"]}},
            "security.allowed_origins[0]",
            "must be scheme, host and port alone, not 'https://a.example/x'",
        ),
        (
            {"gateway": {"trusted_proxies": ["proxy"]}},
            "gateway.trusted_proxies[0]",
            "must be an address or a network such as 10.0.0.0/8, not 'proxy'",
        ),
        ({"browser": {"proxy_host": "abc"}}, "browser.proxy_host", "must be an IP address, not 'abc'"),
        (
            {"browser": {"proxy_advertised_host": "http://a"}},
            "browser.proxy_advertised_host",
            "'http://a' is not a valid host name",
        ),
        ({"redis": {"master": {"host": "a:6379"}}}, "redis.master.host", "'a:6379' is not a valid host name"),
        (
            {"security": {"targets": [{"host": "localhost", "expires": "soon"}]}},
            "security.targets[0].expires",
            'must be a date such as 2027-01-31, not "soon"',
        ),
    ],
)
def test_a_wrong_value_is_explained_in_plain_english(
    find_problems: FindProblems, tree: object, path: str, message: str
) -> None:
    assert find_problems(tree)[path].message.startswith(message)


NUMBERS = [
    (section, name)
    for section in Section.__subclasses__()
    for name, field in section.model_fields.items()
    if section_of(field.annotation) is None and re.search(r"\b(int|float)\b", str(field.annotation))
]


@pytest.mark.parametrize(("section", "name"), NUMBERS)
def test_every_number_has_an_upper_bound(section: type[Section], name: str) -> None:
    is_list = get_origin(section.model_fields[name].annotation) is tuple
    with pytest.raises(ValidationError) as refused:
        section.model_validate({name: (10**30,) if is_list else 10**30})
    assert "less_than_equal" in {error["type"] for error in refused.value.errors() if error["loc"][0] == name}


def test_a_secret_is_never_part_of_a_message(find_problems: FindProblems) -> None:
    tree = {"redis": {"master": {"password": 1234567}, "url": "hunter2"}, "security": {"callback_secret": 7654321}}
    told = str(find_problems(tree))
    assert "redis.master.password" in told
    assert not any(secret in told for secret in ("1234567", "hunter2", "7654321"))


def test_a_long_deadline_is_doubted_but_allowed(load: Load) -> None:
    (doubt,) = load({"worker": {"task_timeout": 60, "task_deadline_seconds": 30}}).warnings
    assert doubt.path == "worker.task_timeout"


def test_hosts_of_targets_are_normalised(load: Load) -> None:
    target = {"host": "BÜCHER.Example.", "owner": "o", "reference": "r", "expires": "2027-01-01"}
    (section,) = load({"security": {"targets": [target]}}).configuration.security.targets
    assert section.host == "xn--bcher-kva.example"
    assert section.expires == date(2027, 1, 1)


KEYS = st.sampled_from(
    [
        *Configuration.model_fields,
        "master",
        "sentinel",
        "hosts",
        "targets",
        "host",
        "url",
        "rate_limit",
        "tls",
        "enabled",
    ]
) | st.text(max_size=5)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def refused_problems(load: Load, content: object) -> tuple[ConfigurationProblem, ...] | None:
    """Return the problems of a content, or None where it is loaded."""
    try:
        load(content)
    except ConfigurationError as error:
        return error.problems
    return None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.dictionaries(KEYS, JSON_VALUES, max_size=4) | st.text(max_size=60))
def test_any_content_is_loaded_or_refused_with_problems(load: Load, content: object) -> None:
    problems = refused_problems(load, content)
    assert problems is None or (problems and all(problem.message for problem in problems))

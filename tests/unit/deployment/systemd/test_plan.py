"""The plan of a deployment, against a model of a host: broken anywhere, the next one completes it."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.deployment.systemd import layout
from captchad.deployment.systemd.configuration_files import read_request
from captchad.deployment.systemd.plan import plan_deploy, plan_undeploy
from captchad.deployment.systemd.steps import (
    Enable,
    Reload,
    RemoveAllBut,
    RemovePath,
    Restart,
    Start,
    Stop,
    WaitHealthy,
    WriteFile,
)
from captchad.deployment.systemd.unit_files import list_services, list_sockets
from captchad.deployment.systemd.wanted import Found, FoundFile, Release, Secrets, Wanted
from captchad.domain.errors import DeploymentFailed
from captchad.domain.node import Role
from tests.unit.deployment.systemd.host_model import (
    CERTIFICATES,
    FRESH,
    JOINING,
    LISTENING,
    Host,
    changing,
    deploy,
    want,
)

wants = st.builds(
    want,
    environment=st.sampled_from(["dev", "prod"]),
    workers=st.integers(1, 5),
    browser_nodes=st.integers(0, 3),
    has_own_redis=st.booleans(),
    release=st.builds(Release, st.sampled_from(["0.2.0", "0.3.0"]), st.sampled_from(["a", "b"]), st.just("/bin/redis")),
    roles=st.sampled_from([tuple(Role), (Role.WORKER,), (Role.GATEWAY, Role.SCHEDULER)]),
    listening=st.sampled_from([None, LISTENING, replace(LISTENING, address="10.0.0.6")]),
)


configurations = st.sampled_from(
    [
        {},
        {"security": {"targets": [{"host": "localhost"}]}, "logging": {"level": "debug"}},
        {"security": {"targets": []}, "worker": {"minimum_confidence": 0.5}},
        {"security": {"api_key_required": True}, "worker": {"task_timeout": 9, "minimum_confidence": 0.5}},
        {"browser": {"reuse": 9}, "worker_nodes_count": 7},
    ]
)


def configure(host: Host, tree: dict[str, object]) -> None:
    host.files[layout.CONFIGURATION] = FoundFile(json.dumps(tree), 0o644)


@given(before=configurations, tried=configurations, nodes=st.integers(0, 1), data=st.data())
def test_a_configuration_that_was_half_taken_over_and_then_undone_is_that_of_nobody(
    before: dict[str, object], tried: dict[str, object], nodes: int, data: st.DataObject
) -> None:
    host, wanted = Host(), want(browser_nodes=nodes)
    configure(host, before)
    deploy(host, wanted)
    configure(host, tried)
    steps = plan_deploy(wanted, host.look())
    host.apply(steps[: data.draw(st.integers(0, len(steps)))])
    configure(host, before)
    deploy(host, wanted)
    assert all(host.started_with[unit] == host.inputs(unit) for unit in host.active - {layout.TARGET})
    assert changing(plan_deploy(wanted, host.look())) == []


def test_what_a_reload_takes_over_restarts_nobody() -> None:
    host, wanted = Host(), want(browser_nodes=1)
    configure(host, {"security": {"api_key_required": True}})
    deploy(host, wanted)
    configure(host, {"security": {"api_key_required": True, "targets": [{"host": "localhost"}]}})
    runs = [step for step in deploy(host, wanted) if isinstance(step, (Start, Stop, Restart, Reload))]
    roles = [unit for unit in list_services(wanted) if "redis" not in unit and "browser" not in unit]
    assert runs == list(map(Reload, roles))
    # What the deployment decides itself, comments and order say nothing new.
    host.files[layout.CONFIGURATION] = FoundFile(
        '{"worker_nodes_count": 7, // mine\n'
        ' "security": {"targets": [{"host": "localhost"}], "api_key_required": true}}',
        0o644,
    )
    assert changing(plan_deploy(wanted, host.look())) == []


@given(before=wants, wanted=wants, data=st.data())
def test_a_deploy_broken_anywhere_is_completed_by_the_next(before: Wanted, wanted: Wanted, data: st.DataObject) -> None:
    whole, broken = Host(), Host()
    for host in (whole, broken):
        deploy(host, before)
    steps = plan_deploy(wanted, whole.look())
    whole.apply(steps)
    broken.apply(steps[: data.draw(st.integers(0, len(steps)))])
    deploy(broken, wanted)
    assert broken == whole
    assert changing(plan_deploy(wanted, broken.look())) == []


@given(before=wants, wanted=wants)
def test_what_runs_is_what_is_wanted_and_was_started_with_what_is_there(before: Wanted, wanted: Wanted) -> None:
    host = Host()
    deploy(host, before)
    deploy(host, wanted)
    assert host.active == host.enabled == {*list_services(wanted), *list_sockets(wanted), layout.TARGET}
    assert all(host.started_with[unit] == host.inputs(unit) for unit in host.active - {layout.TARGET})


def test_more_workers_restart_none_that_are_there() -> None:
    host = Host()
    deploy(host, want(workers=2))
    steps = deploy(host, want(workers=4))
    assert [step for step in steps if isinstance(step, Start)] == [
        Start((layout.worker_unit(number),)) for number in (3, 4)
    ]
    assert [step for step in steps if isinstance(step, Restart)] == [Restart("captchad-monitor.service")]


def test_fewer_workers_stop_the_last_ones() -> None:
    host = Host()
    deploy(host, want(workers=4))
    steps = deploy(host, want(workers=2))
    assert Stop((layout.worker_unit(3), layout.worker_unit(4))) in steps


def test_browser_nodes_start_before_the_workers_are_pointed_at_them() -> None:
    host = Host()
    deploy(host, want())
    steps = deploy(host, want(browser_nodes=2))
    runs = [step for step in steps if isinstance(step, (Start, Restart))]
    assert runs == [
        Start(("captchad-browser@3000.service",)),
        Start(("captchad-browser@3001.service",)),
        Restart(layout.worker_unit(1)),
        Restart(layout.worker_unit(2)),
    ]
    text = host.files[layout.SECRETS].text
    assert text is not None
    assert f"ws://127.0.0.1:3001/{FRESH.node_secret}" in text
    # systemd waits for them, although nothing here does.
    drop_in = host.files[layout.drop_in_path(layout.WORKER_TEMPLATE)].text
    assert drop_in is not None
    assert "[Unit]\nAfter=captchad-browser@3000.service captchad-browser@3001.service\n[Service]\n" in drop_in


def test_the_workers_drain_before_a_browser_node_restarts() -> None:
    host = Host()
    deploy(host, want(workers=11, browser_nodes=2))
    new = Release("0.3.0", "new", "/usr/bin/redis-server")
    steps = deploy(host, want(workers=11, browser_nodes=2, release=new))
    runs = [step for step in steps if isinstance(step, (Start, Restart, Stop, WaitHealthy))]
    nodes, workers = tuple(map(layout.browser_unit, (1, 2))), tuple(map(layout.worker_unit, range(1, 12)))
    until = runs.index(WaitHealthy(workers))
    assert runs[:until] == [Stop(tuple(sorted(workers))), *map(Restart, nodes), *(Start((unit,)) for unit in workers)]
    assert not [step for step in runs[until:] if isinstance(step, Stop)]


def test_browser_nodes_stop_only_when_no_worker_uses_them_any_more() -> None:
    host = Host()
    deploy(host, want(browser_nodes=1))
    steps = [step for step in deploy(host, want()) if isinstance(step, (Restart, Stop))]
    node = Stop((layout.browser_unit(1),))
    assert steps == [Restart(layout.worker_unit(1)), Restart(layout.worker_unit(2)), node]


def test_a_configuration_and_secrets_that_are_there_stay() -> None:
    host = Host()
    deploy(host, want())
    host.files[layout.CONFIGURATION] = FoundFile('{"environment": "prod"} // mine\n', 0o640)
    secrets = host.files[layout.SECRETS]
    deploy(host, want(fresh=Secrets("x", "j", "y", "z")))
    assert host.files[layout.CONFIGURATION] == FoundFile('{"environment": "prod"} // mine\n', 0o640)
    assert host.files[layout.SECRETS] == secrets


def test_a_changed_environment_file_restarts_the_roles_and_not_redis() -> None:
    host = Host()
    deploy(host, want())
    for text in ("REDIS_PASSWORD=one\n", "REDIS_PASSWORD=two\n"):
        host.files[layout.ENVIRONMENT_FILE] = FoundFile(text, 0o600)
        restarted = {step.unit for step in deploy(host, want()) if isinstance(step, Restart)}
        assert restarted == set(list_services(want())) - {layout.REDIS_UNIT}
    assert host.files[layout.ENVIRONMENT_FILE] == FoundFile("REDIS_PASSWORD=two\n", 0o600)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"workers": 2', "deployment.json is not valid JSON: Expecting"),
        ("", "deployment.json is empty: somebody's write of it was broken off"),
        ("[]", "must contain one JSON object"),
        ("[" * 100_000, "deployment.json is nested too deep"),
        ('{"workers": "many"}', 'workers can\'t be "many"'),
        ('{"workers": 0}', "workers can't be 0"),
        ('{"workers": true}', "workers can't be true"),
        ('{"roles": ["wurker"]}', r'roles can\'t be \["wurker"\]'),
        ('{"roles": [[]]}', "roles can't be"),
        ('{"environment": "staging"}', 'environment can\'t be "staging"'),
        ('{"environment": ["dev"]}', r'environment can\'t be \["dev"\]'),
        ('{"listen": "here"}', 'listen can\'t be "here"'),
        ('{"networks": ["10.0.0.0/99"]}', r'networks can\'t be \["10.0.0.0/99"\]'),
        (f'{{"workers": [{"1, " * 1000}1]}}', r"workers can't be .{1,80}; correct it"),
    ],
)
def test_a_request_that_nobody_can_have_made_is_refused_in_one_line(text: str, said: str) -> None:
    with pytest.raises(DeploymentFailed, match=said):
        read_request(Found({layout.DEPLOYMENT: FoundFile(text, 0o644)}))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"redis": {"url', r"secrets\.json is not valid JSON"),
        ("", r"secrets\.json is empty"),
        ('{"security": []}', r"secrets\.json: security must be a JSON object"),
    ],
)
def test_secrets_that_were_cut_off_are_not_replaced(text: str, said: str) -> None:
    host = Host()
    deploy(host, want())
    host.files[layout.SECRETS] = FoundFile(text, 0o600)
    with pytest.raises(DeploymentFailed, match=said):
        plan_deploy(want(), host.look())


def test_a_changed_configuration_restarts_the_roles_and_not_redis() -> None:
    host = Host()
    deploy(host, want())
    host.files[layout.CONFIGURATION] = FoundFile('{"worker": {"task_timeout": 9}}', 0o644)
    restarted = {step.unit for step in deploy(host, want()) if isinstance(step, Restart)}
    assert restarted == set(list_services(want())) - {layout.REDIS_UNIT}


def test_units_of_others_are_left_alone() -> None:
    host = Host(active={"captchad-backup.timer"}, enabled={"captchad-backup.timer"})
    deploy(host, want())
    assert "captchad-backup.timer" in host.active & host.enabled


def test_a_deploy_after_an_undeploy_enables_the_timers_that_were_enabled() -> None:
    timer = "captchad-backup.timer"
    host = Host()
    deploy(host, want())
    host.enabled.add(timer)
    host.active.add(timer)
    steps = plan_undeploy(host.look(), is_purged=False)
    for broken in range(len(steps) + 1):
        host.apply(plan_undeploy(host.look(), is_purged=False)[:broken])
    assert timer not in host.active | host.enabled
    steps = plan_deploy(want(), host.look())
    assert steps[-3:] == [Enable((timer,)), Start((timer,)), RemovePath(layout.TIMERS)]
    for broken in range(len(steps) + 1):
        host.apply(plan_deploy(want(), host.look())[:broken])
    assert timer in host.active & host.enabled
    # Whoever switches it off later has it off.
    host.enabled.discard(timer)
    assert changing(plan_deploy(want(), host.look())) == []


def test_a_purge_keeps_backups_where_it_is_to() -> None:
    host = Host()
    deploy(host, want())
    kept = plan_undeploy(host.look(), is_purged=True, keeps_backups=True)
    assert kept[-1] == RemoveAllBut(layout.STATE_FOLDERS[0], "backups")
    assert not {RemovePath(layout.STATE_LINKS[0]), RemovePath(layout.STATE_FOLDERS[0])} & {*kept}
    assert RemovePath(layout.STATE_FOLDERS[0]) in plan_undeploy(host.look(), is_purged=True)


def test_secrets_are_readable_by_their_owner_alone_and_marked() -> None:
    written = [step for step in plan_deploy(want(), Found()) if isinstance(step, WriteFile)]
    holding = [
        file for file in written if any(secret in file.text for secret in (FRESH.redis_password, FRESH.session_key))
    ]
    assert {file.path for file in holding} == {layout.SECRETS, layout.REDIS_CONFIGURATION}
    assert all(file.mode == 0o600 and file.is_secret for file in holding)


@pytest.mark.parametrize("is_purged", [False, True])
@given(wanted=wants, data=st.data())
def test_an_undeploy_broken_anywhere_is_completed_by_the_next(
    is_purged: bool, wanted: Wanted, data: st.DataObject
) -> None:
    host = Host()
    deploy(host, wanted)
    steps = plan_undeploy(host.look(), is_purged)
    host.apply(steps[: data.draw(st.integers(0, len(steps)))])
    host.apply(plan_undeploy(host.look(), is_purged))
    kept = set() if is_purged else {*layout.OWN_FILES}
    assert set(host.files) <= kept
    assert (host.links, host.installed, host.active, host.enabled) == ({}, {}, set(), set())
    assert not host.look().needs_reload


@pytest.mark.parametrize("has_own_redis", [True, False])
def test_the_nightly_backup_reaches_redis_as_the_roles_do(has_own_redis: bool) -> None:
    host = Host()
    deploy(host, want(has_own_redis=has_own_redis))
    drop_in = (host.files[layout.drop_in_path(layout.BACKUP_UNIT)].text or "").splitlines()
    assert f"LoadCredential=secrets.json:{layout.SECRETS}" in drop_in
    # Its own file allows this host alone; a Redis elsewhere must be reached too.
    assert ("IPAddressDeny=" in drop_in) is not has_own_redis
    assert {layout.unit_path(unit) for unit in layout.BACKUP_UNITS} <= host.files.keys()
    assert not {*layout.BACKUP_UNITS} & (host.active | host.enabled)


def text_of(host: Host, path: str) -> str:
    return host.files[path].text or ""


def test_a_redis_that_listens_does_so_by_tls_for_its_networks_alone_and_keeps_its_socket() -> None:
    host = Host()
    deploy(host, want(listening=LISTENING))
    configuration = dict(line.split(" ", 1) for line in text_of(host, layout.REDIS_CONFIGURATION).splitlines())
    assert configuration["port"] == "0"
    assert (configuration["bind"], configuration["tls-port"]) == ("10.0.0.5", "6379")
    assert configuration["unixsocket"] == layout.REDIS_SOCKET
    assert configuration["user"] == f"captchad on >{FRESH.joining_password} {LISTENING.rights}"
    drop_in = text_of(host, layout.drop_in_path(layout.REDIS_UNIT)).splitlines()
    assert "IPAddressDeny=any" in drop_in
    assert {"IPAddressAllow=localhost", "IPAddressAllow=10.0.0.0/24"} <= set(drop_in)
    assert f"LoadCredential=redis.key:{layout.REDIS_KEY}" in drop_in


def test_what_another_host_needs_is_in_one_file_with_its_own_password() -> None:
    host = Host()
    deploy(host, want(listening=LISTENING))
    tree = json.loads(text_of(host, layout.JOIN))
    assert tree == {
        "url": "rediss://captchad@10.0.0.5:6379",
        "password": FRESH.joining_password,
        "session_key": FRESH.session_key,
        "environment": "prod",
        "ca": CERTIFICATES.authority,
        "configuration": text_of(host, layout.CONFIGURATION),
    }
    # The password of the host's own roles may do everything there.
    assert FRESH.redis_password not in text_of(host, layout.JOIN)


def test_keys_and_passwords_of_a_redis_that_listens_are_for_root_alone() -> None:
    steps = plan_deploy(want(listening=LISTENING), Found())
    written = {step.path: step for step in steps if isinstance(step, WriteFile)}
    secret = {path for path, file in written.items() if file.is_secret and file.mode == 0o600}
    assert secret == {
        *(layout.SECRETS, layout.REDIS_CONFIGURATION, layout.OWN_AUTHORITY_KEY, layout.REDIS_KEY, layout.JOIN)
    }


def test_a_later_deploy_keeps_the_password_that_other_hosts_have() -> None:
    host = Host()
    deploy(host, want(listening=LISTENING))
    assert changing(deploy(host, want(listening=LISTENING, fresh=Secrets("x", "j", "y", "z")))) == []


def test_a_redis_that_begins_to_listen_is_restarted_before_the_roles_and_one_that_ends_to_as_well() -> None:
    host = Host()
    deploy(host, want())
    for listening in (LISTENING, None):
        restarts = [step for step in deploy(host, want(listening=listening)) if isinstance(step, Restart)]
        assert restarts == [Restart(layout.REDIS_UNIT)]


def test_another_certificate_restarts_redis_alone() -> None:
    host = Host()
    deploy(host, want(listening=LISTENING))
    renewed = replace(LISTENING, certificates=replace(CERTIFICATES, certificate="another"))
    restarts = [step for step in deploy(host, want(listening=renewed)) if isinstance(step, Restart)]
    assert restarts == [Restart(layout.REDIS_UNIT)]


def test_a_host_that_joins_runs_its_roles_alone_and_no_redis() -> None:
    host = Host()
    wanted = want(mode="multi", joining=JOINING, has_own_redis=False, roles=(Role.WORKER,))
    deploy(host, wanted)
    assert host.active == {layout.worker_unit(1), layout.worker_unit(2), layout.TARGET}
    secrets = json.loads(text_of(host, layout.SECRETS))
    assert secrets["redis"] == JOINING.redis
    assert secrets["security"]["session_key"] == JOINING.session_key
    assert text_of(host, layout.AUTHORITY) == "PEM"
    assert layout.REDIS_CONFIGURATION not in host.files
    # As a plain deploy, scale or upgrade has it later.
    assert changing(deploy(host, replace(wanted, joining=None))) == []


def test_a_deploy_is_noted_before_its_first_step_and_a_host_that_joins_gets_its_configuration_last() -> None:
    wanted = want(mode="multi", joining=JOINING, joins=True, has_own_redis=False, roles=(Role.WORKER,))
    steps = plan_deploy(wanted, Found())
    written = [step.path for step in steps if isinstance(step, WriteFile) and step.path in layout.OWN_FILES]
    assert written == [layout.DEPLOYMENT, layout.AUTHORITY, layout.SECRETS, layout.CONFIGURATION]
    assert isinstance(steps[0], WriteFile)
    assert json.loads(steps[0].text)["joins"] is True


def test_a_host_that_joins_begins_with_the_configuration_of_the_others_and_keeps_its_own() -> None:
    joining = replace(JOINING, configuration='{"environment": "prod"} // theirs\n')
    host = Host()
    deploy(host, want(joining=joining, has_own_redis=False))
    assert text_of(host, layout.CONFIGURATION) == joining.configuration
    mine = '{"environment": "prod"} // mine\n'
    host = Host({layout.CONFIGURATION: FoundFile(mine, 0o644)})
    deploy(host, want(joining=joining, has_own_redis=False))
    assert text_of(host, layout.CONFIGURATION) == mine


def test_units_of_roles_that_a_host_no_longer_runs_are_removed() -> None:
    host = Host()
    deploy(host, want())
    deploy(host, want(roles=(Role.WORKER,)))
    # captchad.target names it, and would start it at the next boot.
    assert layout.unit_path(layout.role_unit(Role.GATEWAY)) not in host.files
    assert layout.drop_in_path(layout.role_unit(Role.GATEWAY)) not in host.files
    assert not host.look().needs_reload

"""A host joins a real Redis that runs with what `deploy --listen` writes; what stands in the way is said before."""

import contextlib
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis

from captchad.broker.redis_keys import PartitionKeys
from captchad.deployment.systemd import host, layout
from captchad.deployment.systemd.certificates import keep_certificates
from captchad.deployment.systemd.plan import plan_deploy
from captchad.deployment.systemd.steps import WriteFile
from captchad.deployment.systemd.wanted import Found, Listening
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.ports import find_free_port
from tests.redis_versions import find_server
from tests.unit.deployment.systemd.host_model import want

ADDRESS = "127.0.0.1"
CHUNK_BYTES = 4096
OF_TWO_PARTITIONS = '{"environment": "prod", "redis": {"partitions": 2}, "security": {"api_key_required": true}}'


class ListeningHost:
    """The Redis of a host that listens, with the plan's files and our folder and port."""

    def __init__(self, folder: Path) -> None:
        self.port = find_free_port()
        certificates = keep_certificates({}, ADDRESS, "localhost", datetime.now(UTC))
        self.listening = Listening(ADDRESS, ("127.0.0.0/8",), certificates, host.shipped_rights())
        steps = plan_deploy(want(listening=self.listening), Found())
        texts = {step.path: step.text for step in steps if isinstance(step, WriteFile)}
        self.join = json.loads(texts[layout.JOIN])
        self.join["url"] = self.join["url"].replace(":6379", f":{self.port}")
        changes = {
            layout.REDIS_SOCKET: f"{folder}/redis.sock",
            "/var/lib/captchad-redis": str(folder),
            "tls-port 6379": f"tls-port {self.port}",
        }
        text = texts[layout.REDIS_CONFIGURATION]
        for before, after in changes.items():
            assert before in text
            text = text.replace(before, after)
        for name, content in (
            ("redis.conf", text),
            ("redis.crt", texts[layout.REDIS_CERTIFICATE]),
            ("redis.key", texts[layout.REDIS_KEY]),
        ):
            (folder / name).write_text(content)
        tls = [f"--tls-cert-file {folder}/redis.crt", f"--tls-key-file {folder}/redis.key"]
        words = " ".join(tls).split()
        with (folder / "redis.log").open("wb") as log:
            self.process = subprocess.Popen(
                [find_server("installed"), f"{folder}/redis.conf", *words], stdout=log, stderr=log
            )
        self._folder = folder

    def connect(self) -> "redis.Redis":
        login = {"username": "captchad", "password": self.join["password"]}
        return redis.Redis(host=ADDRESS, port=self.port, ssl=True, ssl_ca_certs=str(self.write_ca()), **login)

    def write_ca(self) -> Path:
        path = self._folder / "ca.crt"
        path.write_text(self.join["ca"])
        return path

    def write_join(self, **changes: str) -> Path:
        path = self._folder / "join.json"
        path.write_text(json.dumps(self.join | changes))
        return path

    def join_it(self, configuration: str = "", **changes: str) -> str:
        """Return what stands in the way of a host that joins."""
        command = [sys.executable, "-m", "tests.integration.cli.joining_host", str(self.write_join(**changes))]
        done = subprocess.run(
            [*command, configuration], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True
        )
        return done.stdout.removesuffix("\n")


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[ListeningHost]:
    """A running one."""
    running = ListeningHost(tmp_path)
    try:
        wait_until((tmp_path / "redis.sock").exists, "the Redis that listens")
        yield running
    finally:
        running.process.kill()
        running.process.wait()


def test_what_another_host_has_written_is_all_that_joining_needs(listening: ListeningHost) -> None:
    assert listening.join_it() == ""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"password": "wrong"}, "refuses the login"),
        ({"ca": "other"}, "is not by the authority that was given"),
        ({"ca": "none"}, "the authority (--ca) is no certificate in PEM"),
        ({"url": "rediss://captchad@no-such-host.invalid"}, "can't join, and nothing was changed: Redis at rediss"),
    ],
)
def test_what_stands_in_the_way_is_one_line(listening: ListeningHost, changes: dict[str, str], words: str) -> None:
    if changes.get("ca") == "other":
        other = keep_certificates({}, ADDRESS, "localhost", datetime.now(UTC))
        changes = {"ca": other.authority}
    said = listening.join_it(**changes)
    assert words in said
    assert "\n" not in said
    assert "wrong" not in said


def test_another_number_of_partitions_is_refused(listening: ListeningHost) -> None:
    with listening.connect() as client:
        # A queue alone does not tell: its partition may be one of few that have had a task.
        client.xadd(PartitionKeys(2).streams[1], {"n": "t"})
        client.xgroup_create(PartitionKeys(0).streams[0], "workers", "0", mkstream=True)
    assert listening.join_it() == ""
    assert "have redis.partitions 1, and /etc/captchad/distributed.json has 2 here" in listening.join_it(
        OF_TWO_PARTITIONS
    )


def test_without_a_file_all_is_asked_for_on_the_terminal(listening: ListeningHost) -> None:
    ca = listening.write_ca()
    child, terminal = pty.fork()
    if not child:
        os.execv(
            sys.executable, [sys.executable, "-m", "tests.integration.cli.joining_host", listening.join["url"], ""]
        )
    shown = b""
    try:
        for words, answer in (
            (b"Password of the Redis: ", listening.join["password"]),
            (b"of another host): ", listening.join["session_key"]),
            (b"system trusts): ", str(ca)),
        ):
            while words not in shown:
                shown += os.read(terminal, CHUNK_BYTES)
            os.write(terminal, f"{answer}\n".encode())
        with contextlib.suppress(OSError):
            while chunk := os.read(terminal, CHUNK_BYTES):
                shown += chunk
    finally:
        os.close(terminal)
        _, status = os.waitpid(child, 0)
    assert status == 0
    assert shown.decode().rstrip().endswith(f"trusts): {ca}")
    assert listening.join["password"] not in shown.decode()

"""A server whose port speaks TLS: its handshakes, and certificates that change under it."""

import asyncio
import logging
import os
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web

from captchad.config.tls_section import TlsSection
from captchad.domain.errors import ConfigurationError
from captchad.runtime.clock import Clock
from captchad.telemetry.metrics import Metrics
from captchad.web import tls_door
from captchad.web.connections import ConnectionLimits
from captchad.web.server import Bind, WebServer
from captchad.web.server_tls import ServerTls
from tests.certificates import Issued, issue, split
from tests.patience import PATIENCE_SECONDS, until_true

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST_GET = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
LARGE_BYTES = 3_000_000


class Stage:
    """A server with a certificate in a folder, and callers that believe its first one."""

    def __init__(self, folder: Path, limits: ConnectionLimits) -> None:
        self.first = issue(folder, None, "localhost")
        self.files = folder / "served.pem", folder / "served.key"
        self.renew(self.first)
        section = TlsSection(certificate=str(self.files[0]), key=str(self.files[1]))
        self.metrics = Metrics("gateway", "gateway-1", "0")
        self.tls = ServerTls(section, "gateway.tls", Clock(), self.metrics)
        application = web.Application(client_max_size=2 * LARGE_BYTES)
        application.router.add_route("*", "/", self._answer)
        self.server = WebServer(Bind(), application, limits, self.metrics, self.tls)
        self._writers: list[asyncio.StreamWriter] = []

    @property
    def connections(self) -> int:
        return int(self.server.health().details["connections"])

    @property
    def shown(self) -> str:
        return self.metrics.render()[0].decode()

    def renew(self, issued: Issued) -> None:
        """Put another certificate and its key where the first ones are."""
        for source, file in zip(split(issued), self.files, strict=True):
            shutil.copy(source, f"{file}.new")
            Path(f"{file}.new").replace(file)

    async def connect(
        self, context: ssl.SSLContext | None = None, address: str = "127.0.0.1"
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect from an address by TLS, or by nothing but TCP without a context."""
        name = None if context is None else "localhost"
        place = ("127.0.0.1", self.server.bound_port)
        reader, writer = await asyncio.open_connection(
            *place, ssl=context, server_hostname=name, local_addr=(address, 0)
        )
        self._writers.append(writer)
        return reader, writer

    async def ask(self, issued: Issued, content: bytes = LAST_GET) -> bytes:
        reader, writer = await self.connect(trust(issued))
        writer.write(content)
        return await reader.read()

    async def close(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        await self.server.close()

    async def _answer(self, request: web.Request) -> web.Response:
        return web.Response(body=b"%s, %d bytes" % (request.scheme.encode(), len(await request.read())))


@asynccontextmanager
async def run_stage(folder: Path, limit: int = 100, per_address: int = 100) -> AsyncIterator[Stage]:
    stage = Stage(folder, ConnectionLimits(limit, per_address))
    await stage.server.start()
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            yield stage
    finally:
        await stage.close()


def trust(issued: Issued, *protocols: str, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=issued.path)
    context.maximum_version = newest
    if protocols:
        context.set_alpn_protocols(protocols)
    return context


async def test_requests_of_any_size_are_answered_by_tls(tmp_path: Path) -> None:
    async with run_stage(tmp_path) as stage:
        assert (await stage.ask(stage.first)).endswith(b"https, 0 bytes")
        head = f"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {LARGE_BYTES}\r\n\r\n"
        answer = await stage.ask(stage.first, head.encode() + b"a" * LARGE_BYTES)
        assert answer.endswith(b"https, %d bytes" % LARGE_BYTES)
        await until_true(lambda: stage.connections == 0)


async def test_only_new_versions_and_http_1_are_spoken(tmp_path: Path) -> None:
    async with run_stage(tmp_path) as stage:
        for newest, name in ((ssl.TLSVersion.TLSv1_3, "TLSv1.3"), (ssl.TLSVersion.TLSv1_2, "TLSv1.2")):
            _, writer = await stage.connect(trust(stage.first, "h2", "http/1.1", newest=newest))
            secure = writer.get_extra_info("ssl_object")
            assert (secure.version(), secure.selected_alpn_protocol()) == (name, "http/1.1")
        cipher = secure.cipher()[0]
        assert cipher.startswith("ECDHE-")
        old = trust(stage.first)
        old.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await stage.connect(old)


async def test_what_is_refused_before_the_gate_asks_for_tls_too(tmp_path: Path) -> None:
    async with run_stage(tmp_path) as stage:
        answer = await stage.ask(stage.first, b"GET / HTTP/1.1\r\nno header\r\n\r\n")
    assert answer.startswith(b"HTTP/1.0 400")
    assert b"\r\nStrict-Transport-Security: max-age=31536000\r\n" in answer


@pytest.mark.parametrize("content", [GET, b"\0" * 100, b"\x16\x03\x01\x00\x05hello"])
async def test_what_is_no_tls_is_closed_and_hardly_worth_a_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    caplog.set_level(logging.INFO)
    async with run_stage(tmp_path) as stage:
        caplog.clear()
        reader, writer = await stage.connect()
        writer.write(content)
        assert b"HTTP" not in await reader.read()
        await until_true(lambda: stage.connections == 0)
        assert caplog.messages == []
        assert 'captchad_connections_closed_total{reason="failed_handshake"} 1' in stage.shown


async def test_a_handshake_that_does_not_come_in_time_ends_its_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls_door, "HANDSHAKE_SECONDS", 0.05)
    async with run_stage(tmp_path) as stage:
        reader, writer = await stage.connect()
        writer.write(b"\x16\x03\x01")
        assert await reader.read() == b""
        await until_true(lambda: stage.connections == 0)
        assert 'captchad_connections_closed_total{reason="slow_handshake"} 1' in stage.shown


async def test_unfinished_handshakes_keep_nobody_out(tmp_path: Path) -> None:
    async with run_stage(tmp_path, limit=5) as stage:
        waiting = [await stage.connect() for _ in range(20)]
        assert (await stage.ask(stage.first)).endswith(b"https, 0 bytes")
        assert stage.connections <= 5
        assert await waiting[0][0].read() == b""


async def test_unfinished_handshakes_of_one_address_take_no_place_of_others(tmp_path: Path) -> None:
    async with run_stage(tmp_path, per_address=2) as stage:
        other, _ = await stage.connect(address="127.0.0.2")
        mine = [await stage.connect() for _ in range(5)]
        assert [await reader.read() for reader, _ in mine[:3]] == [b""] * 3
        assert (stage.connections, other.at_eof()) == (3, False)


async def test_a_server_that_ends_waits_for_no_handshake(tmp_path: Path) -> None:
    async with run_stage(tmp_path) as stage:
        reader, _ = await stage.connect()
        await until_true(lambda: stage.connections == 1)
        await stage.server.drain()
        assert await reader.read() == b""


async def test_a_caller_that_closes_early_leaves_nothing_behind(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with run_stage(tmp_path) as stage:
        _, writer = await stage.connect(trust(stage.first))
        writer.write(GET[:-2])
        await writer.drain()
        writer.close()
        _, writer = await stage.connect()
        writer.close()
        await until_true(lambda: stage.connections == 0)
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


async def test_a_renewed_certificate_is_taken_over_beside_connections_of_the_old_one(tmp_path: Path) -> None:
    async with run_stage(tmp_path) as stage:
        reader, writer = await stage.connect(trust(stage.first))
        await stage.ask(stage.first)
        second = issue(tmp_path, None, "localhost")
        stage.renew(second)
        await stage.tls.look()
        assert (await stage.ask(stage.first)).endswith(b"bytes"), "it may still be changing"
        await stage.tls.look()
        assert (await stage.ask(second)).endswith(b"https, 0 bytes")
        writer.write(LAST_GET)
        assert (await reader.read()).endswith(b"https, 0 bytes")
        seconds = second.certificate.not_valid_after_utc.timestamp()
        assert f"captchad_tls_certificate_expires_timestamp_seconds {seconds}" in stage.shown
        assert stage.server.health().details["certificate_expires"] == stage.tls.expires
        assert datetime.fromisoformat(stage.tls.expires) == second.certificate.not_valid_after_utc.astimezone(UTC)


async def test_a_pair_that_does_not_fit_changes_nothing_and_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with run_stage(tmp_path) as stage:
        shutil.copy(split(issue(tmp_path, None, "localhost"))[1], stage.files[1])
        for _ in range(5):
            await stage.tls.look()
        stay = f"gateway.tls.key: {stage.files[1]} is not the key of the first certificate in {stage.files[0]}"
        told = [record.message for record in caplog.records if record.levelno == logging.ERROR]
        assert told == [f"{stay}; the certificate in use stays"]
        stage.files[0].unlink()
        await stage.tls.take_over()
        assert "can't be read: no such file or directory; the certificate in use stays" in caplog.messages[-1]
        assert (await stage.ask(stage.first)).endswith(b"https, 0 bytes")


async def test_a_key_that_is_closed_to_others_later_is_taken_over(tmp_path: Path) -> None:
    async with run_stage(tmp_path) as stage:
        second = issue(tmp_path, None, "localhost")
        stage.renew(second)
        stage.files[1].chmod(0o644)
        for mode in (0o644, 0o600):
            stage.files[1].chmod(mode)
            for _ in range(2):
                await stage.tls.look()
            answer = await stage.ask(stage.first if mode == 0o644 else second)
            assert answer.endswith(b"https, 0 bytes")


async def test_a_pipe_in_the_place_of_a_file_holds_nobody_up(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with run_stage(tmp_path) as stage:
        key = stage.files[1]
        key.unlink()
        os.mkfifo(key)
        for _ in range(2):
            await stage.tls.look()
        assert [record.message for record in caplog.records if record.levelno == logging.ERROR] == [
            f"gateway.tls.key: {key} is no regular file: name a file in PEM form; the certificate in use stays"
        ]
        assert (await stage.ask(stage.first)).endswith(b"https, 0 bytes")


async def test_the_files_are_watched_while_the_server_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("captchad.web.server_tls.WATCH_SECONDS", 0.01)
    async with run_stage(tmp_path) as stage:
        before, running = stage.tls.digest, asyncio.ensure_future(stage.server.run())
        stage.renew(issue(tmp_path, None, "localhost"))
        await until_true(lambda: stage.tls.digest != before)
        running.cancel()


def test_a_certificate_that_can_not_be_used_is_an_error_that_names_the_setting(tmp_path: Path) -> None:
    section = TlsSection(certificate=str(tmp_path / "missing.pem"))
    with pytest.raises(ConfigurationError, match=r"monitor\.tls\.certificate: .*missing\.pem can't be read"):
        ServerTls(section, "monitor.tls", Clock())

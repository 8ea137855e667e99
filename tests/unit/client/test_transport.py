"""Both transports against servers that answer byte by byte as a test says."""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA256

from captchad.client import transport, trust
from captchad.client.trust import Trust, find_trust
from captchad.client.wire import Answer, GatewayAddress, Request
from captchad.domain.errors import GatewayUnreachable, InvalidRequest
from tests.certificates import issue, make_authority

Exchange = Callable[[str, Request], Answer]
Serve = Callable[..., str]
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n"
LARGE = Request("POST", "/submit_task", {"image": "A" * 8_000_000})


@pytest.fixture(params=["sync", "async"])
def exchange(request: pytest.FixtureRequest) -> Exchange:
    """Make one exchange, blocking or not."""

    def exchange_async(url: str, sent: Request) -> Answer:
        return asyncio.run(transport.exchange_async(GatewayAddress(url), sent, 20.0))

    def exchange_sync(url: str, sent: Request) -> Answer:
        return transport.exchange(GatewayAddress(url), sent, 20.0)

    return exchange_sync if request.param == "sync" else exchange_async


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve one connection with a function; return the URL."""
    threads: list[threading.Thread] = []

    def start(answer: Callable[[Any], None], tls: ssl.SSLContext | None = None) -> str:
        listener = socket.create_server(("127.0.0.1", 0))

        def run() -> None:
            # A caller that does not trust the certificate ends the handshake.
            with (
                listener,
                listener.accept()[0] as plain,
                contextlib.suppress(ssl.SSLError),
                plain if tls is None else tls.wrap_socket(plain, server_side=True) as connection,
            ):
                answer(connection)

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return f"http{'s' if tls else ''}://127.0.0.1:{listener.getsockname()[1]}/base"

    yield start
    for thread in threads:
        thread.join()


def answer_with(content: bytes) -> Callable[[Any], None]:
    def answer(connection: Any) -> None:
        connection.recv(65_536)
        connection.sendall(content)

    return answer


def test_what_comes_in_chunks_is_put_together(exchange: Exchange, serve: Serve) -> None:
    chunked = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"a"\r\n4\r\n: 1}\r\n0\r\n\r\n'
    assert exchange(serve(answer_with(chunked)), Request("GET", "/stats")).body == {"a": 1}


def test_what_is_cut_off_is_no_answer(exchange: Exchange, serve: Serve) -> None:
    with pytest.raises(GatewayUnreachable, match="IncompleteRead"):
        exchange(serve(answer_with(OK + b'{"a"')), Request("GET", "/stats"))
    with pytest.raises(GatewayUnreachable, match="does not answer"):
        exchange(serve(answer_with(b"")), Request("GET", "/stats"))
    with pytest.raises(GatewayUnreachable, match="does not answer"):
        exchange(serve(answer_with(b"SSH-2.0-OpenSSH\r\n")), Request("GET", "/stats"))


def test_a_refusal_that_comes_before_the_body_has_gone_is_read(exchange: Exchange, serve: Serve) -> None:
    def refuse(connection: socket.socket) -> None:
        connection.recv(1024)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1_048_576):
            pass

    assert exchange(serve(refuse), LARGE).status == 413


def test_what_never_ends_is_given_up(exchange: Exchange, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("captchad.client.transport.ANSWER_LIMIT_BYTES", 1_000_000)
    monkeypatch.setattr("captchad.client.wire.ANSWER_LIMIT_BYTES", 1_000_000)

    def flood(connection: socket.socket) -> None:
        connection.recv(65_536)
        try:
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                connection.sendall(b"x" * 65_536)
        except OSError:
            return

    with pytest.raises(GatewayUnreachable, match="more than 1000000 bytes"):
        exchange(serve(flood), Request("GET", "/stats"))


def test_tls_is_held_to_the_trusted_authorities(
    exchange: Exchange, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = make_authority(tmp_path)
    tls = issue(tmp_path, authority, "127.0.0.1").serve()
    answer = answer_with(OK + b'{"a": 1}')
    # What the system's authorities are is read once in a process.
    monkeypatch.setattr(trust, "_make_context", trust._make_context.__wrapped__)
    with pytest.raises(
        GatewayUnreachable, match=r"not trusted \(.*\): name its authority with CAPTCHAD_CA_FILE or ca_file="
    ):
        exchange(serve(answer, tls), Request("GET", "/stats"))
    for variable in ("SSL_CERT_FILE", "CAPTCHAD_CA_FILE"):
        with monkeypatch.context() as patch:
            patch.setenv(variable, authority.path)
            assert exchange(serve(answer, tls), Request("GET", "/stats")).body == {"a": 1}


def test_a_certificate_that_is_known_is_believed_whatever_its_name_and_no_other_is(
    exchange: Exchange, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = issue(tmp_path, None, "captchad.example.com")
    answer = answer_with(OK + b'{"a": 1}')
    digest = known.certificate.fingerprint(SHA256()).hex()
    monkeypatch.setattr("captchad.client.wire.find_trust", lambda: Trust(digest=digest))
    assert exchange(serve(answer, known.serve()), Request("GET", "/stats")).body == {"a": 1}
    other = issue(tmp_path, None, "captchad.example.com").serve()
    with pytest.raises(GatewayUnreachable, match="another certificate was shown than the one that is known"):
        exchange(serve(answer, other), Request("GET", "/stats"))


def test_a_port_that_speaks_the_other_of_http_and_https_is_told_by_its_address(
    exchange: Exchange, serve: Serve, tmp_path: Path
) -> None:
    plain = serve(answer_with(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    with pytest.raises(GatewayUnreachable, match=f"speaks no TLS; is its address {plain}\\?") as told:
        exchange(plain.replace("http:", "https:"), Request("GET", "/stats"))
    assert told.value.is_something_there
    secure = serve(answer_with(OK), issue(tmp_path, None, "127.0.0.1").serve())
    with pytest.raises(GatewayUnreachable, match=f"that speaks TLS; is its address {secure}\\?"):
        exchange(secure.replace("https:", "http:"), Request("GET", "/stats"))


def test_a_file_without_authorities_is_told_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "words.pem").write_text("no certificate")
    for name, reason in (("words.pem", "has no certificate in PEM form"), ("missing.pem", "can't be read: No such")):
        path = str(tmp_path / name)
        with pytest.raises(InvalidRequest, match=f"{name} {reason}"):
            find_trust(path).make_context()

"""Carries one exchange over a connection of its own, blocking or asynchronous.

Proxy settings are ignored and redirects are not followed: an API key goes to the gateway's address only.
"""

import asyncio
import contextlib
import socket

from captchad.client.wire import ANSWER_LIMIT_BYTES, Answer, GatewayAddress, Request

_CHUNK_BYTES = 65_536
_NO_ANSWER = "no answer in time"


def exchange(address: GatewayAddress, request: Request, timeout_seconds: float) -> Answer:
    """Send one request and read its answer; GatewayUnreachable without one."""
    sent = address.write(request)
    try:
        with _connect(address, timeout_seconds) as connection:
            # A gateway that refuses a body may answer, and close, before it has all of it.
            with contextlib.suppress(ConnectionError):
                connection.sendall(sent)
            return address.read(_read_all(connection), request.method)
    except TimeoutError:
        raise address.fail(_NO_ANSWER) from None
    except OSError as error:
        raise address.explain(error) from error


async def exchange_async(address: GatewayAddress, request: Request, timeout_seconds: float) -> Answer:
    """Do the same without blocking the event loop."""
    sent = address.write(request)
    try:
        async with asyncio.timeout(timeout_seconds):
            return address.read(await _exchange_bytes(address, sent), request.method)
    except TimeoutError:
        raise address.fail(_NO_ANSWER) from None
    except OSError as error:
        raise address.explain(error) from error


def _connect(address: GatewayAddress, timeout_seconds: float) -> socket.socket:
    connection = socket.create_connection((address.host, address.port), timeout_seconds)
    if not address.is_secure:
        return connection
    try:
        connection = address.trust.make_context().wrap_socket(connection, server_hostname=address.host)
        address.trust.check(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _read_all(connection: socket.socket) -> bytes:
    received = bytearray()
    with contextlib.suppress(ConnectionResetError):
        while len(received) <= ANSWER_LIMIT_BYTES:
            part = connection.recv(_CHUNK_BYTES)
            if not part:
                break
            received += part
    return bytes(received)


async def _exchange_bytes(address: GatewayAddress, sent: bytes) -> bytes:
    context = address.trust.make_context() if address.is_secure else None
    reader, writer = await asyncio.open_connection(address.host, address.port, ssl=context)
    try:
        if context is not None:
            address.trust.check(writer.get_extra_info("ssl_object"))
        with contextlib.suppress(ConnectionError):
            writer.write(sent)
            await writer.drain()
        received = bytearray()
        with contextlib.suppress(ConnectionResetError):
            while len(received) <= ANSWER_LIMIT_BYTES:
                part = await reader.read(_CHUNK_BYTES)
                if not part:
                    break
                received += part
        return bytes(received)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

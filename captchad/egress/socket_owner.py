"""Asks the kernel whose a connection's far end is, where that is on this machine."""

import os
import socket
import struct
from dataclasses import dataclass
from ipaddress import ip_address

NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_ESTABLISHED = 1
_FIRST_NUMBER = 1
_ANY_COOKIE = b"\xff" * 8
_ANSWER_LIMIT_BYTES = 4096
_HEADER = struct.Struct("=IHHII")
"""Of every message: length, kind, flags, number, port."""

_WANTED = struct.Struct("=BBBBI")
"""Of the question: family, protocol, extensions, padding, states; the socket follows."""

_SOCKET = struct.Struct("!HH16s16s4s8s")
"""Source and destination port, source and destination address, interface, cookie."""

_FOUND = struct.Struct(f"=BBBB{_SOCKET.size}sIIIII")
"""Of the answer: family, state, timer, retransmissions, the socket, expiry, queues, user, inode."""

Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class SocketOwner:
    """Who has a socket: a user, and whichever process has a descriptor of this inode."""

    user_id: int
    inode: int


def find_socket_owner(local: Place, remote: Place) -> SocketOwner | None:
    """Return the owner of this machine's open TCP socket at `local` that is connected to `remote`; None without one.

    A socket that its process has closed already is nobody's. OSError where the kernel can't be asked.
    """
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, NETLINK_SOCK_DIAG) as asking:
        asking.send(_ask(local, remote))
        answer = asking.recv(_ANSWER_LIMIT_BYTES, socket.MSG_DONTWAIT)
    _, kind, _, _, _ = _HEADER.unpack_from(answer)
    if kind != _SOCK_DIAG_BY_FAMILY:
        return None
    _, state, _, _, _, _, _, _, user_id, inode = _FOUND.unpack_from(answer, _HEADER.size)
    return SocketOwner(user_id, inode) if state == _ESTABLISHED and inode else None


def can_find_socket_owners() -> bool:
    """Whether the kernel answers, tried with a connection of our own."""
    try:
        with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as ours:
            found = find_socket_owner(ours.getsockname(), ours.getpeername())
            return found == SocketOwner(os.geteuid(), os.fstat(ours.fileno()).st_ino)
    except OSError:
        return False


def _ask(local: Place, remote: Place) -> bytes:
    here, there = ip_address(local[0]), ip_address(remote[0])
    family = socket.AF_INET if here.version == 4 else socket.AF_INET6  # noqa: PLR2004 - IP's own number
    all_states = 0xFFFFFFFF
    wanted = _WANTED.pack(family, socket.IPPROTO_TCP, 0, 0, all_states)
    ports_and_addresses = (local[1], remote[1], here.packed, there.packed)
    body = wanted + _SOCKET.pack(*ports_and_addresses, bytes(4), _ANY_COOKIE)
    flags = 1  # a request
    return _HEADER.pack(_HEADER.size + len(body), _SOCK_DIAG_BY_FAMILY, flags, _FIRST_NUMBER, 0) + body

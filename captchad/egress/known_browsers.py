"""Recognises the connections of this machine's own browsers, which need no password."""

import asyncio
import contextlib
import logging
import os
from dataclasses import dataclass

import psutil

from captchad.egress.socket_owner import Place, SocketOwner, can_find_socket_owners, find_socket_owner
from captchad.runtime.clock import Clock

NETWORK_SERVICE = "network.mojom.NetworkService"
"""How the command line of Chromium's network process, which makes all connections, names it."""

SEARCHES = 40
PAUSE_SECONDS = 0.05

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _KnownBrowser:
    top: psutil.Process
    user_id: int


class KnownBrowsers:
    """Recognises connections whose far end belongs to a process of an admitted browser."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._browsers: list[_KnownBrowser] = []
        self._holders: list[psutil.Process] = []

    async def admit(self, pid: int) -> bool:
        """Admit the browser with this process id; False where the system does not reveal who owns a connection."""
        if not await asyncio.to_thread(can_find_socket_owners):
            return False
        for _ in range(SEARCHES):
            network = await asyncio.to_thread(_find_network_process, pid)
            if network is not None:
                return self._note(pid, network)
            await self._clock.sleep(PAUSE_SECONDS)
        return False

    def _note(self, pid: int, network: psutil.Process) -> bool:
        try:
            if not _may_look_into(network):
                return False
            top = psutil.Process(pid)
            self._browsers.append(_KnownBrowser(top, top.uids().effective))
        except psutil.Error:
            return False
        self._holders.append(network)
        return True

    async def has(self, remote: Place, own: Place) -> bool:
        """Whether the connection from `remote` to the proxy at `own` is a known browser's."""
        self._browsers = [browser for browser in self._browsers if browser.top.is_running()]
        self._holders = [holder for holder in self._holders if holder.is_running()]
        if not self._browsers:
            return False
        try:
            owner = find_socket_owner(remote, own)
        except OSError as error:
            _logger.warning("can't find out which process owns a connection: %s", error)
            return False
        if owner is None or all(browser.user_id != owner.user_id for browser in self._browsers):
            return False
        if any(_holds(holder, owner) for holder in self._holders):
            return True
        # Chromium has started its network process again, or somebody else of the same user is at the address.
        holder = await asyncio.to_thread(self._search, owner)
        self._holders += [holder] if holder is not None else []
        return holder is not None

    def _search(self, owner: SocketOwner) -> psutil.Process | None:
        for browser in self._browsers:
            with contextlib.suppress(psutil.Error):
                for process in browser.top.children(recursive=True):
                    if _holds(process, owner):
                        return process
        return None


def _find_network_process(pid: int) -> psutil.Process | None:
    with contextlib.suppress(psutil.Error):
        for process in psutil.Process(pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if any(NETWORK_SERVICE in argument for argument in process.cmdline()):
                    return process
    return None


def _may_look_into(process: psutil.Process) -> bool:
    try:
        return any(_list_descriptors(process))
    except OSError:
        return False


def _holds(process: psutil.Process, owner: SocketOwner) -> bool:
    """Whether a process has a descriptor of the socket."""
    wanted = f"socket:[{owner.inode}]"
    try:
        return any(_read_link(path) == wanted for path in _list_descriptors(process))
    except OSError:
        return False


def _list_descriptors(process: psutil.Process) -> list[str]:
    # Plain paths: a process has a hundred, and pathlib's take three times as long.
    with os.scandir(f"/proc/{process.pid}/fd") as entries:
        return [entry.path for entry in entries]


def _read_link(path: str) -> str:
    try:
        return os.readlink(path)  # noqa: PTH115
    except OSError:
        return ""

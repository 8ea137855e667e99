"""The embedded Redis: on a Unix socket in the state folder, under a lock, with its data beside it."""

import asyncio
import fcntl
import os
import socket
import struct
import tempfile
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import psutil

from captchad.broker.embedded_dump import DUMP, describe_dump, keep_dump, must_load
from captchad.broker.embedded_program import find_program
from captchad.domain.errors import BrokerUnavailable, ConfigurationError, ConfigurationProblem
from captchad.runtime.clock import Clock
from captchad.runtime.tethered_process import TetheredProcess

FOLDER = "redis"
SOCKET = "redis.sock"
LOCK = "lock"
PROCESS_ID = "server.pid"
LOG = "redis.log"
LONGEST_SOCKET_PATH_BYTES = 107
LOG_LIMIT_BYTES = 1_048_576
PROBE_BYTES = 65_536
PRIVATE_MODE = 0o700
ANSWER_TIMEOUT_SECONDS = 2.0
START_TIMEOUT_SECONDS = 30.0
STOP_TIMEOUT_SECONDS = 10.0
POLL_SECONDS = 0.02
LINGER_SECONDS = 2.0
"""How long the server outlives a killed `up`: the roles still need it while they end."""

_PEER_CREDENTIALS = struct.Struct("3i")
_SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "save": "",
    "appendonly": "yes",
    # With everysec the server may answer up to two seconds before it hands the data to the kernel; with always a
    # task that was accepted is on the disk. One fsync serves all commands of a round, so the price is small.
    "appendfsync": "always",
    # Plain commands instead of a snapshot: any server from 7 on reads them, whichever one is found next time.
    "aof-use-rdb-preamble": "no",
    "auto-aof-rewrite-min-size": "16mb",
    "maxmemory-policy": "noeviction",
    "daemonize": "no",
}


class EmbeddedRedis:
    """The private server of one state folder, held by one process at a time.

    `start` may be called again after the server has ended by itself. The lock is kept until `close`.
    """

    def __init__(self, state_directory: Path, clock: Clock) -> None:
        self._state_directory = state_directory
        self._folder = state_directory / FOLDER
        self._clock = clock
        self._lock: int | None = None
        self._process: TetheredProcess | None = None
        self._log_start_bytes = 0
        self.dump = ""
        """What became of a dump.rdb in the folder, in words."""

    @property
    def url(self) -> str:
        """The URL that roles connect to."""
        return f"unix://{quote(str(self._folder / SOCKET))}"

    async def start(self) -> None:
        """Take the lock, end a leftover server, start one, and return once it answers.

        ConfigurationError names who holds the folder; DependencyMissing says that no server is installed,
        BrokerUnavailable why one can't work.
        """
        self.take_folder()
        program = find_program()
        await self._end_leftover()
        # On a full disk the server would start, end at the first write, and not be able to log why.
        _check_writable(self._folder)
        self._prepare_log()
        is_loading = must_load(self._folder)
        command = self._command(program, {"appendonly": "no"} if is_loading else {})
        self._process = TetheredProcess(command, os.environ, asyncio.subprocess.DEVNULL, LINGER_SECONDS)
        await self._process.start()
        await self._wait_until_it_answers()
        self.dump = describe_dump(self._folder)
        if is_loading:
            keys = await keep_dump(self._folder, self._folder / SOCKET, self._clock)
            self.dump = f"{DUMP} was loaded: {keys} keys"

    async def wait(self) -> int:
        """Return the exit code once the server has ended."""
        assert self._process is not None
        return await self._process.wait()

    async def stop(self) -> None:
        """Shut the server down, which writes out its data."""
        if self._process is not None:
            await self._process.stop(STOP_TIMEOUT_SECONDS)

    async def close(self) -> None:
        """Stop the server and release the folder."""
        await self.stop()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def read_last_log_lines(self, count: int) -> list[str]:
        """Return what the server has logged last since it was started."""
        log = self._folder / LOG
        if not log.exists():
            return []
        return log.read_bytes()[self._log_start_bytes :].decode(errors="replace").splitlines()[-count:]

    def take_folder(self) -> None:
        """Take the lock before anything else is done; ConfigurationError names who holds the folder."""
        if self._lock is not None:
            return
        _check_socket_length(self._folder / SOCKET)
        try:
            _make_private(self._state_directory)
            _make_private(self._folder)
            lock = os.open(self._folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _refuse(f"the state folder {self._state_directory} can't be used: {error.strerror}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(lock, 64, 0).decode(errors="replace").strip()
            os.close(lock)
            raise _refuse(
                f"the state folder {self._state_directory} is in use by process {_describe(holder)}; stop that one "
                "first, or name another folder with CAPTCHAD_STATE_DIRECTORY"
            ) from None
        self._lock = lock
        with suppress(OSError):
            # A full disk is told of when the server is about to be started; the lock counts without its text.
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)

    def _command(self, program: Path, more: dict[str, str]) -> list[str]:
        settings = (
            _SETTINGS
            | more
            | {
                "dir": str(self._folder),
                "unixsocket": str(self._folder / SOCKET),
                "pidfile": str(self._folder / PROCESS_ID),
                "logfile": str(self._folder / LOG),
            }
        )
        return [str(program), *(part for name, value in settings.items() for part in (f"--{name}", value))]

    async def _wait_until_it_answers(self) -> None:
        deadline = self._clock.monotonic_seconds() + START_TIMEOUT_SECONDS
        assert self._process is not None
        while self._process.is_running:
            answer = await _ping(self._folder / SOCKET)
            if answer.startswith(b"+PONG"):
                return
            # An error means that it still loads its data, however long that takes: it is alive.
            if answer:
                deadline = self._clock.monotonic_seconds() + START_TIMEOUT_SECONDS
            if self._clock.monotonic_seconds() > deadline:
                await self.stop()
                raise BrokerUnavailable(f"the embedded server did not answer within {START_TIMEOUT_SECONDS:.0f} s")
            await self._clock.sleep(POLL_SECONDS)
        last = " / ".join(self.read_last_log_lines(3))
        raise BrokerUnavailable(f"the embedded server exited at once: {last or 'it logged nothing'}")

    async def _end_leftover(self) -> None:
        """End a server that outlived the `up` before: it would share its files with the new one."""
        for process in _find_leftovers(self._folder):
            process.terminate()
            deadline = self._clock.monotonic_seconds() + STOP_TIMEOUT_SECONDS
            while _is_alive(process):
                if self._clock.monotonic_seconds() > deadline:
                    process.kill()
                await self._clock.sleep(POLL_SECONDS)

    def _prepare_log(self) -> None:
        """Shorten the log, and remember where what the next server says begins."""
        log = self._folder / LOG
        if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
            log.replace(log.with_suffix(".log.1"))
        self._log_start_bytes = log.stat().st_size if log.exists() else 0


def find_socket(state_directory: Path) -> Path | None:
    """Return the socket of the server that runs in this state folder, or None where none does."""
    path = state_directory / FOLDER / SOCKET
    return path if _find_listener(path) is not None else None


def _find_leftovers(folder: Path) -> list[psutil.Process]:
    """Find the servers at work in `folder`: the one behind the socket, and the one that wrote its process id."""
    recorded = folder / PROCESS_ID
    candidates = {_find_listener(folder / SOCKET)}
    if recorded.exists() and recorded.read_text().strip().isdigit():
        candidates.add(int(recorded.read_text()))
    return [psutil.Process(one) for one in candidates if one is not None and _works_in(one, folder)]


def _find_listener(path: Path) -> int | None:
    """Return the process that listens on a Unix socket, or None."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as probe:
        probe.settimeout(ANSWER_TIMEOUT_SECONDS)
        try:
            probe.connect(str(path))
        except OSError:
            return None
        raw = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER_CREDENTIALS.size)
        process_id: int = _PEER_CREDENTIALS.unpack(raw)[0]
        return process_id


def _works_in(process_id: int, folder: Path) -> bool:
    try:
        return Path(psutil.Process(process_id).cwd()) == folder.resolve()
    except (psutil.Error, OSError):
        return False


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def _ping(path: Path) -> bytes:
    """Return the server's answer to PING, which is an error while it loads its data; nothing where none comes."""
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_SECONDS):
            reader, writer = await asyncio.open_unix_connection(str(path))
            try:
                writer.write(b"PING\r\n")
                return await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return b""


def _check_socket_length(path: Path) -> None:
    length = len(os.fsencode(path))
    if length > LONGEST_SOCKET_PATH_BYTES:
        raise _refuse(
            f"the path of the embedded server's socket has {length} bytes, and the system allows "
            f"{LONGEST_SOCKET_PATH_BYTES}: {path}; name a shorter folder with CAPTCHAD_STATE_DIRECTORY"
        )


def _make_private(folder: Path) -> None:
    """Make a folder that its owner alone can enter; one that others have put something into keeps its mode."""
    folder.mkdir(parents=True, exist_ok=True, mode=PRIVATE_MODE)
    is_ours = folder.name == FOLDER or not any(folder.iterdir())
    if is_ours and folder.stat().st_uid == os.geteuid():
        folder.chmod(PRIVATE_MODE)


def _check_writable(folder: Path) -> None:
    """Raise BrokerUnavailable where nothing more can be written to the server's folder."""
    try:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as probe:
            if probe.write(bytes(PROBE_BYTES)) < PROBE_BYTES:
                # The rest is refused with the reason.
                probe.write(bytes(PROBE_BYTES))
            os.fsync(probe.fileno())
    except OSError as error:
        raise BrokerUnavailable(f"the embedded server can't write to {folder}: {error.strerror}") from error


def _describe(holder: str) -> str:
    try:
        return f"{holder} ({' '.join(psutil.Process(int(holder)).cmdline())})"
    except (psutil.Error, ValueError):
        return holder or "unknown"


def _refuse(message: str) -> ConfigurationError:
    return ConfigurationError((ConfigurationProblem("", message),))

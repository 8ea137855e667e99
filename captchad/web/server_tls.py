"""The certificate that a server shows now; one that is renewed on disk is taken over while the server runs."""

import asyncio
import logging
import ssl
from collections.abc import Callable
from datetime import UTC, datetime

from captchad.config.certificates import CertificateFileUnusable
from captchad.config.server_certificate import (
    ServerCertificate,
    ServerCertificateUnusable,
    list_files,
    load_server_certificate,
)
from captchad.config.tls_section import TlsSection
from captchad.domain.errors import ConfigurationError, ConfigurationProblem
from captchad.runtime.clock import Clock
from captchad.telemetry.metrics import Metrics

_logger = logging.getLogger(__name__)

WATCH_SECONDS = 2.0

_Marks = tuple[tuple[int, int, int, int] | None, ...]


class ServerTls:
    """Hands out the context of the newest certificate that can be used; `name` is that of its section.

    Connections keep the one that they began with. `on_change` is called once another one is in use.
    """

    def __init__(
        self,
        section: TlsSection,
        name: str,
        clock: Clock,
        metrics: Metrics | None = None,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._section = section
        self._name = name
        self._clock = clock
        self._metrics = metrics
        self._on_change = on_change
        self._tried = self._seen = self._read_marks()
        try:
            self._current = self._load()
        except ServerCertificateUnusable as error:
            raise ConfigurationError((ConfigurationProblem(f"{name}.{error.setting}", str(error)),)) from None
        self._note_expiry()

    @property
    def context(self) -> ssl.SSLContext:
        """What the next connection is served with."""
        return self._current.context

    @property
    def digest(self) -> str:
        """The SHA-256 of the certificate in hex."""
        return self._current.digest

    @property
    def expires(self) -> str:
        """When the certificate ends, as ISO 8601."""
        expires = self._current.expires
        return "" if expires is None else f"{expires:%Y-%m-%dT%H:%M:%SZ}"

    @property
    def strict_transport_security_seconds(self) -> int:
        """For how long browsers are asked to speak TLS alone; 0 asks for nothing."""
        return self._section.strict_transport_security_seconds

    async def watch(self) -> None:
        """Take over what changes on disk, until cancelled."""
        while True:
            await self._clock.sleep(WATCH_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Take over files that have changed, once they have stopped changing: two of them are renewed one by one."""
        # A folder of another host may not answer: that holds up the watch alone.
        marks = await asyncio.to_thread(self._read_marks)
        is_settled, self._seen = marks == self._seen, marks
        if is_settled and marks != self._tried:
            await self.take_over()

    async def take_over(self) -> None:
        """Use the files as they are now; the certificate in use stays where they can't be used."""
        self._tried = await asyncio.to_thread(self._read_marks)
        try:
            found = await asyncio.to_thread(self._load)
        except ServerCertificateUnusable as error:
            _logger.error("%s.%s: %s; the certificate in use stays", self._name, error.setting, error)  # noqa: TRY400
            return
        is_new, self._current = found.digest != self._current.digest, found
        self._note_expiry()
        if is_new:
            self._on_change()
            _logger.info("%s: a new certificate is in use; it ends at %s", self._name, self.expires)

    def _load(self) -> ServerCertificate:
        return load_server_certificate(self._section, datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC))

    def _note_expiry(self) -> None:
        if self._metrics is not None and self._current.expires is not None:
            self._metrics.set_certificate_expiry(self._current.expires.timestamp())

    def _read_marks(self) -> _Marks:
        """Return what changes with each file, its rights too; None for one that is not there."""
        marks: list[tuple[int, int, int, int] | None] = []
        try:
            for path in list_files(self._section):
                found = path.stat()
                marks.append((found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns))
        except (OSError, CertificateFileUnusable):
            marks.append(None)
        return tuple(marks)

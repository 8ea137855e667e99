"""The bundled captcha site: logins and the usual shapes of captcha, on loopback ports of its own."""

from typing import Any

from aiohttp import web

from captchad.domain.ports import LOOPBACK_HOST, show_host
from captchad.runtime.clock import Clock
from captchad.runtime.service import Service
from captchad.sample_site.certificates import make_own_tls
from captchad.sample_site.kinds import LOGIN, PageKind
from captchad.sample_site.record import Record
from captchad.sample_site.views import Views, name_path

OTHER_NAME = "localhost"
"""The machine's other name, which makes an origin of its own: that of TLS, and of where a single sign-on leads."""

AUTHORITY = "/authority.pem"
"""Where the site gives away the certificate of its authority, which is made anew at each start."""

BODY_LIMIT_BYTES = 16_384
SHUTDOWN_SECONDS = 1.0


class SampleSite(Service):
    """Serves the pages; only this object knows each answer, and whether what was sent was right.

    A visit is a name that the caller chooses and puts into the URL. With `secure_port` None there is no TLS.
    """

    name = "sample-site"

    def __init__(self, host: str = LOOPBACK_HOST, port: int = 0, secure_port: int | None = 0) -> None:
        self._host = host
        self._wanted_port = port
        self._wanted_secure_port = secure_port
        self._tls = None if secure_port is None else make_own_tls(OTHER_NAME, Clock().today())
        self._record = Record()
        self._views = Views(self._record, lambda: f"http://{OTHER_NAME}:{self.port}")
        self._runner = web.AppRunner(self._build(), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)

    async def start(self) -> None:
        """Listen."""
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._wanted_port).start()
        if self._tls is not None:
            tls = self._tls.context
            await web.TCPSite(self._runner, self._host, self._wanted_secure_port, ssl_context=tls).start()

    async def close(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()

    @property
    def is_listening(self) -> bool:
        """Whether it has a port yet."""
        return bool(self._runner.addresses)

    @property
    def port(self) -> int:
        """The port it listens on."""
        port: int = self._runner.addresses[0][1]
        return port

    @property
    def secure_port(self) -> int:
        """The port it listens on for TLS."""
        port: int = self._runner.addresses[1][1]
        return port

    @property
    def base_url(self) -> str:
        """The URL of its first page."""
        return f"http://{show_host(self._host)}:{self.port}"

    @property
    def secure_url(self) -> str:
        """The URL of its first page by TLS."""
        return f"https://{OTHER_NAME}:{self.secure_port}"

    @property
    def authority_pem(self) -> bytes:
        """The certificate of the authority that visitors by TLS have to trust."""
        assert self._tls is not None
        return self._tls.authority_pem

    def url(self, visit: str, kind: PageKind = LOGIN) -> str:
        """Return the URL of a page of some kind, for a visit."""
        return f"{self.secure_url if kind.is_secure else self.base_url}{name_path(kind)}?visit={visit}"

    def make_task(self, visit: str, kind: PageKind) -> dict[str, Any]:
        """Return the task that solves a page of some kind, as the HTTP API takes it."""
        return {"url": self.url(visit, kind), **kind.options}

    def truth(self, visit: str) -> str | None:
        """Return the answer of the last puzzle shown to a visit, or None where none was."""
        return self._record.truth(visit)

    def verdict(self, visit: str) -> bool | None:
        """Return whether what the visit sent last was right, or None where nothing was sent."""
        return self._record.verdict(visit)

    def _build(self) -> web.Application:
        application = web.Application(client_max_size=BODY_LIMIT_BYTES, middlewares=[self._views.add_session])
        application.add_routes([*self._views.routes(), web.get(AUTHORITY, self._give_authority)])
        return application

    async def _give_authority(self, _: web.Request) -> web.Response:
        if self._tls is None:
            raise web.HTTPNotFound
        return web.Response(body=self._tls.authority_pem, content_type="application/x-pem-file")

"""A local site behind TLS, and its target."""

import contextlib
import socket
import ssl
import threading

from captchad.domain.target import Target
from tests.integration.browser.stage import CAPTCHA_PNG, LocalSite

PAGE = '<img class="captcha" src="/captcha.png"><input name="captcha">'


class SecureSite(LocalSite):
    """One that has a captcha at /, by TLS as `tls` says."""

    def __init__(self, tls: ssl.SSLContext, host: str = "127.0.0.1") -> None:
        super().__init__()
        self._tls = tls
        self.host = host
        self.put_page("/", PAGE)
        self.put_picture("/captcha.png", CAPTCHA_PNG)

    def url(self, path: str = "/") -> str:
        return f"https://{self.host}:{self.port}{path}"

    def target(
        self, *, authorities: str | None = None, pins: tuple[str, ...] = (), client: str | None = None
    ) -> Target:
        return Target(
            self.host,
            (self.port,),
            allow_private_addresses=True,
            certificate_authorities=authorities,
            certificate_pins=pins,
            client_certificate=client,
        )

    async def start(self, tls: ssl.SSLContext | None = None) -> None:
        await super().start(tls or self._tls)


class AlertingServer:
    """Says by an alert why a handshake has failed, as web servers do; asyncio's just hangs up."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self.tls = tls
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> "AlertingServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self._refuse(connection)

    def _refuse(self, connection: socket.socket) -> None:
        connection.settimeout(5)
        with connection, contextlib.suppress(OSError):
            secured = self.tls.wrap_socket(connection, server_side=True)
            secured.close()

"""A local site behind TLS, and its target."""

import ssl

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

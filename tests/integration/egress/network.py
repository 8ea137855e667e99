"""A proxy with a site behind it and a client in front of it, all on loopback."""

import asyncio
import base64
from collections import Counter
from ipaddress import ip_address

from aiohttp import ClientSession, ClientTimeout, web

from captchad.domain.address import IpAddress
from captchad.domain.target import Target
from captchad.egress.proxy import FilteringProxy
from captchad.egress.proxy_access import ProxyAccess
from captchad.egress.proxy_connection import ConnectionLimits
from captchad.egress.resolver import Resolver
from captchad.egress.scope import ScopePolicy
from captchad.runtime.clock import Clock
from tests.patience import PATIENCE_SECONDS

LIMITS = ConnectionLimits(keep_alive_seconds=5, body_limit_bytes=2_000_000, tunnel_limit_bytes=3_000_000)


class ScriptedResolver(Resolver):
    """Answers names as the test says, and counts how often each was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, list[tuple[str, ...]]] = {}
        self.asked: Counter[str] = Counter()

    async def resolve(self, host: str, port: int) -> tuple[IpAddress, ...]:
        if host not in self.answers:
            return await super().resolve(host, port)
        self.asked[host] += 1
        answers = self.answers[host]
        return tuple(ip_address(text) for text in (answers.pop(0) if len(answers) > 1 else answers[0]))


def authorise(access: ProxyAccess) -> str:
    """Return what a context with this access shows."""
    address = access.address
    return "Basic " + base64.b64encode(f"{address.username}:{address.password}".encode()).decode()


class Network:
    """A proxy, a site behind it, and a client in front of it."""

    def __init__(self) -> None:
        self.resolver = ScriptedResolver()
        self.policy = ScopePolicy(())
        self.proxy = FilteringProxy(self.policy, Clock(), self.resolver, limits=LIMITS)
        self.seen: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.arrived, self.gone = asyncio.Event(), asyncio.Event()
        self.port = 0
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        self.declare("127.0.0.1")
        await self.proxy.start()
        self.access = await self.proxy.open_login()
        self.access.open()

    async def stop(self) -> None:
        await self.proxy.close()
        assert self._runner is not None
        await self._runner.cleanup()

    def declare(self, host: str, port: int | None = None) -> None:
        target = Target(host, (port or self.port,), allow_private_addresses=True)
        self.policy.replace_targets((*self.policy.targets, target))

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    @property
    def proxy_port(self) -> int:
        return int(self.access.address.url.rsplit(":", 1)[1])

    @property
    def authorisation(self) -> str:
        return authorise(self.access)

    async def fetch(self, url: str, method: str = "GET", **options: object) -> tuple[int, bytes, str | None]:
        """Return status, body and the proxy's own code of one request through the proxy."""
        allowed = {"Proxy-Authorization": self.authorisation}
        place = {"proxy": self.access.address.url, "proxy_headers": allowed, "headers": allowed}
        async with (
            ClientSession(timeout=ClientTimeout(PATIENCE_SECONDS)) as client,
            client.request(method, url, **place, **options) as answer,  # type: ignore[arg-type]
        ):
            return answer.status, await answer.read(), answer.headers.get("X-Captchad-Egress")

    async def speak(self, raw: bytes) -> bytes:
        """Send bytes to the proxy and give all it answers until it closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.proxy_port)
        try:
            writer.write(raw)
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        self.bodies.append(await request.read())
        if request.path == "/chunked":
            answer = web.StreamResponse()
            answer.enable_chunked_encoding()
            await answer.prepare(request)
            for piece in (b"one", b"x" * 200_000, b"three"):
                await answer.write(piece)
            return answer
        if request.path == "/silence":
            self.arrived.set()
            try:
                await asyncio.Event().wait()
            finally:
                self.gone.set()
        return web.Response(text=f"{request.method} {request.path_qs}", headers={"X-Captchad-Egress": "forged"})

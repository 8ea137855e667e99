"""Opens the far ends of tunnels: a bare connection, or a TLS connection where the proxy judges the certificate."""

from captchad.domain.target import Origin, Target
from captchad.egress.certificate_faults import SiteCertificate, look_at_certificate
from captchad.egress.dialer import CheckedDialer, Streams
from captchad.egress.scope import ScopePolicy
from captchad.egress.target_trust import TargetTrust
from captchad.egress.tunnel_end import TunnelEnd
from captchad.runtime.clock import Clock


class Tunnels:
    """Each target is judged by its own trust alone, whatever page asks; its files are read again after each reload."""

    def __init__(self, dialer: CheckedDialer, policy: ScopePolicy, clock: Clock) -> None:
        self.end = TunnelEnd(clock)
        self._dialer = dialer
        self._policy = policy
        self._clock = clock
        self._targets: tuple[Target, ...] = ()
        self._trusts: dict[Target, TargetTrust] = {}

    async def dial(self, origin: Origin, identity: str) -> Streams:
        """Connect to an origin in scope, as `CheckedDialer.dial` does; by TLS where its target has a trust of its own.

        A client certificate is shown only to the target that is visited, whose host is `identity`.
        """
        target = self._policy.check_origin(origin, self._clock.today())
        if not target.has_own_trust:
            return await self._dialer.dial(origin)
        shows_client = target.host == identity
        return await self._find_trust(target).connect(self._dialer.dial, origin, shows_client=shows_client)

    async def look(self, origin: Origin) -> SiteCertificate | None:
        """Return what the certificate of a site in scope says; None where that can't be known."""
        return await look_at_certificate(self._dialer.dial, origin)

    def _find_trust(self, target: Target) -> TargetTrust:
        if self._policy.targets is not self._targets:
            self._targets = self._policy.targets
            self._trusts.clear()
        if target not in self._trusts:
            self._trusts[target] = TargetTrust(target)
        return self._trusts[target]

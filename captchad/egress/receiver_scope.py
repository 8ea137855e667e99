"""The policy of where callbacks may be sent: declared receivers, with the same checks of addresses as pages get."""

from collections.abc import Iterable
from datetime import date

from captchad.domain.address import IpAddress
from captchad.domain.callback import CallbackHost, find_receiver
from captchad.domain.target import Origin, Target
from captchad.egress.scope import RefusalReason, ScopePolicy


class ReceiverPolicy(ScopePolicy):
    """Decides by declared receivers instead of targets; what is protected from pages is protected from callbacks."""

    def __init__(
        self,
        receivers: Iterable[CallbackHost],
        protected: Iterable[tuple[str, int]] = (),
        own_addresses: Iterable[IpAddress] = (),
    ) -> None:
        super().__init__((), protected, own_addresses)
        self._receivers = tuple(receivers)

    def replace_receivers(self, receivers: Iterable[CallbackHost]) -> None:
        """Decide by `receivers` from now on."""
        self._receivers = tuple(receivers)

    def _find(self, origin: Origin, today: date) -> Target:
        return find_receiver(self._receivers, origin)

    def _check_public_address(self, origin: Origin, target: Target, address: IpAddress) -> None:
        """Let a receiver be at public addresses, too: what it gets are captchad's own results, and nobody proves it."""

    def _name_reason(self, origin: Origin) -> RefusalReason:
        is_declared = any(one.host == origin.host for one in self._receivers)
        return RefusalReason.UNDECLARED_PORT if is_declared else RefusalReason.UNDECLARED_HOST

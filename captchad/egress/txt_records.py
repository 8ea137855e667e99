"""Asks name servers for TXT records: those of the system, or those that the configuration names."""

from collections.abc import Sequence

import dns.asyncresolver
import dns.exception
import dns.nameserver
import dns.resolver

from captchad.config.formats import split_nameserver

LOOKUP_SECONDS = 10.0


class LookupFailed(Exception):
    """No name server gave an answer; the message says why. It says nothing about what stands there."""


class TxtRecords:
    """Looks TXT records up, with a time limit and no cache."""

    def __init__(self, nameservers: Sequence[str] = (), limit_seconds: float = LOOKUP_SECONDS) -> None:
        self._nameservers = tuple(nameservers)
        self._limit_seconds = limit_seconds

    async def read(self, name: str) -> tuple[str, ...]:
        """Return the texts that stand there, none where the answer is that there are none; LookupFailed otherwise."""
        try:
            answer = await self._make_resolver().resolve(name, "TXT", lifetime=self._limit_seconds, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return ()
        except dns.exception.Timeout:
            raise LookupFailed(f"no name server answered within {self._limit_seconds:g} s") from None
        except (dns.exception.DNSException, OSError, ValueError) as error:
            raise LookupFailed(f"no name server gave an answer: {error}") from None
        # All of them, for the token may be the last; an answer of DNS has 64 KiB at most.
        return tuple(b"".join(record.strings).decode("latin-1") for record in answer)

    def _make_resolver(self) -> dns.asyncresolver.Resolver:
        # Anew each time: /etc/resolv.conf may have changed since, and it is asked for once a day.
        resolver = dns.asyncresolver.Resolver(configure=not self._nameservers)
        if self._nameservers:
            resolver.nameservers = [dns.nameserver.Do53Nameserver(*split_nameserver(one)) for one in self._nameservers]
        return resolver

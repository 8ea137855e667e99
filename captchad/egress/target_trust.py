"""Judges the certificates of targets that declare their own authorities, pins or client certificate."""

import base64
import contextlib
import ssl

from captchad.config.certificates import CertificateFileUnusable, load_authorities, load_client_certificate
from captchad.domain.target import Origin, Target
from captchad.egress.certificate_faults import (
    CertificateFault,
    Dial,
    explain_fault,
    fetch_certificate,
    look_at_certificate,
    read_certificate,
    read_shown,
    shake_hands,
)
from captchad.egress.dialer import DialFailed, Streams
from captchad.egress.scope import EgressRefused, RefusalReason

PROTOCOLS = ["http/1.1"]
"""The one that is spoken at both ends of a tunnel: the site's choice must be known before the browser makes its own."""

# OpenSSL's X509_V_ERR_*, by what they mean for whoever reads the message.
_FAULTS = {
    **dict.fromkeys((2, 18, 19, 20, 21), CertificateFault.AUTHORITY),
    **dict.fromkeys((9, 10), CertificateFault.DATE),
    **dict.fromkeys((62, 63, 64), CertificateFault.NAME),
}
_ALERT = "_ALERT_"
_CLIENT_ALERTS = ("CERTIFICATE", "UNKNOWN_CA", "HANDSHAKE_FAILURE", "ACCESS_DENIED")


class CertificateRefused(EgressRefused):
    """A site's certificate, or ours at the site, is not accepted."""

    def __init__(self, message: str) -> None:
        super().__init__(RefusalReason.CERTIFICATE, message)


class TargetTrust:
    """What one target trusts and shows; `connect` reaches a site only by what it trusts.

    Without authorities a pin stands for them: the site's certificate is then its own authority, once its key is one
    that is pinned. Name and dates always count.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._pins = frozenset(base64.b64decode(pin) for pin in target.certificate_pins)
        self._is_anchored = bool(self._pins) and target.certificate_authorities is None
        self._anchor: bytes | None = None
        self._contexts: dict[tuple[bytes | None, bool], ssl.SSLContext] = {}

    async def connect(self, dial: Dial, origin: Origin, *, shows_client: bool) -> Streams:
        """Connect by TLS, with the client certificate or without; CertificateRefused or DialFailed where that fails."""
        try:
            reader, writer = await self._shake_hands(dial, origin, shows_client=shows_client)
        except ssl.SSLCertVerificationError as error:
            raise await self._explain(dial, origin, error) from None
        except ssl.SSLError as error:
            refusal = explain_alert(origin, error)
            raise refusal or DialFailed(f"no TLS with {origin}: {error.reason or error}") from None
        except OSError as error:
            raise DialFailed(f"no TLS with {origin}: {error or type(error).__name__}") from None
        try:
            self._check_pin(origin, read_shown(writer))
        except CertificateRefused:
            writer.transport.abort()
            raise
        return reader, writer

    async def _shake_hands(self, dial: Dial, origin: Origin, *, shows_client: bool) -> Streams:
        if self._is_anchored:
            if self._anchor is not None:
                # Where it was replaced, the new one may have a pinned key too.
                with contextlib.suppress(ssl.SSLCertVerificationError):
                    return await shake_hands(dial, origin, self._find_context(self._anchor, shows_client=shows_client))
            self._anchor = await self._fetch_anchor(dial, origin)
        return await shake_hands(dial, origin, self._find_context(self._anchor, shows_client=shows_client))

    async def _fetch_anchor(self, dial: Dial, origin: Origin) -> bytes | None:
        shown = await fetch_certificate(dial, origin)
        self._check_pin(origin, shown)
        self._contexts.clear()
        return shown

    def _check_pin(self, origin: Origin, shown: bytes | None) -> None:
        if not self._pins:
            return
        found = None if shown is None else read_certificate(shown)
        if found is None or base64.b64decode(found.pin) not in self._pins:
            raise CertificateRefused(explain_fault(CertificateFault.PIN, origin, found, ""))

    def _find_context(self, anchor: bytes | None, *, shows_client: bool) -> ssl.SSLContext:
        key = (anchor, shows_client)
        if key not in self._contexts:
            try:
                self._contexts[key] = self._make_context(anchor, shows_client=shows_client)
            except CertificateFileUnusable as error:
                message = f"the certificate files of {self._target.host} can't be used: {error}"
                raise CertificateRefused(message) from None
        return self._contexts[key]

    def _make_context(self, anchor: bytes | None, *, shows_client: bool) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.set_alpn_protocols(PROTOCOLS)
        # What is declared is an anchor, whether it is a root or not. Not strict: many private authorities lack the
        # extensions that Python asks for by default from 3.13 on.
        context.verify_flags = ssl.VERIFY_X509_TRUSTED_FIRST | ssl.VERIFY_X509_PARTIAL_CHAIN
        if self._target.certificate_authorities is not None:
            load_authorities(context, self._target.certificate_authorities)
        elif anchor is not None:
            context.load_verify_locations(cadata=anchor)
        else:
            context.load_default_certs()
        if shows_client and self._target.client_certificate is not None:
            load_client_certificate(context, self._target.client_certificate)
        return context

    async def _explain(self, dial: Dial, origin: Origin, error: ssl.SSLCertVerificationError) -> CertificateRefused:
        fault = _FAULTS.get(error.verify_code, CertificateFault.OTHER)
        shown = await look_at_certificate(dial, origin)
        has_authorities = self._target.certificate_authorities is not None
        message = explain_fault(fault, origin, shown, error.verify_message, has_authorities=has_authorities)
        return CertificateRefused(message)


def explain_alert(origin: Origin, error: ssl.SSLError) -> CertificateRefused | None:
    """Return the refusal where a site ends TLS for want of a client certificate; it may do so after the handshake."""
    reason = error.reason or ""
    if _ALERT not in reason or not any(sign in reason for sign in _CLIENT_ALERTS):
        return None
    said = reason.partition(_ALERT)[2].replace("_", " ").lower()
    return CertificateRefused(explain_fault(CertificateFault.CLIENT, origin, None, said))

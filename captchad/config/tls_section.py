"""The settings of TLS at a role's own port."""

from captchad.config.section import Section, WholeSecondsOrZero


class TlsSection(Section):
    """TLS at a role's own port; files are PEM, and without a certificate the port speaks plain HTTP.

    `key` None means that it is in the certificate's file. A browser that has seen the role once asks it for TLS alone
    during `strict_transport_security_seconds`; 0 asks for nothing.
    """

    certificate: str | None = None
    key: str | None = None
    strict_transport_security_seconds: WholeSecondsOrZero = 31_536_000


class MonitorSection(Section):
    """The monitor's page."""

    tls: TlsSection = TlsSection()

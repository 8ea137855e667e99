"""Explains a certificate that the browser itself refused."""

import re

from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.domain.target import Origin
from captchad.egress.certificate_faults import CertificateFault, explain_fault
from captchad.egress.proxy import FilteringProxy

_CERTIFICATE_ERROR = re.compile(r"net::(ERR_CERT_[A-Z_]+|ERR_(?:BAD_)?SSL_CLIENT_AUTH_[A-Z_]+)")
_FAULTS = {
    "ERR_CERT_AUTHORITY_INVALID": CertificateFault.AUTHORITY,
    "ERR_CERT_COMMON_NAME_INVALID": CertificateFault.NAME,
    "ERR_CERT_DATE_INVALID": CertificateFault.DATE,
}


def is_certificate_error(text: str) -> bool:
    """Whether a driver's words are those of a refused certificate."""
    return _CERTIFICATE_ERROR.search(text) is not None


async def explain_certificate(proxy: FilteringProxy, origin: Origin, text: str) -> AttemptFailed:
    """Return the task's error, after a look at what the certificate says."""
    found = _CERTIFICATE_ERROR.search(text)
    name = found[1] if found is not None else text
    fault = _FAULTS.get(name, CertificateFault.CLIENT if "CLIENT_AUTH" in name else CertificateFault.OTHER)
    shown = None if fault is CertificateFault.CLIENT else await proxy.look_at_certificate(origin)
    return AttemptFailed(TaskErrorCode.CERTIFICATE_ERROR, explain_fault(fault, origin, shown, name))

"""Whether a declared host is shown to be the operator's own: what counts as a proof, and what follows from its lack."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from captchad.domain.address import AddressKind, IpAddress, classify
from captchad.domain.errors import TargetNotAllowed
from captchad.domain.ports import show_host
from captchad.domain.target import WILDCARD, Target, literal_address

DAY_MS = 86_400_000
UPGRADE_GRACE_MS = 14 * DAY_MS
"""For targets that were in use before proofs were asked for."""
LAPSE_GRACE_MS = 3 * DAY_MS
"""For proofs that are gone: a record may be lost in somebody's change of name servers."""
LOOK_LASTS_MS = 3 * DAY_MS
"""Looks are daily, so that nobody has looked for this long only where the target, or the scheduler, was not there."""

RECORD_LABEL = "_captchad"
FILE_PATH = "/.well-known/captchad.txt"
WAIVER = "waived:"
RESERVED_ENDINGS = (".test", ".example", ".invalid", ".localhost", ".local", ".internal", ".home.arpa")
"""Names under these are nobody's on the internet (RFC 2606, 6761, 6762, 8375, and ICANN's `internal`)."""


class Standing(StrEnum):
    """How a target stands. Only an unproven one is closed; one in grace will be unless a proof is found in time."""

    PRIVATE = "private"
    WAIVED = "waived"
    PROVEN = "proven"
    GRACE = "grace"
    UNPROVEN = "unproven"


class ProofWay(StrEnum):
    """Where a proof stands."""

    DNS = "dns"
    HTTPS = "https"


@dataclass(frozen=True, slots=True)
class TargetStanding:
    """How a target stands now; `until_ms` (ms since 1970) is when its grace ends."""

    standing: Standing
    until_ms: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether tasks of the target are taken."""
        return self.standing is not Standing.UNPROVEN


@dataclass(frozen=True, slots=True)
class Installation:
    """What is stored of the installation itself.

    `token` is what its proofs hold. `stood`: it had had tasks before proofs were asked for; its targets of that time
    have grace, and `is_listed` says that each of these has a record of its own by now.
    """

    token: str
    made_ms: int
    stood: bool = False
    is_listed: bool = False


@dataclass(frozen=True, slots=True)
class ProofRecord:
    """What is known of one target's proof; times are ms since 1970, None where it never came to that.

    `way` is that of the last good proof. `lapsed_ms`: since when there is an answer without the token where it stood.
    `stood`: the target was declared when proofs began to be asked for. `finding` is what the last look found.
    """

    first_seen_ms: int
    stood: bool = False
    proven_ms: int | None = None
    way: ProofWay | None = None
    lapsed_ms: int | None = None
    checked_ms: int | None = None
    finding: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """What one look for a proof has found: the way it stands, or None.

    `answered` are the ways that gave an answer without the token; the others gave none, which proves nothing.
    """

    way: ProofWay | None
    answered: frozenset[ProofWay] = frozenset()
    finding: str = ""


@dataclass(frozen=True, slots=True)
class KnownProofs:
    """What a process knows of all proofs at one moment (`now_ms`, Redis TIME), by declared host."""

    installation: Installation | None = None
    records: Mapping[str, ProofRecord] = field(default_factory=dict)
    now_ms: int = 0

    def find_standing(self, target: Target) -> TargetStanding:
        """Return how a target stands."""
        return find_standing(target, self.records.get(target.host), self.installation, self.now_ms)

    def begin_record(self) -> ProofRecord:
        """Return the first record of a target that has none."""
        stood = self.installation is not None and self.installation.stood and not self.installation.is_listed
        return ProofRecord(self.now_ms, stood)

    def explain_closed(self, target: Target) -> str | None:
        """Return why a target is closed, with what to publish where; None for one that is open."""
        is_open = self.find_standing(target).is_open
        return None if is_open else explain_unproven(target, self.installation)

    def check(self, target: Target) -> None:
        """Raise TargetNotAllowed, with what to publish where, for a public target without a proof."""
        why = self.explain_closed(target)
        if why is not None:
            raise TargetNotAllowed(why)


NOTHING_KNOWN = KnownProofs()


def is_private(target: Target) -> bool:
    """Whether a target needs no proof: its name can be nobody else's, or it is declared to be at private addresses."""
    host = find_proof_host(target)
    address = literal_address(host)
    if address is not None:
        # Of an address it shows what it is, whatever is declared.
        return classify(address) is not AddressKind.GLOBAL
    return target.allow_private_addresses or has_reserved_name(target)


def has_reserved_name(target: Target) -> bool:
    """Whether a target's name can be nobody's on the internet."""
    host = find_proof_host(target)
    return literal_address(host) is None and ("." not in host or host.endswith(RESERVED_ENDINGS))


def check_public_address(target: Target, host: str, address: IpAddress) -> None:
    """Raise TargetNotAllowed where a host that needs no proof, since it is private, is at a public address.

    Only a waiver permits that: otherwise the declaration, or the name, would open somebody's public site.
    """
    if classify(address) is not AddressKind.GLOBAL or not is_private(target) or read_waiver(target) is not None:
        return
    where = host if host == str(address) else f"{host} ({address})"
    if has_reserved_name(target):
        begin, prove = "its name is a private one", "declare it by a name of its own that you can prove"
    else:
        begin = "it is declared with allow_private_addresses"
        prove = f"take that away and prove the host (`captchad targets prove {target.host}`)"
    raise TargetNotAllowed(
        f'{where} is a public address, though {begin}; {prove}, or waive the proof with "proof": "{WAIVER} REASON"'
    )


def find_proof_host(target: Target) -> str:
    """Return the host whose proof counts: for a wildcard that of the domain it is under."""
    return target.host.removeprefix(WILDCARD)


def is_waiver(text: str) -> bool:
    """Whether a text waives a proof and says why."""
    return text.startswith(WAIVER) and bool(text.removeprefix(WAIVER).strip()) and text.isprintable()


def read_waiver(target: Target) -> str | None:
    """Return why a target's proof is waived; None where it isn't."""
    if target.proof is None or not is_waiver(target.proof):
        return None
    return target.proof.removeprefix(WAIVER).strip()


def find_standing(
    target: Target, record: ProofRecord | None, installation: Installation | None, now_ms: int
) -> TargetStanding:
    """Decide how a target stands."""
    # Ahead of private: with a waiver a private target may be at public addresses, which must be seen.
    if read_waiver(target) is not None:
        return TargetStanding(Standing.WAIVED)
    if is_private(target):
        return TargetStanding(Standing.PRIVATE)
    record = _forget_stale(record, now_ms)
    if record is not None and record.proven_ms is not None and record.lapsed_ms is None:
        return TargetStanding(Standing.PROVEN)
    until_ms = max(_find_grace_ends(record, installation), default=0)
    if now_ms < until_ms:
        return TargetStanding(Standing.GRACE, until_ms)
    return TargetStanding(Standing.UNPROVEN)


def _forget_stale(record: ProofRecord | None, now_ms: int) -> ProofRecord | None:
    """Return a record without its proof, and so without a grace for its lapse, where nobody has looked for long.

    A target that was dropped and comes back begins anew: meanwhile its host may have become somebody else's.
    """
    if record is None or now_ms - (record.checked_ms or 0) < LOOK_LASTS_MS:
        return record
    return replace(record, proven_ms=None, way=None, lapsed_ms=None)


def _find_grace_ends(record: ProofRecord | None, installation: Installation | None) -> list[int]:
    ends = []
    if installation is not None and installation.stood:
        # Until the targets of that time are listed, each that is declared counts as one of them.
        has_stood = record.stood if record is not None else not installation.is_listed
        ends += [installation.made_ms + UPGRADE_GRACE_MS] if has_stood else []
    if record is not None and record.lapsed_ms is not None:
        ends.append(record.lapsed_ms + LAPSE_GRACE_MS)
    return ends


def note_look(record: ProofRecord, look: Look, now_ms: int) -> ProofRecord:
    """Return a record after a look.

    A proof lapses only by an answer where it stood: a name server or a site that is away has not taken it back.
    """
    known = _forget_stale(record, now_ms) or record
    checked = replace(known, checked_ms=now_ms, finding=look.finding)
    if look.way is not None:
        return replace(checked, proven_ms=now_ms, way=look.way, lapsed_ms=None)
    if known.proven_ms is not None and known.lapsed_ms is None and known.way in look.answered:
        return replace(checked, lapsed_ms=now_ms)
    return checked


def name_record(host: str) -> str | None:
    """Return the name of the TXT record for a host; None for an address, which has no such record."""
    return None if literal_address(host) is not None else f"{RECORD_LABEL}.{host}"


def name_file(host: str) -> str:
    """Return the URL of the file for a host."""
    return f"https://{show_host(host)}{FILE_PATH}"


def explain_publishing(host: str, token: str) -> str:
    """Return what to publish where, in one line."""
    record, file = name_record(host), f"the file {name_file(host)} with the line {token}"
    return file if record is None else f'the DNS record {record} TXT "{token}", or {file}'


def explain_unproven(target: Target, installation: Installation | None) -> str:
    """Return why a public target is closed, and what opens it."""
    host = find_proof_host(target)
    begin = f"{target.host} is a public host that is not proven to be yours"
    if installation is None:
        return f"{begin}: `captchad targets prove {target.host}` says what to publish"
    publish = explain_publishing(host, installation.token)
    return f"{begin}: publish {publish}; `captchad targets prove {target.host}` checks it at once"

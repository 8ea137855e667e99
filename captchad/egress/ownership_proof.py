"""Looks whether a public host holds the installation's token, in its DNS or in a file of its site."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from captchad.domain.address import IpAddress
from captchad.domain.plain_text import bound_message
from captchad.domain.proof import Look, ProofWay, find_proof_host, name_file, name_record
from captchad.domain.target import Origin, Target
from captchad.egress.dialer import CheckedDialer
from captchad.egress.http_get import FetchedFile, GetFailed, HttpGetter
from captchad.egress.own_addresses import own_addresses
from captchad.egress.resolver import Resolver
from captchad.egress.scope import ScopePolicy
from captchad.egress.txt_records import LookupFailed, TxtRecords
from captchad.runtime.clock import Clock

FILE_LIMIT_BYTES = 16_384
TIME_LIMIT_SECONDS = 10.0
HTTPS_PORT = 443
SUCCESS, FAULTS_BEGIN, TOO_MANY = 200, 500, 429


class ProofPolicy(ScopePolicy):
    """The policy of where proofs are fetched: any host on its https port, as long as its addresses are public."""

    def __init__(self, protected: Iterable[tuple[str, int]] = (), own: Iterable[IpAddress] = ()) -> None:
        super().__init__((), protected, own)

    def _find(self, origin: Origin, today: date) -> Target:
        return Target(origin.host, (HTTPS_PORT,))


@dataclass(frozen=True, slots=True)
class _Answer:
    """What one way has shown; without `is_answer` it has shown nothing."""

    way: ProofWay
    finding: str
    is_answer: bool = True
    is_proof: bool = False


class ProofSeeker:
    """Looks for a target's proof in each place where it may stand."""

    def __init__(self, records: TxtRecords, getter: HttpGetter) -> None:
        self._records = records
        self._getter = getter

    async def look(self, target: Target, token: str) -> Look:
        """Return what was found: the first good proof, or what stands in its places instead."""
        host = find_proof_host(target)
        answers: list[_Answer] = []
        for ask in (self._ask_dns, self._ask_site):
            answer = await ask(host, target, token)
            if answer.is_proof:
                return Look(answer.way, frozenset(), bound_message(answer.finding))
            answers.append(answer)
        finding = bound_message("; ".join(answer.finding for answer in answers))
        return Look(None, frozenset(answer.way for answer in answers if answer.is_answer), finding)

    async def _ask_dns(self, host: str, _: Target, token: str) -> _Answer:
        name = name_record(host)
        if name is None:
            return _Answer(ProofWay.DNS, f"{host} is an address, which has no TXT record")
        try:
            texts = await self._records.read(name)
        except LookupFailed as error:
            return _Answer(ProofWay.DNS, f"{name}: {error}", is_answer=False)
        if token in (text.strip() for text in texts):
            return _Answer(ProofWay.DNS, f"{name} holds the token", is_proof=True)
        held = (
            f"{name} has {_count(texts, 'TXT record')}, none with the token" if texts else f"{name} has no TXT record"
        )
        return _Answer(ProofWay.DNS, held)

    async def _ask_site(self, host: str, target: Target, token: str) -> _Answer:
        url = name_file(host)
        try:
            file = await self._getter.get(url, target)
        except GetFailed as error:
            return _Answer(ProofWay.HTTPS, f"{url}: {error}", is_answer=False)
        if file.status == SUCCESS:
            if token in _read_lines(file):
                return _Answer(ProofWay.HTTPS, f"{url} holds the token", is_proof=True)
            if not file.is_whole:
                found = f"{url} was not read whole, since it broke off or is larger than {FILE_LIMIT_BYTES} bytes"
                return _Answer(ProofWay.HTTPS, found, is_answer=False)
            return _Answer(ProofWay.HTTPS, f"{url} has no line with the token")
        # A site that fails, or asks to be left alone, says nothing of the file.
        is_answer = file.status < FAULTS_BEGIN and file.status != TOO_MANY
        return _Answer(ProofWay.HTTPS, f"{url} answered {file.status}, and redirects are not followed", is_answer)


def _read_lines(file: FetchedFile) -> list[str]:
    # Some editors begin a file with a byte order mark.
    lines = file.body.decode("utf-8-sig", errors="replace").splitlines(keepends=True)
    # The last line of a beginning may go on: only a line that has its end is one.
    ended = lines if file.is_whole else [line for line in lines if line.endswith(("\r", "\n"))]
    return [line.strip() for line in ended]


def _count(texts: Sequence[str], what: str) -> str:
    return f"1 {what}" if len(texts) == 1 else f"{len(texts)} {what}s"


def make_seeker(
    nameservers: Sequence[str], protected: Iterable[tuple[str, int]], clock: Clock, version: str
) -> ProofSeeker:
    """Return a seeker that asks those name servers (none: the system's), and reaches nothing `protected`."""
    dialer = CheckedDialer(ProofPolicy(protected, own_addresses()), Resolver(), clock)
    getter = HttpGetter(dialer, TIME_LIMIT_SECONDS, FILE_LIMIT_BYTES, f"captchad/{version}")
    return ProofSeeker(TxtRecords(nameservers), getter)

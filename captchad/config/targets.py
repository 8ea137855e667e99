"""Checks declared targets: who answers for each, until when, and that none covers more than one owner's hosts."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

from captchad.config.certificates import is_pin
from captchad.config.settings import TargetSection
from captchad.config.shared_hosting import SHARED_HOSTING
from captchad.domain.errors import ConfigurationProblem, TargetNotAllowed
from captchad.domain.proof import is_waiver
from captchad.domain.target import (
    WILDCARD,
    check_spelled_address,
    is_loopback_host,
    literal_address,
    normalise_pattern,
)

AUTHORISATION_LIMIT_DAYS = 366


@dataclass(frozen=True, slots=True)
class TargetFindings:
    """What is wrong with the declared targets, and what is allowed but probably a mistake."""

    problems: tuple[ConfigurationProblem, ...]
    warnings: tuple[ConfigurationProblem, ...]


def check_targets(targets: Iterable[tuple[int, TargetSection]], today: date, source: str) -> TargetFindings:
    """Check targets, each with its place in the list."""
    problems: list[ConfigurationProblem] = []
    warnings: list[ConfigurationProblem] = []
    seen: dict[str, int] = {}
    for index, target in targets:
        path = f"security.targets[{index}]"
        problems += (ConfigurationProblem(f"{path}.{key}", text, source) for key, text in _find_faults(target, today))
        warnings += (ConfigurationProblem(f"{path}.{key}", text, source) for key, text in _find_doubts(target, today))
        host = _normalise_or_none(target.host)
        if host is not None and host in seen:
            message = f"{host} is declared already, by security.targets[{seen[host]}]; keep one with all its ports"
            problems.append(ConfigurationProblem(f"{path}.host", message, source))
        elif host is not None:
            seen[host] = index
    return TargetFindings(tuple(problems), tuple(warnings))


def normalise_declared_host(host: str) -> str:
    """Return a declared host, `*.` kept, as hosts are compared; TargetNotAllowed says what is wrong with it."""
    bare = host.removeprefix(WILDCARD)
    if not bare or "*" in bare:
        raise TargetNotAllowed("`*` alone or inside a name is refused; declare a host or *.host")
    if "://" in bare or "/" in bare:
        raise TargetNotAllowed(f"{host!r} is a URL; give its host alone")
    if bare.count(":") == 1:
        raise TargetNotAllowed(f"{host!r} has a port in it; give the host alone, and the port in ports")
    normal = normalise_pattern(host)
    under = normal.removeprefix(WILDCARD)
    if normal != under and literal_address(under) is not None:
        raise TargetNotAllowed("a wildcard over an address is refused; declare each address")
    if normal != under and not is_loopback_host(under):
        _check_owned_by_one(under)
    return normal


def _check_owned_by_one(under: str) -> None:
    if _is_public_suffix(under):
        raise TargetNotAllowed(f"a wildcard over {under} is refused: anyone can register names under it")
    suffix = _find_public_suffix_below(under)
    if suffix is not None:
        message = f"a wildcard over {under} is refused: it covers {suffix}, under which anyone can register names"
        raise TargetNotAllowed(message)


def _normalise_or_none(host: str) -> str | None:
    try:
        return normalise_declared_host(host)
    except TargetNotAllowed:
        return None


def _find_faults(target: TargetSection, today: date) -> Iterator[tuple[str, str]]:
    try:
        host = normalise_declared_host(target.host)
    except TargetNotAllowed as error:
        yield "host", error.message
        host = target.host
    if not is_loopback_host(host.removeprefix(WILDCARD)):
        if not target.owner.strip():
            yield "owner", "is required: who answers for this site"
        if not target.reference.strip():
            yield "reference", "is required: the ticket or letter that authorises the test"
        if target.expires is None:
            yield "expires", f"is required: the last day of the authorisation, at most {_last_day(today)}"
    if not all(is_pin(pin) for pin in target.certificate_pins):
        yield (
            "certificate_pins",
            "a pin is the base64 of a SHA-256 (44 characters); docs/security.md says how to get one",
        )
    if target.proof is not None and not is_waiver(target.proof):
        yield "proof", 'must be "waived: REASON", or be left out where the host is proven by its DNS or its site'
    if host.startswith(WILDCARD) and target.allow_private_addresses:
        message = "a wildcard can't be at private addresses; declare each host that is at one by its own name"
        yield "allow_private_addresses", message
    if target.expires is not None and target.expires > today + timedelta(days=AUTHORISATION_LIMIT_DAYS):
        yield "expires", f"is more than {AUTHORISATION_LIMIT_DAYS} days ahead; the latest is {_last_day(today)}"


def _find_doubts(target: TargetSection, today: date) -> Iterator[tuple[str, str]]:
    if target.expires is not None and target.expires < today:
        yield "expires", f"the authorisation ended on {target.expires.isoformat()}; tasks for it are refused"
    host = _normalise_or_none(target.host)
    if host is None:
        return
    try:
        check_spelled_address(target.model_copy(update={"host": host}).to_target(), host.removeprefix(WILDCARD))
    except TargetNotAllowed as error:
        yield "host", f"its pages are refused: {error.message}"


def _last_day(today: date) -> str:
    return (today + timedelta(days=AUTHORISATION_LIMIT_DAYS)).isoformat()


@lru_cache(maxsize=256)
def _is_public_suffix(host: str) -> bool:
    # The list takes a tenth of a second to read; most configurations have no wildcard.
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415

    return bool(PublicSuffixList(_read_suffix_rules()).is_public(host))


@lru_cache(maxsize=256)
def _find_public_suffix_below(host: str) -> str | None:
    """Return a public suffix that a wildcard over `host` would cover: windows.net has blob.core.windows.net."""
    for rule in _read_suffix_rules():
        # A rule that begins with "!" takes a name out of the list.
        if rule.startswith("!"):
            continue
        suffix = rule.removeprefix(WILDCARD)
        if (suffix if suffix.isascii() else suffix.encode("idna").decode("ascii")).endswith(f".{host}"):
            return suffix
    return None


@lru_cache(maxsize=1)
def _read_suffix_rules() -> tuple[str, ...]:
    from publicsuffixlist import PSLFILE  # noqa: PLC0415

    lines = (line.strip().lower() for line in Path(PSLFILE).read_text(encoding="utf-8").splitlines())
    return (*(line for line in lines if line and not line.startswith("//")), *SHARED_HOSTING)

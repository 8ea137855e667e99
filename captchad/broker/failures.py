"""What a failed call to Redis means: silence, a refusal that passes, full memory, a missing right, or our own fault."""

import re
from dataclasses import dataclass
from enum import StrEnum

from redis import exceptions

from captchad.domain.errors import CaptchadError


class FailureKind(StrEnum):
    """What has to change before the same call can succeed; all but a missing right change by themselves or soon."""

    SILENT = "silent"
    REFUSED = "refused"
    FULL = "full"
    FORBIDDEN = "forbidden"


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed call; `code` is the first word of Redis's error, empty where it said nothing."""

    kind: FailureKind
    message: str
    code: str = ""

    @property
    def may_be_elsewhere(self) -> bool:
        """Whether a new connection may lead to another server: this one is not the master any more."""
        return self.code in _DEMOTED

    @property
    def advice(self) -> str:
        """What an operator can set where a login or a right is refused."""
        return _ADVICE.get(self.code, "")

    @property
    def concerns_reads(self) -> bool:
        """Whether reads fail as well, so that one which succeeds shows that this is over."""
        return self.kind is FailureKind.SILENT or self.code in _REFUSING_ALL

    def is_like(self, other: "Failure") -> bool:
        """Whether another failure is no news after this one: one and the same fault shows by several codes."""
        return self.code == other.code or self.message == other.message


NO_ANSWER = "Redis does not answer: "
_DETAIL_LENGTH_LIMIT = 200
_DEMOTED = frozenset({"READONLY", "MASTERDOWN", "UNBLOCKED"})
_LOGIN_ADVICE = "set its user and password in redis.url, or redis.master.username and REDIS_PASSWORD"
_ADVICE = {
    "NOAUTH": _LOGIN_ADVICE,
    "WRONGPASS": _LOGIN_ADVICE,
    "NOPERM": "give its user the rights of config/redis.acl",
}
_REFUSING_ALL = frozenset({"LOADING", "BUSY", "CLUSTERDOWN", "TRYAGAIN", "MASTERDOWN"})
# A blocking read is told otherwise than a script.
_NO_MASTER = "Redis takes no writes: it is a replica, or not the master any more"
_MEANINGS: dict[str, tuple[FailureKind, str]] = {
    "READONLY": (FailureKind.REFUSED, _NO_MASTER),
    "MASTERDOWN": (FailureKind.REFUSED, "Redis takes no writes: it is a replica whose master is away"),
    "UNBLOCKED": (FailureKind.REFUSED, _NO_MASTER),
    "NOREPLICAS": (FailureKind.REFUSED, "Redis takes no writes: it has fewer replicas than min-replicas-to-write"),
    "MISCONF": (FailureKind.REFUSED, "Redis takes no writes: it can't write to its disk"),
    "LOADING": (FailureKind.REFUSED, "Redis is not ready: it is loading its data"),
    "BUSY": (FailureKind.REFUSED, "Redis is not ready: a script keeps it busy"),
    "CLUSTERDOWN": (FailureKind.REFUSED, "Redis is not ready: its cluster is down"),
    "TRYAGAIN": (FailureKind.REFUSED, "Redis is not ready: its cluster is moving keys"),
    "OOM": (FailureKind.FULL, "Redis is full: its memory has reached maxmemory"),
    "NOPERM": (FailureKind.FORBIDDEN, "Redis refuses a right"),
    "NOAUTH": (FailureKind.FORBIDDEN, "Redis refuses the login"),
    "WRONGPASS": (FailureKind.FORBIDDEN, "Redis refuses the login"),
}
FULL_MEMORY = Failure(*_MEANINGS["OOM"], "OOM")
_EXPLAINED = frozenset({"MISCONF", "NOPERM", "NOAUTH", "WRONGPASS"})
"""Codes whose own words say more than ours: which disk error, which right."""

_CODE = re.compile(rf"(?:^|: -?|\(['\"])({'|'.join(_MEANINGS)})\b")
"""At the start of an error; before 7.0, behind the place in a script where it happened; in a pipeline, in brackets."""
_OTHER_WORDS = {
    # Rights that a script lacks, before 7.0 and since.
    "The user executing the script can't": "NOPERM",
    "ACL failure in script": "NOPERM",
    "WAIT cannot be used with replica": "READONLY",
    # The driver's own words for a demoted master that Sentinel had named.
    "The previous master is now a slave": "READONLY",
}
_FOREIGN = "WRONGTYPE"
_NAMELESS = re.compile(r"(?:one of the|a) (key|channel)s?(?: used as arguments?)?")
"""What of a right Redis does not name, in the words of all versions."""
_SCRIPT_PLACE = re.compile(r" script: \S+, on @.*$")


def classify(error: Exception) -> Failure | None:
    """Return what an error of the driver means; None where the call itself was wrong."""
    text = " ".join(str(error).split())
    code = _find_code(error, text)
    if code:
        kind, message = _MEANINGS[code]
        return Failure(kind, f"{message}: {_read_detail(text, code)}" if code in _EXPLAINED else message, code)
    if isinstance(error, exceptions.AuthenticationError):
        return Failure(FailureKind.FORBIDDEN, f"Redis refuses the login: {text}", "NOAUTH")
    if isinstance(error, (exceptions.ResponseError, exceptions.DataError)):
        return None
    return Failure(FailureKind.SILENT, f"{NO_ANSWER}{text or type(error).__name__}")


def raise_if_foreign(error: Exception) -> None:
    """Raise the error that says so where one of captchad's keys holds what captchad has not written."""
    if isinstance(error, exceptions.ResponseError) and _FOREIGN in str(error):
        raise CaptchadError(
            "a key of captchad holds another type of value in Redis than captchad writes (WRONGTYPE): "
            "find out who wrote it, and delete that key or restore a backup"
        ) from error


def _find_code(error: Exception, text: str) -> str:
    """Return the code of an error, wherever server and driver have put it; empty where it bears none of ours."""
    # The driver takes the code off the text of those errors that it has a class for.
    taken_off = getattr(error, "status_code", None)
    if taken_off in _MEANINGS:
        return str(taken_off)
    found = _CODE.search(text)
    if found:
        return found[1]
    return next((code for words, code in _OTHER_WORDS.items() if words in text), "")


def _read_detail(text: str, code: str) -> str:
    detail = _NAMELESS.sub(r"the \1s of captchad:*", text.partition(code)[2] or text)
    return _SCRIPT_PLACE.sub("", detail).strip(" :-()'\",.")[:_DETAIL_LENGTH_LIMIT]

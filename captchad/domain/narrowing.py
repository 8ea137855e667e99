"""What an operator narrows of a target while everything runs; never wider than the configuration declares it."""

from dataclasses import dataclass, replace
from datetime import date

from captchad.domain.errors import TargetNotAllowed
from captchad.domain.target import Target


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Limits below those of the configuration, None where that one counts; `paused_ms`: since when nothing is begun."""

    expires: date | None = None
    max_per_minute: int | None = None
    max_concurrent: int | None = None
    paused_ms: int | None = None

    def apply(self, target: Target) -> Target:
        """Return a target as it counts now: of each limit the narrower one, whatever was said when."""
        expires = [day for day in (self.expires, target.expires) if day is not None]
        return replace(
            target,
            expires=min(expires, default=None),
            max_per_minute=min(target.max_per_minute, self.max_per_minute or target.max_per_minute),
            max_concurrent=min(target.max_concurrent, self.max_concurrent or target.max_concurrent),
        )


NOT_NARROWED = Narrowing()


def check_narrowing(target: Target, wanted: Narrowing) -> None:
    """Raise TargetNotAllowed where a limit would be wider than the declared one."""
    declared: list[tuple[str, date | int | None, date | int | None]] = [
        ("expires", wanted.expires, target.expires),
        ("max_per_minute", wanted.max_per_minute, target.max_per_minute),
        ("max_concurrent", wanted.max_concurrent, target.max_concurrent),
    ]
    for name, asked, most in declared:
        if asked is not None and most is not None and asked > most:  # type: ignore[operator]
            raise TargetNotAllowed(
                f"{name} {asked} is wider than the {most} that {target.host} is declared with; "
                "widen it in security.targets"
            )

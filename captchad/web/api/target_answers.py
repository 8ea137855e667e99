"""Models of the answers about declared targets, for the OpenAPI document."""

from typing import Literal

from pydantic import Field

from captchad.web.answers import Answer, Time


class LimitsAnswer(Answer):
    """What a target is declared with in the configuration."""

    expires: str | None = Field(description="last day (UTC) of the authorisation; null for a loopback host without one")
    max_per_minute: int = Field(description="number of visits a minute")
    max_concurrent: int = Field(description="number of pages open at once")


class ProofAnswer(Answer):
    """What was found when the proof was looked for; times are null where it never came to that."""

    way: Literal["dns", "https"] | None = Field(description="where the last good proof stood")
    proven_at: Time | None = Field(description="when it was last found")
    lapsed_at: Time | None = Field(description="since when it is not found any more where it stood")
    checked_at: Time | None = Field(description="when it was last looked for")
    finding: str = Field(description="what the last look found, in words")


class TargetAnswer(Answer):
    """A declared target as it counts now, with what operators have narrowed."""

    host: str = Field(description="as it is declared")
    ports: list[int] = Field(description="numbers of the ports that may be reached")
    expires: str | None = Field(description="last day (UTC) on which it may be visited, as narrowed")
    max_per_minute: int = Field(description="number of visits a minute, as narrowed")
    max_concurrent: int = Field(description="number of pages open at once, as narrowed")
    declared: LimitsAnswer = Field(description="the limits of the configuration")
    paused_at: Time | None = Field(description="since when nothing is begun there; null: it is not paused")
    standing: Literal["private", "waived", "proven", "grace", "unproven"] = Field(
        description="how its ownership is shown; only an unproven one is closed"
    )
    grace_until: Time | None = Field(description="when a target in grace is closed unless a proof is found")
    waiver: str | None = Field(description="why no proof is asked for")
    proof: ProofAnswer | None = Field(description="null where none was ever looked for")


class TargetList(Answer):
    """Every declared target."""

    targets: list[TargetAnswer] = Field(description="in the order of the configuration")


class ResumedTarget(Answer):
    """A target whose tasks begin again."""

    host: str = Field(description="as it is declared")
    waiting_tasks: int = Field(description="number of tasks that waited for it")

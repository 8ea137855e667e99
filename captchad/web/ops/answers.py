"""Models of the answers of the routes for operators."""

from typing import Any, Literal

from pydantic import Field

from captchad.web.answers import Answer


class ServiceAnswer(Answer):
    """One part of a role."""

    ready: bool = Field(description="whether it can do its work")
    reason: str = Field(description="why it can't; empty where it can")
    details: dict[str, Any] = Field(description="what it reports about itself, by name")


class HealthAnswer(Answer):
    """How a role is."""

    status: Literal["ok", "unavailable", "draining"] = Field(description="`ok` where all its parts are ready")
    role: str = Field(description="gateway, scheduler, worker or monitor")
    name: str = Field(description="as logs and /workers name it")
    version: str = Field(description="its release of captchad")
    services: dict[str, ServiceAnswer] = Field(description="its parts, by name")


class ProbeAnswer(Answer):
    """The answer to a probe."""

    status: Literal["ok", "unavailable", "draining"] = Field(description="`ok` where the answer is 200")

"""Models of the answers of the routes for operators."""

from typing import Any, Literal

from captchad.web.answers import Answer


class ServiceAnswer(Answer):
    """One part of a role."""

    ready: bool
    reason: str
    details: dict[str, Any]


class HealthAnswer(Answer):
    """How a role is."""

    status: Literal["ok", "unavailable", "draining"]
    role: str
    name: str
    version: str
    services: dict[str, ServiceAnswer]


class ProbeAnswer(Answer):
    """The answer to a probe."""

    status: str

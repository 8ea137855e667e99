"""Models every role's answers are described by."""

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """Base of all answers."""

    # Built at first use: they describe answers, so most processes never need them.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class ViolationAnswer(Answer):
    """One wrong field: a JSON pointer into the body, or `?name` for a query parameter."""

    pointer: str
    message: str


class Problem(Answer):
    """RFC 9457 problem details; `code` is stable."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    violations: list[ViolationAnswer] | None = None
    task_id: str | None = None

"""Models every role's answers are described by."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from captchad.domain.identifier import TASK_ID_PATTERN

Time = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
"""UTC, ISO 8601 with milliseconds, ending in Z."""
TaskId = Annotated[str, Field(pattern=f"^{TASK_ID_PATTERN}$")]


class Answer(BaseModel):
    """Base of all answers."""

    # Built at first use: they describe answers, so most processes never need them.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class ViolationAnswer(Answer):
    """One wrong field or query parameter."""

    pointer: str = Field(description="a JSON pointer (RFC 6901) into the body, or `?name` for a query parameter")
    message: str = Field(description="what is wrong there, and what would be right")


class Problem(Answer):
    """RFC 9457 problem details."""

    type: str = Field(description="`urn:captchad:problem:` and the code")
    title: str = Field(description="what the code means, in words")
    status: int = Field(description="the HTTP status code of the answer")
    detail: str = Field(description="what went wrong this time, and what to do")
    code: str = Field(description="the kind of failure; it never changes its meaning")
    request_id: str = Field(description="names this request in the log of the role, as X-Request-Id does")
    violations: list[ViolationAnswer] | None = Field(
        default=None, description="every wrong field, at most 50; absent where no field is to blame"
    )
    task_id: TaskId | None = Field(
        default=None, description="a task that may have been stored; repeat with the same Idempotency-Key"
    )

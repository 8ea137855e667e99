"""What each operation may answer, for the OpenAPI document: statuses, bodies, headers and links."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel

from captchad.web.answers import Answer
from captchad.web.api.answer_examples import ANSWER_EXAMPLES, TEXT_EXAMPLES
from captchad.web.api.answer_headers import LIMITED, OF_STATUSES, refer_to_headers
from captchad.web.api.links import LINKS
from captchad.web.problems import PROBLEM_TYPE, STATUSES, TITLES, describe_problem
from captchad.web.request_id import EXAMPLE_REQUEST_ID
from captchad.web.routes import JSON_TYPE, Route

ANY_ROUTE = (
    "invalid_request",
    "method_not_allowed",
    "request_timeout",
    "url_too_long",
    "headers_too_large",
    "internal_error",
)
"""What may be refused of any request."""
SCOPED_ROUTE = ("unauthorized", "forbidden", "broker_unavailable")
"""What else, where not everybody may call."""
JSON_OBJECT = {"type": "object"}

References = Mapping[type[BaseModel], dict[str, Any]]


class AnswerDescriptions:
    """Describes the answers of one operation after the other; failures that several have stand in `shared` once."""

    def __init__(self, references: References, problem: dict[str, Any]) -> None:
        self._references = references
        self._problem = problem
        self.shared: dict[str, dict[str, Any]] = {}

    def describe(self, route: Route) -> dict[str, Any]:
        """Return the `responses` of an operation."""
        answers = {str(status): self._describe_success(route, status) for status in route.answers}
        for status, codes in sorted(_list_failures(route).items()):
            if str(status.value) in answers:
                # A route's own answer of that status: a probe's, that bears no Retry-After.
                answers[str(status.value)]["content"] |= self._describe_problem(status, codes)
            else:
                answers[str(status.value)] = self._refer_to_failure(status, codes, is_limited=_is_limited(route))
        return answers

    def _describe_success(self, route: Route, status: int) -> dict[str, Any]:
        answer = route.answers[status]
        described: dict[str, Any] = {
            "description": _read_meaning(answer) or route.summary,
            "headers": refer_to_headers(*route.headers, *(LIMITED if _is_limited(route) else ())),
            "content": self._describe_content(answer),
        }
        links = LINKS.get(route.handler.__name__, {}).get(status)
        return described if links is None else {**described, "links": links}

    def _describe_content(self, answer: type[BaseModel] | str | tuple[str, ...]) -> dict[str, Any]:
        if isinstance(answer, tuple):
            return {media_type: {} for media_type in answer}
        if isinstance(answer, str):
            schema = JSON_OBJECT if answer == JSON_TYPE else {"type": "string"}
            example = {"example": TEXT_EXAMPLES[answer]} if answer in TEXT_EXAMPLES else {}
            return {answer: {"schema": schema, **example} if not answer.startswith("image/") else {}}
        assert issubclass(answer, Answer)
        examples = {name: {"summary": name, "value": value} for name, value in ANSWER_EXAMPLES[answer].items()}
        return {JSON_TYPE: {"schema": self._references[answer], "examples": examples}}

    def _refer_to_failure(self, status: HTTPStatus, codes: Iterable[str], *, is_limited: bool) -> dict[str, Any]:
        name = ".".join((*codes, "limited")) if is_limited else ".".join(codes)
        self.shared[name] = {
            "description": "; ".join(f"`{code}`: {TITLES[code]}" for code in codes),
            "headers": refer_to_headers(*OF_STATUSES.get(status, ()), *(LIMITED if is_limited else ())),
            "content": self._describe_problem(status, codes),
        }
        return {"$ref": f"#/components/responses/{name}"}

    def _describe_problem(self, status: HTTPStatus, codes: Iterable[str]) -> dict[str, Any]:
        own = {"code": {"enum": list(codes)}, "status": {"const": status.value}}
        examples = {
            code: {"summary": TITLES[code], "value": describe_problem(code, TITLES[code], EXAMPLE_REQUEST_ID)}
            for code in codes
        }
        return {PROBLEM_TYPE: {"schema": {**self._problem, "properties": own}, "examples": examples}}


def _list_failures(route: Route) -> dict[HTTPStatus, list[str]]:
    codes = dict.fromkeys(
        (
            *route.errors,
            *(("not_found",) if "{" in route.path else ()),
            *(SCOPED_ROUTE if route.scope is not None else ()),
            *ANY_ROUTE,
        )
    )
    failures: dict[HTTPStatus, list[str]] = {}
    for code in codes:
        failures.setdefault(STATUSES[code], []).append(code)
    return failures


def _read_meaning(answer: object) -> str:
    """Return the first sentence of what a model says it is; nothing of a media type."""
    return (answer.__doc__ or "").partition("\n")[0] if isinstance(answer, type) else ""


def _is_limited(route: Route) -> bool:
    return "rate_limited" in route.errors

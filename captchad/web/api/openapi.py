"""The OpenAPI 3.1 document, made from the route table and the very models that check the bodies."""

import re
from collections.abc import Iterable
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from pydantic_core import core_schema

from captchad.domain.api_key import Scope
from captchad.web.answers import Problem
from captchad.web.api.examples import EXAMPLES
from captchad.web.problems import PROBLEM_TYPE, STATUSES, TITLES
from captchad.web.routes import JSON_TYPE, ROUTES, QueryParameter, Route

OPENAPI_VERSION = "3.1.0"
COMMON_ERRORS = ("unauthorized", "forbidden", "broker_unavailable", "internal_error")
Mode = Literal["validation", "serialization"]
References = dict[tuple[type[BaseModel], Mode], dict[str, Any]]
_PATH_PARAMETER = re.compile(r"\{(\w+)\}")


class _WithoutNull(GenerateJsonSchema):
    """Describes optional fields of bodies as they are: absent or of their type, never null."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> dict[str, Any]:
        if self.mode == "validation":
            return self.generate_inner(schema["schema"])
        return super().nullable_schema(schema)

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> dict[str, Any]:
        described = super().default_schema(schema)
        return {name: value for name, value in described.items() if name != "default" or value is not None}


def build_document(routes: Iterable[Route], version: str) -> dict[str, Any]:
    """Return the OpenAPI document of `routes`."""
    listed = list(routes)
    references, schemas = _collect_schemas(listed)
    paths: dict[str, dict[str, Any]] = {}
    for route in listed:
        paths.setdefault(route.path, {})[route.method.lower()] = _describe(route, references)
    return {
        "openapi": OPENAPI_VERSION,
        "info": {
            "title": "captchad",
            "version": version,
            "description": "Recognition of text captchas on sites you run or are authorised to test.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "needed if security.api_key_required"},
                "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


def list_routes(application: web.Application) -> list[Route]:
    """Return an application's own routes in the order they were added, each once; not those of other services."""
    own = (route for route in application[ROUTES].values() if route.answer_failure is None)
    return list({(route.method, route.path): route for route in own}.values())


def _collect_schemas(routes: list[Route]) -> tuple[References, dict[str, Any]]:
    models: dict[tuple[type[BaseModel], Mode], None] = {(Problem, "serialization"): None}
    for route in routes:
        if route.body is not None:
            models[route.body, "validation"] = None
        for answer in route.answers.values():
            if not isinstance(answer, str):
                models[answer, "serialization"] = None
    references, definitions = models_json_schema(
        list(models), ref_template="#/components/schemas/{model}", schema_generator=_WithoutNull
    )
    return {(model, mode): references[model, mode] for model, mode in models}, definitions["$defs"]


def _describe(route: Route, references: References) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.handler.__name__,
        "summary": route.summary,
        "parameters": [
            *_path_parameters(route.path),
            *(_query_parameter(parameter) for parameter in route.query or ()),
        ],
        "responses": _describe_answers(route, references),
        "security": _describe_security(route.scope),
    }
    if route.takes_idempotency_key:
        operation["parameters"].append(_IDEMPOTENCY_PARAMETER)
    if route.body is not None:
        operation["requestBody"] = _describe_body(route.body, references)
    return operation


def _describe_body(body: type[BaseModel], references: References) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": references[body, "validation"]}
    if body in EXAMPLES:
        content["examples"] = {name: {"summary": name, "value": value} for name, value in EXAMPLES[body].items()}
    return {"required": True, "content": {JSON_TYPE: content}}


def _describe_answers(route: Route, references: References) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    for status, answer in route.answers.items():
        if isinstance(answer, str):
            content: dict[str, Any] = {answer: {}}
        else:
            content = {JSON_TYPE: {"schema": references[answer, "serialization"]}}
        answers[str(status)] = {"description": route.summary, "content": content}
    codes: dict[int, list[str]] = {}
    for code in () if route.scope is None else dict.fromkeys((*route.errors, *COMMON_ERRORS)):
        codes.setdefault(STATUSES[code].value, []).append(code)
    for status, names in sorted(codes.items()):
        if str(status) not in answers:
            answers[str(status)] = {
                "description": "; ".join(f"`{name}`: {TITLES[name]}" for name in names),
                "content": {PROBLEM_TYPE: {"schema": references[Problem, "serialization"]}},
            }
    return answers


def _describe_security(scope: Scope | None) -> list[dict[str, list[str]]]:
    # The empty requirement: keys are asked for only where the configuration says so.
    return [] if scope is None else [{}, {"bearer": []}, {"header": []}]


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PATH_PARAMETER.findall(path)
    ]


def _query_parameter(parameter: QueryParameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": "query",
        "required": False,
        "schema": parameter.schema,
        "description": parameter.description,
    }


_IDEMPOTENCY_PARAMETER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    "description": "the same key and body give the same task for as long as its record lives",
}

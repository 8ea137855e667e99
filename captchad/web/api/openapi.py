"""The OpenAPI 3.1 document, made from the route table and the very models that check the bodies."""

import re
from collections.abc import Iterable
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from pydantic_core import core_schema

from captchad.domain.api_key import Scope
from captchad.domain.identifier import TASK_ID_PATTERN
from captchad.domain.task_limits import HOST_LENGTH_LIMIT
from captchad.web.answers import Problem
from captchad.web.api.answer_headers import HEADERS
from captchad.web.api.examples import EXAMPLE_TASK_ID, EXAMPLES
from captchad.web.api.openapi_answers import AnswerDescriptions
from captchad.web.api.task_parameters import IDEMPOTENCY_KEY_LIMIT
from captchad.web.routes import JSON_TYPE, ROUTES, QueryParameter, Route

OPENAPI_VERSION = "3.1.0"
Mode = Literal["validation", "serialization"]
References = dict[tuple[type[BaseModel], Mode], dict[str, Any]]
_PATH_PARAMETER = re.compile(r"\{(\w+)\}")


class _WithoutNull(GenerateJsonSchema):
    """Describes optional fields as they are: absent or of their type, never null."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> dict[str, Any]:
        inner = schema["schema"]
        if schema.get("default", ...) is None and inner["type"] == "nullable":
            return self.generate_inner(inner["schema"])
        return super().default_schema(schema)

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def build_document(routes: Iterable[Route], version: str, are_keys_required: bool) -> dict[str, Any]:
    """Return the OpenAPI document of `routes`."""
    listed = list(routes)
    references, schemas = _collect_schemas(listed)
    described = {model: reference for (model, mode), reference in references.items() if mode == "serialization"}
    answers = AnswerDescriptions(described, described[Problem])
    paths: dict[str, dict[str, Any]] = {}
    for route in listed:
        operation = _describe(route, references) | {
            "responses": answers.describe(route),
            "security": _describe_security(route.scope, are_keys_required),
        }
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": OPENAPI_VERSION,
        "info": {
            "title": "captchad",
            "version": version,
            "description": "Recognition of text captchas on sites you run or are authorised to test. What answers GET "
            "answers HEAD too, apart from /events.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": answers.shared,
            "headers": HEADERS,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer KEY`"},
                "header": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "the key alone"},
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
            if not isinstance(answer, (str, tuple)):
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
            *(_PATH_PARAMETERS[name] for name in _PATH_PARAMETER.findall(route.path)),
            *(_query_parameter(parameter) for parameter in route.query or ()),
        ],
    }
    if route.takes_idempotency_key:
        operation["parameters"].append(_IDEMPOTENCY_PARAMETER)
    if route.body is not None:
        operation["requestBody"] = _describe_body(route.body, references)
    return operation


def _describe_body(body: type[BaseModel], references: References) -> dict[str, Any]:
    examples = {name: {"summary": name, "value": value} for name, value in EXAMPLES[body].items()}
    content = {"schema": references[body, "validation"], "examples": examples}
    return {"required": True, "content": {JSON_TYPE: content}}


def _describe_security(scope: Scope | None, are_keys_required: bool) -> list[dict[str, list[str]]]:
    if scope is None:
        return []
    either: list[dict[str, list[str]]] = [{"bearer": []}, {"header": []}]
    return either if are_keys_required else [{}, *either]


def _query_parameter(parameter: QueryParameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": "query",
        "required": False,
        "schema": parameter.schema,
        "description": parameter.description,
    }


_PATH_PARAMETERS = {
    "task_id": {
        "name": "task_id",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "pattern": f"^{TASK_ID_PATTERN}$", "examples": [EXAMPLE_TASK_ID]},
        "description": "which task: `task_id` of the answer to its submit",
    },
    "host": {
        "name": "host",
        "in": "path",
        "required": True,
        "schema": {
            "type": "string",
            "minLength": 1,
            "maxLength": HOST_LENGTH_LIMIT,
            "examples": ["captcha.example.com"],
        },
        "description": "a target's host, as the configuration declares it",
    },
}
_IDEMPOTENCY_PARAMETER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": IDEMPOTENCY_KEY_LIMIT,
        "pattern": "^[!-~]+$",
        "examples": ["order-4711"],
    },
    "description": "the same key and body give the same task for as long as its record lives; without it every submit "
    "makes a new one",
}

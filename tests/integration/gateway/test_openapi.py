"""The OpenAPI document leaves nothing unsaid, and its examples are what the gateway takes and answers."""

import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from pydantic import SecretStr

from captchad.broker.connection import Broker
from captchad.web.api.documentation import JSON_TYPE
from captchad.web.problems import STATUSES
from tests.integration.gateway.conftest import RunningGateway, StartGateway, configure
from tests.integration.gateway.test_docs_page import complete

UNITS = re.compile(
    r"seconds|milliseconds|bytes|percent|probability|characters|HTTP status|^pid$|^ports$"
    r"|number of (tasks|workers|visits|pages|attempts|slots|browsers|callbacks|dead letters|times|requests|its process)"
    r"|how many (attempts|answers|visits|times)|most tasks"
)
DEFAULTS = re.compile(r"without it|default")
RECEIVERS = {"callback_hosts": ("hooks.example.com",), "callback_secret": SecretStr("s" * 40)}


@pytest.fixture
async def document(gateway: RunningGateway) -> dict[str, Any]:
    async with gateway.session.get("/openapi.json") as answer:
        found: dict[str, Any] = await answer.json()
    return found


def walk(value: Any, place: str = "#") -> Iterator[tuple[str, Any]]:
    """Yield everything in a document with its place."""
    yield place, value
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in inside:
        yield from walk(inner, f"{place}/{str(name).replace('/', '~1')}")


def list_described(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """Yield place, name, description and schema of every property, parameter and header."""
    for place, value in walk(document):
        if not isinstance(value, dict):
            continue
        # Beside a reference and in an alternative, properties only narrow those that are described elsewhere.
        if isinstance(value.get("properties"), dict) and "$ref" not in value and "/oneOf/" not in place:
            for name, schema in value["properties"].items():
                yield f"{place}/{name}", name, schema, schema
        if "schema" in value and "content" not in value and "in" in value:
            yield place, value["name"], value, value["schema"]
    for name, header in document["components"]["headers"].items():
        yield f"headers/{name}", name, header, header["schema"]


def is_number(schema: dict[str, Any]) -> bool:
    options = [schema, *schema.get("anyOf", ()), schema.get("additionalProperties", {})]
    return any(isinstance(option, dict) and option.get("type") in {"integer", "number"} for option in options)


def list_optional(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every part of a request that may be left out."""
    requests = [
        operation["requestBody"]["content"][JSON_TYPE]["schema"]
        for operations in document["paths"].values()
        for operation in operations.values()
        if "requestBody" in operation
    ]
    seen: set[str] = set()
    while requests:
        reference = requests.pop()["$ref"].split("/")[-1]
        if reference not in seen:
            seen.add(reference)
            schema = document["components"]["schemas"][reference]
            requests += [value for _, value in walk(schema) if isinstance(value, dict) and "$ref" in value]
            for name, field in schema["properties"].items():
                if name not in schema.get("required", ()):
                    yield f"{reference}.{name}", field
    for place, value in walk(document["paths"]):
        if isinstance(value, dict) and value.get("required") is False and "in" in value:
            yield place, value["schema"] | {"description": value["description"]}


def test_nothing_is_without_its_description_unit_and_default(document: dict[str, Any]) -> None:
    described = list(list_described(document))
    assert len(described) > 150
    assert [place for place, _, outer, _ in described if not outer.get("description")] == []
    numbers = [(place, name, outer["description"]) for place, name, outer, schema in described if is_number(schema)]
    assert [place for place, name, text in numbers if not UNITS.search(text) and not UNITS.search(name)] == []
    optional = list(list_optional(document))
    assert len(optional) > 40
    assert [
        place for place, field in optional if "default" not in field and not DEFAULTS.search(field["description"])
    ] == []
    schemas = document["components"]["schemas"]
    assert [name for name, schema in schemas.items() if not schema.get("description")] == []


def test_every_reference_and_every_link_leads_somewhere(document: dict[str, Any]) -> None:
    places = {place for place, _ in walk(document)}
    operations = {one["operationId"] for path in document["paths"].values() for one in path.values()}
    for place, value in walk(document):
        if isinstance(value, dict) and "$ref" in value:
            assert value["$ref"] in places, place
        if isinstance(value, dict) and "operationId" in value:
            assert value["operationId"] in operations, place


def test_every_code_is_an_answer_of_some_operation(document: dict[str, Any]) -> None:
    codes = {
        code
        for place, value in walk(document["components"]["responses"])
        if place.endswith("/properties/code")
        for code in value["enum"]
    }
    # Nothing is unbuilt in this release.
    assert codes == set(STATUSES) - {"not_implemented"}


async def test_every_header_of_an_answer_is_described(gateway: RunningGateway, document: dict[str, Any]) -> None:
    async with gateway.session.get("/livez") as answer:
        borne = set(answer.headers) - {"Content-Type", "Content-Length", "Date"}
    described = {name.lower() for name in document["paths"]["/livez"]["get"]["responses"]["200"]["headers"]}
    assert borne
    assert {name.lower() for name in borne} <= described


def list_examples(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Yield place, schema and value of every example of a JSON body, and of every parameter and header."""
    for place, value in walk(document):
        if not isinstance(value, dict):
            continue
        if "schema" in value:
            for name, example in value.get("examples", {}).items():
                yield f"{place}/{name}", value["schema"], example["value"]
            for example in [*value["schema"].get("examples", ()), *([value["example"]] if "example" in value else [])]:
                yield place, value["schema"], example


def test_every_example_is_valid_and_every_member_is_in_one(document: dict[str, Any]) -> None:
    examples = list(list_examples(document))
    assert len(examples) > 60
    shown: set[str] = set()
    for place, schema, value in examples:
        whole = {**schema, "components": document["components"]}
        jsonschema_rs.validator_for(whole, validate_formats=True).validate(value), place
        shown |= set(list_shown(document, schema, value))
    schemas = document["components"]["schemas"]
    members = {f"{name}.{member}" for name, schema in schemas.items() for member in schema.get("properties", ())}
    # Only some failures have these, which the examples of failures do not go into.
    assert members - shown == {
        "Problem.violations",
        "Problem.task_id",
        "ViolationAnswer.pointer",
        "ViolationAnswer.message",
    }


def list_shown(document: dict[str, Any], schema: Any, value: Any) -> Iterator[str]:
    """Yield SCHEMA.MEMBER for all that a value shows of the document's schemas."""
    if not isinstance(schema, dict):
        return
    for option in schema.get("anyOf", ()):
        yield from list_shown(document, option, value)
    name = schema["$ref"].split("/")[-1] if "$ref" in schema else ""
    schema = document["components"]["schemas"].get(name, schema)
    if isinstance(value, list):
        for one in value:
            yield from list_shown(document, schema.get("items"), one)
    elif isinstance(value, dict):
        for member, inner in value.items():
            if member in schema.get("properties", ()):
                yield f"{name}.{member}"
            field = schema.get("properties", {}).get(member, schema.get("additionalProperties"))
            yield from list_shown(document, field, inner)


async def test_every_example_of_a_body_is_accepted(start_gateway: StartGateway, broker: Broker) -> None:
    async with start_gateway(configure(**RECEIVERS)) as gateway:
        async with gateway.session.get("/openapi.json") as answer:
            document = await answer.json()
        tried = 0
        # Those about a task first, while nothing else waits; last those that narrow the target.
        order = {"{task_id}": 0, "{host}": 2}
        paths = sorted(document["paths"].items(), key=lambda entry: order.get(entry[0].split("/")[-1], 1))
        for path, operations in paths:
            operation = operations.get("post", {})
            if "requestBody" not in operation:
                continue
            content = operation["requestBody"]["content"][JSON_TYPE]
            success = int(min(operation["responses"]))
            for name, example in content["examples"].items():
                url = path.replace("{host}", "captcha.example.com")
                if "{task_id}" in path:
                    task_id = await gateway.submit(url="http://captcha.example.com/", priority="high")
                    await complete(broker, "7KMP")
                    url = url.replace("{task_id}", task_id)
                async with gateway.session.post(url, json=example["value"]) as given:
                    assert given.status == success, (path, name, await given.text())
                tried += 1
        assert tried >= 11

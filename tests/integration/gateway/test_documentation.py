"""What docs/api.md says is what the gateway does."""

from pathlib import Path

from captchad.domain.errors import TaskErrorCode
from captchad.web.api.schema import TaskBody
from captchad.web.problems import STATUSES, TITLES
from tests.integration.gateway.conftest import RunningGateway

PAGE = (Path(__file__).parents[3] / "docs" / "api.md").read_text("utf-8")


async def test_every_route_is_documented(gateway: RunningGateway) -> None:
    async with gateway.session.get("/openapi.json") as answer:
        paths = (await answer.json())["paths"]
    for path, operations in paths.items():
        for method in operations:
            spelled = f"{method.upper()} {path.replace('{task_id}', 'ID').replace('{host}', 'HOST')}"
            assert f"### {spelled}\n" in PAGE or f"`{spelled}`" in PAGE, spelled


async def test_the_bare_address_leads_to_the_documentation(gateway: RunningGateway) -> None:
    async with gateway.session.get("/", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, "docs")
        assert "/openapi.json" in await answer.text()
    async with gateway.session.get("/") as page:
        assert (page.status, page.url.path) == (200, "/docs")


def test_every_error_code_is_documented_with_its_status() -> None:
    assert set(TITLES) == set(STATUSES)
    for code, status in STATUSES.items():
        assert f"| {status.value} | `{code}` |" in PAGE
    for task_code in TaskErrorCode:
        assert f"`{task_code}`" in PAGE


def test_every_field_of_a_task_is_documented() -> None:
    for name in TaskBody.model_fields:
        assert f"`{name}`" in PAGE

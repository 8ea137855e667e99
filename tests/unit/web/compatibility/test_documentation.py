"""What docs/compatibility.md says of routes, errors and clients is what there is."""

import re
from pathlib import Path
from typing import Any

from captchad.web.compatibility.failures import Failure
from captchad.web.compatibility.routes import CompatibilityRoutes
from tests.system.compatibility_proof.real_clients import CLIENTS

PAGE = (Path(__file__).parents[4] / "docs" / "compatibility.md").read_text("utf-8")


def test_every_route_is_documented() -> None:
    nothing: Any = None
    routes = CompatibilityRoutes(nothing, nothing, nothing).routes()
    spelled = set(re.findall(r"`(?:GET`, `)?(?:POST )?(/[\w./]+)`", PAGE))
    assert {route.path for route in routes} <= spelled


def test_every_failure_is_documented_as_it_is() -> None:
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \| (.*?) \| (\d+|–) \|", PAGE, re.MULTILINE)
    assert [(int(number), code) for number, code, _, _ in rows] == [(one.error_id, one.code) for one in Failure]
    for failure, (_, code, form_code, status) in zip(Failure, rows, strict=True):
        assert form_code in {"–", "the same" if failure.form_code == code else f"`{failure.form_code}`"}
        assert status in {"–", str(failure.status.value)}


def test_every_client_that_is_proven_is_documented() -> None:
    named = re.findall(r"^\| \[?([^|\]]+?)(?:\]\([^|]*\))? \|", PAGE, re.MULTILINE)
    assert {client.package for client in CLIENTS} <= set(named)

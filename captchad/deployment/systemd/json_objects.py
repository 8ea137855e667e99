"""Reads the JSON files that a deployment keeps for itself, which somebody may have edited."""

import json
from typing import Any

from captchad.domain.errors import DeploymentFailed


def read_object(path: str, text: str) -> dict[str, Any]:
    """Return a file's JSON object; DeploymentFailed where it is none."""
    if not text.strip():
        raise DeploymentFailed(f"{path} is empty: somebody's write of it was broken off; restore it, or delete it")
    try:
        tree = json.loads(text)
    except RecursionError:
        raise DeploymentFailed(f"{path} is nested too deep; correct it, or delete it") from None
    except ValueError as error:
        raise DeploymentFailed(f"{path} is not valid JSON: {error}; correct it, or delete it") from None
    if not isinstance(tree, dict):
        raise DeploymentFailed(f"{path} must contain one JSON object; correct it, or delete it")
    return tree

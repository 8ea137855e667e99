"""Reads the JSON files that a deployment keeps for itself, which somebody may have edited."""

import json
from typing import Any

from captchad.domain.errors import DeploymentFailed


def read_object(path: str, text: str) -> dict[str, Any]:
    """Return a file's JSON object; DeploymentFailed where it is none."""
    try:
        tree = json.loads(text)
    except ValueError as error:
        raise DeploymentFailed(f"{path} is not valid JSON: {error}; correct it, or delete it") from None
    if not isinstance(tree, dict):
        raise DeploymentFailed(f"{path} must contain one JSON object; correct it, or delete it")
    return tree

"""A loader of texts: what a configuration file with this text gives."""

import json
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import pytest

from captchad.config.loader import LoadedConfiguration, load_configuration
from captchad.domain.errors import ConfigurationError, ConfigurationProblem

TODAY = date(2026, 11, 23)

Load = Callable[..., LoadedConfiguration]
FindProblems = Callable[..., dict[str, ConfigurationProblem]]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load a text (or a tree) as the configuration file."""

    def load_text(
        content: object, environment: Mapping[str, str] | None = None, overrides: Mapping[str, object] | None = None
    ) -> LoadedConfiguration:
        file = tmp_path / "distributed.json"
        file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return load_configuration(str(file), environment or {}, overrides, TODAY)

    return load_text


@pytest.fixture
def find_problems(load: Load) -> FindProblems:
    """Load a text that must be refused; return its problems by path."""

    def find(content: object, environment: Mapping[str, str] | None = None) -> dict[str, ConfigurationProblem]:
        with pytest.raises(ConfigurationError) as refused:
            load(content, environment)
        return {problem.path: problem for problem in refused.value.problems}

    return find

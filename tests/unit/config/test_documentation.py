import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from captchad.config.changes import RELOADABLE
from captchad.config.environment import SPECIFIED_VARIABLES
from captchad.config.loader import load_configuration
from captchad.config.setting_names import Setting, all_settings, section_of
from captchad.config.settings import Configuration
from captchad.config.start_rules import unbuilt_settings
from captchad.domain.node import Role

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "config/distributed.example.json"
ROWS = {
    path: (meaning.strip(), unit.strip(), default.strip())
    for path, meaning, unit, default in re.findall(
        r"^\| `([a-z_.\[\]]+)` \|(.*)\|(.*)\|(.*)\|$", DOCUMENT, re.MULTILINE
    )
}
SETTINGS = {setting.path: setting for setting in all_settings() if section_of(setting.field.annotation) is None}


def show_default(setting: Setting) -> str:
    if setting.field.is_required():
        return "required"
    default = setting.field.get_default(call_default_factory=True)
    if isinstance(default, SecretStr):
        default = default.get_secret_value()
    return f"`{json.dumps(list(default) if isinstance(default, tuple) else default)}`"


def test_every_setting_is_documented_and_nothing_else() -> None:
    assert ROWS.keys() == SETTINGS.keys() - {"security.targets"}


@pytest.mark.parametrize("path", sorted(ROWS))
def test_a_documented_setting_has_meaning_unit_and_its_default(path: str) -> None:
    meaning, unit, default = ROWS[path]
    assert meaning
    assert unit
    assert default == show_default(SETTINGS[path])


def test_every_environment_variable_is_documented() -> None:
    for variable in (*SPECIFIED_VARIABLES, "DISTRIBUTED_CONFIG_PATH", "REDIS_PASSWORD", "CAPTCHAD_STATE_DIRECTORY"):
        assert f"`{variable}`" in DOCUMENT


def test_what_a_reload_takes_over_is_documented() -> None:
    reload = DOCUMENT.partition("## Reload")[2].partition("\n## ")[0]
    assert all(f"`{path}`" in reload for path in RELOADABLE)


def test_the_example_lists_every_key() -> None:
    assert list(_missing_keys(json.loads(EXAMPLE.read_text(encoding="utf-8")))) == []


def test_the_example_works_on_one_machine_as_it_is() -> None:
    loaded = load_configuration(str(EXAMPLE), {})
    assert loaded.warnings == ()
    assert not any(unbuilt_settings(loaded.configuration, role) for role in Role)
    changed = loaded.configuration.model_dump()
    changed["security"]["targets"] = ()
    assert changed == Configuration().model_dump()


def _missing_keys(tree: dict[str, Any]) -> list[str]:
    """Return the settings that are not in the example; a section that is null stands for all in it."""
    missing = []
    for path in SETTINGS:
        value: Any = tree
        for step in path.split("."):
            if value is None:
                break
            name = step.removesuffix("[]")
            if name not in value:
                missing.append(path)
                break
            value = value[name][0] if step.endswith("[]") else value[name]
    return missing

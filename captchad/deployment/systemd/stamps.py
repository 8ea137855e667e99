"""What a unit was last started with, as digests: by them a plan sees who is to be restarted, and who to be reloaded."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from captchad.config.changes import split_reloadable
from captchad.config.json_file import parse_text
from captchad.deployment.systemd import layout
from captchad.deployment.systemd.configuration_files import BROWSER, DECIDED
from captchad.deployment.systemd.steps import WriteFile
from captchad.deployment.systemd.wanted import Found, Wanted

BROWSER_NODE_SECTIONS = (BROWSER, "logging")
"""The sections of the configuration that count for a browser node."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """Digests of all that takes a restart of a unit, and of what it takes over by a reload.

    The second is empty for units that can't be reloaded, and where nobody knows what one has taken over.
    """

    restart: str
    reload: str = ""

    def write(self, unit: str) -> WriteFile:
        """Return the step that notes it."""
        lines = [self.restart, *([self.reload] if self.reload else [])]
        return WriteFile(layout.stamp_path(unit), "".join(f"{line}\n" for line in lines))


def read_stamp(unit: str, found: Found) -> Stamp | None:
    """Return what a unit was started with; None where nobody knows."""
    file = found.files.get(layout.stamp_path(unit))
    lines = (file.text or "").split() if file is not None else []
    return Stamp(*lines[:2]) if lines else None


def make_stamp(unit: str, files: Iterable[WriteFile], wanted: Wanted, found: Found) -> Stamp:
    """Return the stamp of a unit that is started with these files."""
    texts = {file.path: file.text for file in files}
    template = layout.template_of(unit)
    own = [texts.get(path, "") for path in (layout.unit_path(template), layout.drop_in_path(template))]
    if unit.endswith(".socket"):
        return Stamp(digest(*own))
    if unit == layout.REDIS_UNIT:
        tls = [texts[path] for path in (layout.REDIS_CERTIFICATE, layout.REDIS_KEY) if path in texts]
        return Stamp(digest(*own, texts[layout.REDIS_CONFIGURATION], *tls, wanted.release.redis_program))
    rest, reloadable = _split_configuration(texts[layout.CONFIGURATION])
    is_browser_node = template == layout.BROWSER_TEMPLATE
    if is_browser_node:
        rest = {name: rest[name] for name in BROWSER_NODE_SECTIONS if name in rest}
    secrets = _read_secrets(texts[layout.SECRETS], template)
    common = digest(*own, _sort(rest), secrets, wanted.release.digest, *_read_environment(found))
    return Stamp(common) if is_browser_node else Stamp(common, digest(_sort(reloadable)))


def digest(*parts: str) -> str:
    """Return a short digest of texts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _split_configuration(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    tree = parse_text(text, layout.CONFIGURATION).tree
    # What a deploy decides is told to the units in files of their own.
    return split_reloadable({name: value for name, value in tree.items() if name not in DECIDED.values()})


def _read_secrets(text: str, template: str) -> str:
    secrets: dict[str, Any] = json.loads(text)
    if template != layout.WORKER_TEMPLATE:
        # Where browsers are concerns workers alone; the secret of the nodes never changes.
        secrets.pop(BROWSER)
    return json.dumps(secrets)


def _read_environment(found: Found) -> list[str]:
    """Return the text that units get their environment from, where there is one; a deploy never writes it."""
    file = found.files.get(layout.ENVIRONMENT_FILE)
    return [file.text] if file is not None and file.text else []


def _sort(tree: dict[str, Any]) -> str:
    return json.dumps(tree, sort_keys=True)

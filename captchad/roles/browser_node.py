"""A browser node: `captchad-browser` runs it on the machine where the workers' browsers should run."""

import logging
import os
import secrets
from pathlib import Path

from captchad.browser.browsers.connection import LaunchFailed, refuse_access
from captchad.browser.node.node import BrowserNode
from captchad.browser.node.server import ListeningAddress
from captchad.browser.remote.playwright_server import PlaywrightServerEndpoint
from captchad.browser.remote.source import RemoteBrowsers
from captchad.config.loader import load_configuration
from captchad.config.settings import Configuration
from captchad.config.state import resolve_state_directory
from captchad.domain.errors import DependencyMissing
from captchad.runtime.clock import Clock
from captchad.runtime.supervisor import Supervisor
from captchad.telemetry.logs import LogIdentity, configure_logging

SECRET_FILE_NAME = "browser-node.secret"  # noqa: S105 - a file's name
_SECRET_BYTES = 24
# Its pages belong to workers, which retry them; there is nothing to wait for.
_NO_DRAIN_SECONDS = 1.0

_logger = logging.getLogger(__name__)


async def run_node(config_path: str | None, host: str, port: int) -> int:
    """Run the node until a signal or a failure; return the process's exit code."""
    configuration = load_configuration(config_path, os.environ).configuration
    name = f"browser-{os.uname().nodename}-{port}"
    configure_logging(configuration.logging.level, configuration.logging.format, LogIdentity("browser", name))
    address = ListeningAddress(host, port, _find_secret(configuration))
    node = BrowserNode(configuration.browser, address, Clock(), must_have_sandbox=configuration.environment == "prod")
    return await Supervisor("browser", _NO_DRAIN_SECONDS).run([node])


async def check_node(config_path: str | None, host: str, port: int) -> str:
    """Connect to the node as a worker would; return its Chromium's version, or raise DependencyMissing."""
    # What fails here becomes the command's one line on stderr; it need not be logged as well.
    logging.getLogger("captchad").addHandler(logging.NullHandler())
    configuration = load_configuration(config_path, os.environ).configuration
    address = ListeningAddress(host, port, _find_secret(configuration))
    source = RemoteBrowsers([PlaywrightServerEndpoint(address.own_url)], refuse_access, Clock())
    try:
        browser = await source.open()
    except LaunchFailed as error:
        raise DependencyMissing(str(error)) from None
    finally:
        await source.stop()
    await browser.close()
    return browser.version


def _find_secret(configuration: Configuration) -> str:
    """Return the configured secret, or the one in the state folder, created there at the first start."""
    if configuration.browser.node_secret is not None:
        return configuration.browser.node_secret.get_secret_value().strip("/")
    file = resolve_state_directory(os.environ) / SECRET_FILE_NAME
    if not file.exists():
        _write_secret(file)
    _logger.info("the secret path of this node's URL is stored in %s", file)
    return file.read_text(encoding="ascii").strip()


def _write_secret(file: Path) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Private before it has content.
    file.touch(mode=0o600)
    file.write_text(secrets.token_urlsafe(_SECRET_BYTES) + "\n", encoding="ascii")

"""Options that several commands have, written once."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from captchad.domain.api_key import read_key
from captchad.domain.duration import parse_duration
from captchad.domain.errors import InvalidRequest
from captchad.domain.ports import API_KEY_VARIABLE, DEFAULT_GATEWAY_URL, GATEWAY_VARIABLE

if TYPE_CHECKING:
    from captchad.client import GatewayClient
    from captchad.config.loader import LoadedConfiguration

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class DurationType(click.ParamType[int]):
    """An option's duration, in seconds."""

    name = "duration"

    def __init__(self, shortest: str = "0s", longest: str | None = None) -> None:
        self._shortest = shortest
        self._longest = longest

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the seconds; wrong usage where the value is no duration."""
        try:
            seconds = value if isinstance(value, int) else parse_duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if seconds < parse_duration(self._shortest):
            self.fail(f"{value} is too short; at least {self._shortest}", param, ctx)
        if self._longest is not None and seconds > parse_duration(self._longest):
            self.fail(f"{value} is too long; at most {self._longest}", param, ctx)
        return seconds


json_option = click.option("--json", "is_json", is_flag=True, help="Print JSON.")
config_option = click.option(
    "--config",
    "config_path",
    metavar="FILE",
    type=click.Path(),
    help="The configuration file.  [default: searched for]",
)

limit_option = click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=50,
    show_default=True,
    metavar="N",
    help="Show at most this many.",
)


def api_key_option(help_text: str) -> Callable[[Decorated], Decorated]:
    """Return --api-key, which also comes from the environment."""
    return click.option(
        "--api-key",
        envvar=API_KEY_VARIABLE,
        show_envvar=True,
        metavar="KEY",
        callback=_read_api_key,
        help=help_text,
    )


def _read_api_key(ctx: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    try:
        return read_key(text)
    except InvalidRequest as error:
        raise click.BadParameter(error.message) from None


def gateway_options(function: Decorated) -> Decorated:
    """Add --gateway and --api-key, which also come from the environment."""
    function = api_key_option("The API key to call with.")(function)
    return click.option(
        "--gateway",
        envvar=GATEWAY_VARIABLE,
        show_envvar=True,
        metavar="URL",
        default=DEFAULT_GATEWAY_URL,
        show_default=True,
        help="The gateway to call.",
    )(function)


def open_client(gateway: str, api_key: str | None) -> "GatewayClient":
    """Make the client for the two options; a gateway that is not a URL is wrong usage."""
    from captchad.client import GatewayClient  # noqa: PLC0415

    try:
        return GatewayClient(gateway, api_key)
    except InvalidRequest as error:
        raise click.UsageError(f"--gateway: {error.message}") from None


def load(config_path: str | None) -> "LoadedConfiguration":
    """Load the configuration as a role on this machine would."""
    from captchad.config.loader import load_configuration  # noqa: PLC0415

    return load_configuration(config_path, os.environ)

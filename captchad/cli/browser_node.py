"""The `captchad-browser` command: a browser of this machine for workers elsewhere."""

import faulthandler
import sys

import click

from captchad import __version__
from captchad.cli.failures import run_guarded
from captchad.cli.options import config_option
from captchad.cli.printing import say
from captchad.domain.ports import HIGHEST_PORT, LOOPBACK_HOST
from captchad.runtime.extras import Extra, require

PROGRAM = "captchad-browser"
DEFAULT_PORT = 3000


def main() -> None:
    """Run the command line of this process and end it with the command's exit code."""
    sys.exit(run_guarded(lambda: browser_node.main(prog_name=PROGRAM, standalone_mode=False), is_debug=False))


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@config_option
@click.option("--host", default=LOOPBACK_HOST, show_default=True, metavar="HOST", help="The address it listens on.")
@click.option(
    "--port",
    type=click.IntRange(1, HIGHEST_PORT),
    default=DEFAULT_PORT,
    show_default=True,
    metavar="PORT",
    help="The port it listens on.",
)
@click.option("--check", is_flag=True, help="Try the browser that is served there once, and report the result.")
@click.version_option(__version__, prog_name=PROGRAM, message="%(prog)s %(version)s")
@click.pass_context
def browser_node(ctx: click.Context, config_path: str | None, host: str, port: int, check: bool) -> None:
    """Serve one Chromium to workers whose browser.backend is playwright.

    Their browser.urls name ws://HOST:PORT/SECRET, where SECRET is browser.node_secret.
    """
    require(Extra.WORKER, "serving a browser")
    # The registry brings servers and drivers along; the help must not wait for them.
    from captchad.roles.registry import check_browser_node, run_browser_node  # noqa: PLC0415

    if check:
        say(f"well: Chromium {check_browser_node(config_path, host, port)}")
        return
    # What its watchdog ends says where it stood.
    faulthandler.enable()
    ctx.exit(run_browser_node(config_path, host, port))

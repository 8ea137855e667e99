"""Serves the bundled sample site alone, until it is stopped: `python -m captchad.sample_site`."""

import argparse
import asyncio
import contextlib
import errno
import os
import sys

from captchad.domain.errors import DependencyMissing
from captchad.domain.ports import HIGHEST_PORT, LOOPBACK_HOST
from captchad.runtime.extras import Extra, require

DEFAULT_PORT = 8090


async def _serve(host: str, port: int, secure_port: int | None) -> None:
    # Imported late: the packages that draw its captchas are an extra, and main() says so in one line.
    from captchad.sample_site.site import AUTHORITY, SampleSite  # noqa: PLC0415

    site = SampleSite(host, port, secure_port)
    try:
        await site.start()
    except OSError as error:
        option, wanted = ("--secure-port", secure_port) if site.is_listening else ("--port", port)
        sys.exit(f"captchad: {_explain(host, option, wanted or 0, error)}")
    # In the background (&) it gets no Ctrl-C.
    sys.stdout.write(f"The sample site is at {site.base_url}; Ctrl-C or `kill {os.getpid()}` stops it.\n")
    if secure_port is not None:
        sys.stdout.write(f"By TLS it is at {site.secure_url}; {site.base_url}{AUTHORITY} is its authority.\n")
    sys.stdout.flush()
    try:
        await site.run()
    finally:
        await site.close()


def _explain(host: str, option: str, port: int, error: OSError) -> str:
    # Imported late: it is a package of the extra too.
    from captchad.runtime.port_holder import describe_holder  # noqa: PLC0415

    if error.errno == errno.EADDRINUSE:
        return f"port {port} is taken by {describe_holder(port)}; choose another with {option}"
    return f"can't listen on {host} port {port}: {error.strerror or error}"


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m captchad.sample_site", description=__doc__)
    parser.add_argument("--host", default=LOOPBACK_HOST, help="The address to listen on.  [default: %(default)s]")
    parser.add_argument(
        "--port", type=_read_port, default=DEFAULT_PORT, help="The port to listen on; 0: any.  [default: %(default)s]"
    )
    parser.add_argument(
        "--secure-port",
        type=_read_port,
        help="Serve by TLS as well, on this port; 0: any. The certificate is made at each start.",
    )
    options = parser.parse_args()
    try:
        require(Extra.DEMO, "the sample site")
    except DependencyMissing as error:
        sys.exit(f"captchad: {error.message}")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(options.host, options.port, options.secure_port))


def _read_port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{port} is not between 0 and {HIGHEST_PORT}")
    return port


if __name__ == "__main__":
    main()

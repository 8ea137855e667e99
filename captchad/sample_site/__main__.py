"""Serves the sample site alone: `python -m captchad.sample_site [--host HOST] [--port PORT]`."""

import argparse
import asyncio
import contextlib
import sys

from captchad.domain.errors import DependencyMissing
from captchad.runtime.extras import Extra, require

DEFAULT_PORT = 8090


async def _serve(host: str, port: int) -> None:
    # Imported late: the packages that draw its captchas are an extra, and main() says so in one line.
    from captchad.sample_site.site import SampleSite  # noqa: PLC0415

    site = SampleSite(host, port)
    await site.start()
    sys.stdout.write(f"The sample site is at {site.base_url} until Ctrl-C.\n")
    sys.stdout.flush()
    try:
        await site.run()
    finally:
        await site.close()


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m captchad.sample_site", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    options = parser.parse_args()
    try:
        require(Extra.DEMO, "the sample site")
    except DependencyMissing as error:
        sys.exit(error.message)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(options.host, options.port))


if __name__ == "__main__":
    main()

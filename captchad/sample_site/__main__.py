"""Serves the sample site alone: `python -m captchad.sample_site [--host HOST] [--port PORT]`."""

import argparse
import asyncio
import contextlib
import sys

from captchad.sample_site.site import SampleSite

DEFAULT_PORT = 8090


async def _serve(host: str, port: int) -> None:
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
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(options.host, options.port))


if __name__ == "__main__":
    main()

"""A receiver of callbacks to be run as a process and killed: it fails half the time, and writes down all it gets.

Arguments: port, file to write to, URL that it redirects to. It is a program of its own, so that a SIGKILL is one.
"""

import base64
import json
import random
import sys
from pathlib import Path
from typing import Any

from aiohttp import web

FAILURES = ("error", "redirect", "break_off", "enormous")


def answer(choice: str, elsewhere: str) -> web.Response:
    match choice:
        case "redirect":
            return web.Response(status=307, headers={"Location": elsewhere})
        case "enormous":
            return web.Response(status=500, text="x" * 5_000_000)
        case "error":
            return web.Response(status=503)
    return web.Response(text="ok")


def note(journal: Path, line: dict[str, Any]) -> None:
    with journal.open("a") as file:
        file.write(json.dumps(line) + "\n")


def main() -> None:
    port, journal, elsewhere = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    chance = random.Random()

    async def receive(request: web.Request) -> web.Response:
        body = await request.read()
        choice = "ok" if chance.random() < 0.5 else chance.choice(FAILURES)
        line = {"headers": dict(request.headers), "body": base64.b64encode(body).decode(), "answer": choice}
        note(journal, line)
        if choice == "break_off":
            assert request.transport is not None
            request.transport.abort()
        return answer(choice, elsewhere)

    application = web.Application()
    application.router.add_post("/done", receive)
    web.run_app(application, host="127.0.0.1", port=port, print=lambda *_: None)


if __name__ == "__main__":
    main()

"""`captchad learn` on a whole fleet: from labels in the store to what the worker answers, and back."""

import asyncio
import io
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiohttp import web
from PIL import Image

from captchad.config.settings import RecognitionSection
from captchad.domain.label import Label, LabelOrigin, Verdict, write_time
from captchad.operations.labels.label_store import LabelStore, open_label_store
from captchad.runtime.clock import Clock
from captchad.training.lesson import LEAST_RIGHT_LABELS
from tests.patience import until
from tests.redis_server import RedisServer
from tests.system.fleet import Fleet, GatedSite, run_fleet
from tests.unit.training.plain_pictures import draw_plainly

HOST = "127.0.0.1"
LETTERS = "BDEGR"
"""Drawn as capitals; the site means the small letters, which no model could guess."""

LEARNING_CPU_SECONDS = 600
"""Several times what it takes. Counted so, a busy machine, on which it goes behind everybody, makes it no longer."""


def draw(text: str) -> bytes:
    """Draw a text as the site does."""
    encoded = io.BytesIO()
    Image.fromarray(draw_plainly(text.upper()).picture).save(encoded, "PNG")
    return encoded.getvalue()


def pick(source: random.Random) -> str:
    return "".join(source.choices(LETTERS.lower(), k=2))


class PlainSite(GatedSite):
    """A site whose captchas say small letters and show capitals."""

    async def _answer_picture(self, request: web.Request) -> web.Response:
        visit = request.match_info["visit"]
        self.truths[visit] = pick(random.Random(visit))
        return web.Response(body=draw(self.truths[visit]), content_type="image/png")


def fill(store: LabelStore, first: int, count: int) -> None:
    """Put so many right labels into the store."""
    source = random.Random(first)
    for number in range(first, first + count):
        text = pick(source)
        at = write_time(1_700_000_000_000 + number * 1000)
        label = Label(f"label-{number}", HOST, text, Verdict.RIGHT, LabelOrigin.IMPORTED, None, at, "test")
        store.add(label, draw(text))


async def run_learn(fleet: Fleet, *arguments: str) -> tuple[int, Any, str]:
    """Run `captchad learn` on the fleet's host; return its exit code, its JSON and its standard error."""
    environment = os.environ | {"CAPTCHAD_STATE_DIRECTORY": str(fleet.folder / "state"), "REDIS_URL": fleet.redis_url}
    command = [sys.executable, "-m", "captchad", "learn", *arguments, "--json"]
    command += ["--config", str(fleet.folder / "config.json")]
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    psutil.Process(process.pid).rlimit(psutil.RLIMIT_CPU, (LEARNING_CPU_SECONDS, LEARNING_CPU_SECONDS))
    out, error = await process.communicate()
    return process.returncode or 0, json.loads(out) if out.strip() else None, error.decode()


async def read_page(fleet: Fleet, visit: str) -> dict[str, Any]:
    """Have a page's captcha read; return the result."""
    [answer] = await fleet.wait_final([await fleet.submit(visit)])
    assert answer["status"] == "completed", answer
    result: dict[str, Any] = answer["result"]
    return result


async def wait_for_reader(fleet: Fleet, visit: str, prefix: str) -> dict[str, Any]:
    """Return the first result that a model whose name begins so has read."""
    count = 0

    async def is_read() -> dict[str, Any] | None:
        nonlocal count
        count += 1
        result = await read_page(fleet, f"{visit}-{count}")
        return result if result["recogniser"].startswith(prefix) else None

    found: dict[str, Any] = await until(is_read)
    return found


@pytest.fixture
def store(tmp_path: Path) -> LabelStore:
    return open_label_store(tmp_path / "state", RecognitionSection(), Clock())


# The learner has the lowest priority: beside other tests it has the time in which they wait.
@pytest.mark.long
@pytest.mark.timeout(3600)
async def test_a_fleet_learns_a_site_and_can_go_back(tmp_path: Path, own_redis: RedisServer, store: LabelStore) -> None:
    async with run_fleet(tmp_path, own_redis.url, "gateway", "worker", site=PlainSite()) as fleet:
        fleet.site.gate.set()
        before = await read_page(fleet, "before")
        assert before["captcha_text"] != fleet.site.truths["before"]
        fill(store, 0, LEAST_RIGHT_LABELS - 1)
        code, outcome, _ = await run_learn(fleet, HOST)
        assert (code, outcome["outcome"], outcome["missing_labels"]) == (1, "too_few", 1)
        fill(store, LEAST_RIGHT_LABELS, 1)
        code, outcomes, error = await run_learn(fleet, "--auto")
        assert (code, [one["outcome"] for one in outcomes]) == (0, ["installed"]), error
        learned = await wait_for_reader(fleet, "after", f"captchad-{HOST}-")
        assert learned["captcha_text"] == learned["captcha_text"].lower()
        assert (await run_learn(fleet, "--auto"))[1] == []
        code, [row], _ = await run_learn(fleet, "--list")
        assert (row["model"], row["former"]) == (outcomes[0]["model"][:8], "the packaged model")
        code, choice, _ = await run_learn(fleet, HOST, "--rollback")
        assert (code, choice["present"]) == (0, "")
        await wait_for_reader(fleet, "back", before["recogniser"])


async def test_what_can_not_be_learned_says_why(tmp_path: Path, own_redis: RedisServer) -> None:
    settings = {"recognition": {"models": {HOST: str(tmp_path / "own.onnx")}}}
    async with Fleet(tmp_path, own_redis.url, settings=settings) as fleet:
        code, _, error = await run_learn(fleet, HOST)
        assert code == 1
        assert "recognition.models names a model for 127.0.0.1" in error
        code, _, error = await run_learn(fleet, "elsewhere.example")
        assert code == 1
        assert "elsewhere.example" in error
        code, _, error = await run_learn(fleet, HOST, "--rollback")
        assert (code, "no learned model to go back from" in error) == (1, True)
        for arguments in ((), (HOST, "--auto"), ("--rollback",)):
            assert (await run_learn(fleet, *arguments))[0] == 2

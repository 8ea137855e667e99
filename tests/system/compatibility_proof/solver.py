"""A fleet that serves other services' clients, plain and behind a proxy with TLS, and a picture for them to send."""

import asyncio
import base64
import io
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from captchad.config.settings import RecognitionSection
from captchad.operations.labels.label_store import LabelStore, open_label_store
from captchad.runtime.clock import Clock
from captchad.sample_site.drawing import pick_text
from tests.certificates import issue, make_authority
from tests.nginx import Nginx
from tests.ports import find_free_port
from tests.system.fleet import UNLIMITED, Fleet

HOST = "127.0.0.1"
BLANK_SIZE = (160, 60)
SURE, CERTAIN = 0.95, 0.999
"""The picture's confidence is between them: a client that asks for certainty must not get it."""
NAMED_ELSEWHERE = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
TLS_SERVER = """
server {{
  listen 127.0.0.1:{port} ssl; ssl_certificate {certificate}; ssl_certificate_key {certificate};
  client_max_body_size 4m; location / {{ proxy_pass http://127.0.0.1:{gateway_port}; }}
}}
"""


@dataclass(frozen=True)
class ServedSolver:
    """What clients are told, the text of the picture they are given, and where its labels go."""

    environment: Mapping[str, str]
    text: str
    labels: LabelStore


@asynccontextmanager
async def serve_clients(folder: Path, redis_url: str) -> AsyncIterator[ServedSolver]:
    """Run gateway, scheduler and worker until the caller is done; labels of the one target are collected."""
    authority = make_authority(folder)
    certificate = issue(folder, authority, "localhost").path
    gateway_port = find_free_port()
    proxy = Nginx(
        folder,
        write_servers=lambda port: TLS_SERVER.format(port=port, certificate=certificate, gateway_port=gateway_port),
    )
    target = {"host": HOST, "allow_private_addresses": True, "collect_labels": True} | UNLIMITED
    settings = {"security": {"targets": [target]}, "compatibility": {"enabled": True}}
    async with Fleet(folder, redis_url, settings=settings) as fleet:
        for role in [fleet.start("gateway", gateway_port), fleet.start("scheduler"), fleet.start("worker")]:
            await fleet.wait_ready(role)
        proxy.start()
        try:
            text = await _prepare_pictures(fleet)
            environment = {name: value for name, value in os.environ.items() if name not in NAMED_ELSEWHERE} | {
                "SOLVER_URL": fleet.gateway_url,
                "SOLVER_TLS_AUTHORITY": f"localhost:{proxy.port}",
                "REQUESTS_CA_BUNDLE": authority.path,
                "SOLVER_KEY": await _create_key(fleet),
                "SOLVER_PICTURE": str(folder / "picture.png"),
                "SOLVER_BLANK": str(folder / "blank.png"),
            }
            yield ServedSolver(environment, text, open_label_store(folder / "state", RecognitionSection(), Clock()))
        finally:
            proxy.stop()


async def _create_key(fleet: Fleet) -> str:
    """Create a key as an operator does."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "captchad", "keys", "create", "clients", "--target", HOST, "--json"),
        *("--config", str(fleet.folder / "config.json")),
        env=os.environ | {"REDIS_URL": fleet.redis_url},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    return str(json.loads(out)["key"])


async def _prepare_pictures(fleet: Fleet) -> str:
    """Write a picture that captchad reads right and is sure of, and one with nothing on it; return the text."""
    blank = io.BytesIO()
    Image.new("RGB", BLANK_SIZE, "white").save(blank, "PNG")
    (fleet.folder / "blank.png").write_bytes(blank.getvalue())
    while True:
        text = pick_text()
        picture = fleet.site.draw(text)
        body = {"image": base64.b64encode(picture).decode(), "target": HOST}
        async with fleet.client.post(f"{fleet.gateway_url}/submit_task", json=body) as answer:
            task_id = (await answer.json())["task_id"]
        result = (await fleet.wait_final([task_id]))[0]["result"]
        if result["captcha_text"] == text and SURE < result["confidence"] < CERTAIN:
            (fleet.folder / "picture.png").write_bytes(picture)
            return text

"""`python -m tests.system.compatibility_proof`: seven clients of PyPI and npm solve, fail and report."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from captchad.domain.label import LabelOrigin
from tests.patience import until
from tests.redis_server import RedisServer
from tests.system.compatibility_proof.real_clients import CLIENTS, MANIFEST, REQUIREMENTS, find_faults, run_client
from tests.system.compatibility_proof.solver import HOST, serve_clients

BUILD = Path("build/compatibility").resolve()
REPORTS = sum(name.startswith("report_") for client in CLIENTS for name in client.expected)


def main() -> int:
    """Install the clients and run each; return 1 where one found what it should not."""
    install()
    with tempfile.TemporaryDirectory(prefix="captchad-") as name:
        folder = Path(name)
        redis = RedisServer(folder)
        redis.start()
        try:
            return asyncio.run(prove(folder, redis.url))
        finally:
            redis.kill()


def install() -> None:
    """Put the clients into environments of their own: some of them pin what captchad has newer."""
    BUILD.mkdir(parents=True, exist_ok=True)
    venv.create(BUILD / "python", with_pip=True)
    pip = [BUILD / "python/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", REQUIREMENTS], check=True)
    shutil.copy(MANIFEST, BUILD)
    subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund"], cwd=BUILD, check=True)


async def prove(folder: Path, redis_url: str) -> int:
    """Run every client against a fleet; its reports must be on the learner's disk in the end."""
    interpreters = {True: str(BUILD / "python/bin/python"), False: shutil.which("node") or "node"}
    faults: list[str] = []
    async with serve_clients(folder, redis_url) as solver:
        environment = solver.environment | {"NODE_PATH": str(BUILD / "node_modules")}
        for client in CLIENTS:
            found = await run_client(client, interpreters[client.is_python], environment)
            faults += find_faults(client, found, solver.text)
            sys.stdout.write(f"{client.package}: {found}\n")

        async def has_all() -> bool:
            return len(solver.labels.read(HOST)) == REPORTS

        await until(has_all)
        labels = solver.labels.read(HOST)
    faults += [f"a label is {label.origin}" for label in labels if label.origin is not LabelOrigin.REPORTED]
    sys.stdout.write(f"{len(CLIENTS)} clients, {len(labels)} reports among the labels, picture {solver.text!r}\n")
    sys.stdout.write("".join(f"FAULT {fault}{os.linesep}" for fault in faults) or "no faults\n")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())

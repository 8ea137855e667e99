"""The proof itself, in a process of its own: `python -m tests.system.browser_proof`; prints what it found as JSON.

CAPTCHAD_PROOF_PAGES pages go by undisturbed while memory is watched; then as many while CAPTCHAD_PROOF_BROWSER_KILLS
browser processes are killed or stopped and CAPTCHAD_PROOF_WORKER_KILLS workers are killed. Workers run bare, without
the tether that `captchad up` puts over them, so that nobody but the worker and its driver tidies up.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.progress import Progress

from tests.patience import PATIENCE_SECONDS
from tests.processes import list_descendants, signal_all
from tests.system.browser_proof.leftovers import (
    await_none,
    become_reaper,
    describe,
    end_with_parent,
    find_abandoned_profiles,
    find_zombies,
    list_files,
    list_shared_memory,
    reap_orphans,
)
from tests.system.browser_proof.memory import MemorySample, compare_parts, take_sample
from tests.system.browser_proof.plan import Blow, Proof, plan_blows, read_proof
from tests.system.browser_proof.workers import ROOT, ProofWorker

SAMPLES = 250
UNDISTURBED_PAGE_SECONDS = 60.0
DISTURBED_PAGE_SECONDS = 8.0
"""What one attempt may take; a stopped browser costs as much."""

TIDY_SECONDS = PATIENCE_SECONDS
"""A driver whose worker was killed while its browser was stopped waits for half a minute before it uses force."""

PASSABLE_MODE = 0o711


@dataclass
class Findings:
    """What came of the proof."""

    proof: Proof
    pages_done: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    memory: dict[str, dict[str, float]] = field(default_factory=dict)
    struck: dict[str, int] = field(default_factory=dict)
    failures: dict[str, dict[str, int]] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)
    longest_recovery_seconds: float = 0.0
    left_behind: list[str] = field(default_factory=list)

    def note_blow(self, name: str) -> None:
        """Count what was struck."""
        self.struck[name] = self.struck.get(name, 0) + 1

    def note_failure(self, part: str, error: str) -> None:
        """Count a page that failed, and keep the first message of its kind."""
        code = error.partition(":")[0]
        failures = self.failures.setdefault(part, {})
        failures[code] = failures.get(code, 0) + 1
        self.examples.setdefault(code, error)


class Endurance:
    """Runs both parts and looks for what is left behind."""

    def __init__(self, proof: Proof, site: str, site_pid: int, folder: Path, progress: Progress) -> None:
        self._proof, self._site, self._site_pid = proof, site, site_pid
        self._log, self._temporary = folder / "worker.log", make_temporary_folder(folder)
        self._chance = random.Random(proof.seed)
        self._progress = progress
        self._worker: ProofWorker | None = None
        self._first_visit = 0
        self._struck_at = 0.0
        self.findings = Findings(proof)

    def run_undisturbed(self, reuse: str) -> None:
        """Open all pages one after another in one worker, and compare its memory."""
        worker, samples = self._start_worker(reuse, UNDISTURBED_PAGE_SECONDS), list[MemorySample]()
        every = max(1, self._proof.pages // SAMPLES)

        def watch(pages: int) -> None:
            if pages % every == 0:
                samples.append(take_sample(worker.process, pages))

        self._open_pages("undisturbed", reuse, watch)
        self._stop_worker("undisturbed")
        self.findings.memory = compare_parts(samples, self._proof.pages)

    def run_disturbed(self, reuse: str) -> None:
        """Open all pages while browsers and workers are struck."""
        blows = plan_blows(self._proof)
        self._start_worker(reuse, DISTURBED_PAGE_SECONDS)

        def strike(pages: int) -> None:
            for blow in blows.get(pages, ()):
                self._strike(blow, reuse)

        self._open_pages("disturbed", reuse, strike)
        assert self._worker is not None
        top = self._worker.process
        zombies = await_none(lambda: [describe(one) for one in find_zombies(top)], TIDY_SECONDS)
        self.findings.left_behind += [f"unreaped below a living worker: {one}" for one in zombies]
        abandoned = await_none(lambda: find_abandoned_profiles(self._temporary, top), TIDY_SECONDS)
        self.findings.left_behind += [f"under a living worker: {name}" for name in abandoned]
        self._stop_worker("disturbed")

    def _open_pages(self, part: str, reuse: str, after_page: Callable[[int], None]) -> None:
        bar = self._progress.add_task(f"{part}, reuse {reuse}", total=self._proof.pages)
        started, done = time.monotonic(), 0
        while done < self._proof.pages:
            assert self._worker is not None
            error = self._worker.read_page()
            if error:
                self.findings.note_failure(part, error)
                continue
            self._note_recovery()
            done += 1
            self._progress.advance(bar)
            after_page(done)
        self.findings.pages_done[part] = done
        self.findings.seconds[part] = round(time.monotonic() - started, 1)

    def _strike(self, blow: Blow, reuse: str) -> None:
        assert self._worker is not None
        if blow is Blow.KILL_WORKER:
            below = self._worker.kill()
            self.findings.note_blow("kill_worker")
            self._start_worker(reuse, DISTURBED_PAGE_SECONDS)
            self._check_gone(below, "kill -9 of its worker")
        else:
            number = signal.SIGKILL if blow is Blow.KILL_BROWSER else signal.SIGSTOP
            kind = self._worker.strike_browser(self._chance, number)
            self.findings.note_blow(f"{blow}:{kind or 'none was there'}")
        self._struck_at = time.monotonic()

    def _note_recovery(self) -> None:
        if self._struck_at:
            recovery_seconds = round(time.monotonic() - self._struck_at, 2)
            self.findings.longest_recovery_seconds = max(self.findings.longest_recovery_seconds, recovery_seconds)
            self._struck_at = 0.0

    def _check_gone(self, below: list[psutil.Process], after: str) -> None:
        def find_remaining() -> list[str]:
            reap_orphans(self._own_pids())
            return [describe(one) for one in below if one.is_running()]

        remaining = await_none(find_remaining, TIDY_SECONDS)
        self.findings.left_behind += [f"after {after}: {one}" for one in remaining]

    def _start_worker(self, reuse: str, page_seconds: float) -> ProofWorker:
        self._first_visit += 1_000_000
        self._worker = ProofWorker(self._site, self._first_visit, reuse, page_seconds, self._log)
        return self._worker

    def _stop_worker(self, part: str) -> None:
        assert self._worker is not None
        below, code = list_descendants(self._worker.pid), self._worker.stop()
        if code != 0:
            self.findings.left_behind.append(f"a worker that ended with {code} in the part {part}")
        self._check_gone(below, f"its worker's regular end in the part {part}")

    def _own_pids(self) -> set[int]:
        return {self._site_pid} | ({self._worker.pid} if self._worker is not None else set())

    def look_around(self, shared_before: set[str]) -> None:
        """Look for processes and files once no worker runs."""

        def find_remaining() -> list[str]:
            reap_orphans({self._site_pid})
            return [describe(one) for one in list_descendants() if one.pid != self._site_pid]

        self.findings.left_behind += [f"process {one}" for one in await_none(find_remaining, TIDY_SECONDS)]
        self.findings.left_behind += [f"file {name}" for name in list_files(self._temporary)]
        shared = await_none(lambda: sorted(list_shared_memory() - shared_before), TIDY_SECONDS)
        self.findings.left_behind += [f"shared memory {name}" for name in shared]


def make_temporary_folder(folder: Path) -> Path:
    """Make the folder that everything started from now on keeps its temporary files in."""
    # A browser that runs as somebody else passes through these folders, and sockets want short paths.
    folder.chmod(PASSABLE_MODE)
    temporary = folder / "t"
    temporary.mkdir()
    temporary.chmod(PASSABLE_MODE)
    os.environ["TMPDIR"] = str(temporary)
    return temporary


def start_site() -> tuple[subprocess.Popen[bytes], str]:
    """Run the benchmark's site; return its process and URL."""
    command = [sys.executable, "-m", "tests.benchmarks.browser.site"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    return process, f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}"


def prove(proof: Proof, reuse: str) -> dict[str, Any]:
    """Run the proof in temporary folders of its own; return its findings."""
    end_with_parent()
    become_reaper()
    folder, shared_before = Path(tempfile.mkdtemp(prefix="cp-")), list_shared_memory()
    site, url = start_site()
    try:
        with Progress(console=Console(stderr=True)) as progress:
            endurance = Endurance(proof, url, site.pid, folder, progress)
            endurance.run_undisturbed(reuse)
            endurance.run_disturbed(reuse)
            endurance.look_around(shared_before)
    finally:
        site.kill()
        site.wait()
        signal_all(list_descendants())
        shutil.rmtree(folder, ignore_errors=True)
    return asdict(endurance.findings)


if __name__ == "__main__":
    print(json.dumps(prove(read_proof(), os.environ.get("CAPTCHAD_PROOF_REUSE", "same_target")), indent=2))

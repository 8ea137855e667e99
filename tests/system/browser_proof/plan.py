"""How long the proof is, and when what is killed in it."""

import os
import random
from dataclasses import dataclass
from enum import StrEnum


class Blow(StrEnum):
    """What happens to a process: a browser's is killed or stopped, a worker's is killed."""

    KILL_BROWSER = "kill_browser"
    STOP_BROWSER = "stop_browser"
    KILL_WORKER = "kill_worker"


STOPPED_SHARE = 4
"""Every so many browsers one is stopped rather than killed: it costs those who wait for it their whole time."""


@dataclass(frozen=True, slots=True)
class Proof:
    """How long the proof is. `pages` go by undisturbed, then as many with all kills spread over them."""

    pages: int
    browser_kills: int
    worker_kills: int
    seed: int


def read_proof() -> Proof:
    """Return the length that the environment asks for; a short one without."""

    def read(name: str, default: int) -> int:
        return int(os.environ.get(f"CAPTCHAD_PROOF_{name}", str(default)))

    return Proof(read("PAGES", 150), read("BROWSER_KILLS", 6), read("WORKER_KILLS", 1), read("SEED", 1))


def plan_blows(proof: Proof) -> dict[int, tuple[Blow, ...]]:
    """Return what is to be done after how many pages, spread evenly and in an order drawn by the seed."""
    stops = proof.browser_kills // STOPPED_SHARE
    blows = [Blow.STOP_BROWSER] * stops + [Blow.KILL_BROWSER] * (proof.browser_kills - stops)
    blows += [Blow.KILL_WORKER] * proof.worker_kills
    random.Random(proof.seed).shuffle(blows)
    planned: dict[int, tuple[Blow, ...]] = {}
    for number, blow in enumerate(blows):
        page = (number + 1) * proof.pages // (len(blows) + 1)
        planned[page] = (*planned.get(page, ()), blow)
    return planned

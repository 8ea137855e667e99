"""`python -m tests.system.learning_proof`: the rate over the visits of simulated sites, with and without learning."""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from captchad.domain.learned_model import PACKAGED
from captchad.recognition.model_shelf import MODELS_FOLDER_NAME, ModelShelf
from tests.redis_server import RedisServer
from tests.system.learning_proof.redis_questions import RedisQuestions
from tests.system.learning_proof.simulation import HOST, SimulatedSite, Simulation, Visit

HELD_OUT = ("wheezy.captcha", "kaptcha", "xcaptcha", "trek-captcha")
VISITS, WINDOW, SEED = 2000, 200, 77
LOWEST_PRIORITY = 19


def main() -> int:
    """Simulate the sites of the command line; return 1 where one ended worse than it began."""
    parser = argparse.ArgumentParser(prog="python -m tests.system.learning_proof", description=__doc__)
    parser.add_argument("--family", action="append", help=f"the generators; these unless given: {', '.join(HELD_OUT)}")
    parser.add_argument("--visits", type=int, default=VISITS)
    parser.add_argument("--start", type=Path, help="the model that serves first; the packaged one unless given")
    parser.add_argument("--out", type=Path, help="where to write the curves as JSON")
    given = parser.parse_args()
    os.nice(LOWEST_PRIORITY)
    curves = {}
    for family in given.family or HELD_OUT:
        curves[family] = simulate(family, given.visits, given.start)
        if given.out is not None:
            given.out.write_text(json.dumps(curves, indent=2), encoding="utf-8")
    return int(any(curve[-1]["with"] < curve[0]["without"] for curve in curves.values()))


def simulate(family: str, visits: int, start: Path | None) -> list[dict[str, float]]:
    """Return one site's curve."""

    def report(line: str) -> None:
        sys.stdout.write(f"{family} {line}\n")
        sys.stdout.flush()

    with tempfile.TemporaryDirectory(prefix="captchad-learning-") as name:
        folder = Path(name)
        redis = RedisServer(folder)
        redis.start()
        try:
            ask = RedisQuestions(redis.url)
            if start is not None:
                begin_with(ask, folder, start.read_bytes())
            simulation = Simulation(SimulatedSite(family, SEED), folder, ask, report)
            return draw_curve(simulation, visits, report)
        finally:
            redis.kill()


def begin_with(ask: RedisQuestions, folder: Path, file: bytes) -> None:
    """Have another model than the packaged one serve first."""
    digest = ask(lambda models: models.install(HOST, file, PACKAGED))
    assert digest is not None
    ModelShelf(folder / MODELS_FOLDER_NAME).put(digest, file)


def draw_curve(simulation: Simulation, visits: int, report: Callable[[str], None]) -> list[dict[str, float]]:
    """Make the visits and return the rates of each window of them."""
    curve: list[dict[str, float]] = []
    window: list[Visit] = []
    for number, visit in enumerate(simulation.run(visits), start=1):
        window.append(visit)
        if number % WINDOW == 0 or number == visits:
            with_learning = sum(one.with_learning for one in window) / len(window)
            without = sum(one.without_learning for one in window) / len(window)
            curve.append({"visits": number, "with": with_learning, "without": without})
            report(f"up to visit {number}: {with_learning:.1%} with learning, {without:.1%} without")
            window.clear()
    return curve


if __name__ == "__main__":
    sys.exit(main())

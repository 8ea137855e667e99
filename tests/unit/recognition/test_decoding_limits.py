"""Files made to cost much cost little: each is decoded or refused at the cost of some honest ones, within 512 MiB."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS
from tests.unit.recognition.hostile_pictures import HOSTILE

ROOT = Path(__file__).resolve().parents[3]
COST_LIMIT_HONEST_PICTURES = 40.0
"""How many honest pictures as large as may be, which take 60 ms each on a quiet machine; the worst costs fourteen."""

REFUSALS = {
    "png one pixel wide": "a side of more than 16384",
    "jpeg of 3,000 scans": "more than 100 scans",
    "jpeg of orientations": "more than 4096 segments",
    "jpeg with two headers": "more than one frame header",
    "gif with a giant second frame": "a frame of the GIF reaches to 13000 x 13000 pixels",
    "gif with a frame far to the right": "a frame of the GIF reaches to 65540 x 1 pixels",
    "webp of chunks": "more than 4096 chunks",
    "bmp with a skip of 255 rows": "run-length coded BMP",
}
READ = ("gif of 100,000 frames", "png of text bombs", "png with a profile bomb", "png of 16 bits", "jpeg of 100 scans")


@pytest.fixture(scope="module")
def costs() -> dict[str, dict[str, object]]:
    command = [sys.executable, "-m", "tests.unit.recognition.decoding_costs"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True)
    return {line["name"]: line for line in map(json.loads, run.stdout.splitlines())}


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_decoded_or_refused_at_little_cost(costs: dict[str, dict[str, object]], name: str) -> None:
    cost = costs[name]
    assert cost["outcome"] in {"decoded", "refused"}, cost
    assert cost["honest_pictures"] < COST_LIMIT_HONEST_PICTURES, cost  # type: ignore[operator]
    assert REFUSALS.get(name, "") in str(cost["message"])


@pytest.mark.parametrize("name", READ)
def test_what_is_only_padded_is_read_all_the_same(costs: dict[str, dict[str, object]], name: str) -> None:
    assert costs[name]["outcome"] == "decoded"

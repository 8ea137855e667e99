"""Pictures of a few characters that are drawn fast and read easily."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from captchad.recognition.preparation import prepare
from captchad.training.alphabet import encode
from captchad.training.batch import Batch, make_batch
from captchad.training.recipe import Feeding, NetworkShape, Recipe, Schedule, Validation
from captchad.training.sample import Sample

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"

SMALL_SHAPE = NetworkShape(
    stem_channels=16,
    channels=(24, 32, 48),
    gates=("g", "-", "-"),
    neck_channels=48,
    heads=4,
    attention_blocks=1,
    dropout=0.0,
)
SMALL_RECIPE = Recipe(
    name="small",
    seed=7,
    families={"captcha": 1.0},
    shape=SMALL_SHAPE,
    schedule=Schedule(steps=100, warm_up_steps=10, fall_steps=50, peak_learning_rate=3e-3, average_decay=0.9),
    feeding=Feeding(batch_pictures=4, chunk_batches=3, reuse_after_chunks=(0, 1, 3)),
    validation=Validation(every_steps=50, pictures_per_family=2),
)


def draw_plainly(text: str) -> Sample:
    """Draw dark letters on a light ground."""
    image = Image.new("L", (26 * len(text) + 12, 40), 230)
    ImageDraw.Draw(image).text((6, 2), text, fill=30, font=ImageFont.load_default(30))
    return Sample(np.asarray(image), text, "plain")


def draw_many(count: int, seed: int = 1) -> list[Sample]:
    """Draw some pictures of three random letters."""
    generator = np.random.default_rng(seed)
    return [draw_plainly("".join(generator.choice(list(LETTERS), size=3))) for _ in range(count)]


def batch_of(drawn: list[Sample], number: int = 0) -> Batch:
    """Make a batch of pictures as they are."""
    return make_batch(number, [(prepare(sample.picture), encode(sample.text)) for sample in drawn])

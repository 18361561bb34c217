"""Generated colour glyphs: ten characters in random font, size, place, turn and colour on a textured ground.

A stand-in for natural images that needs no download: colour, clutter and position must be seen through, so a
linear classifier fails where a small convolutional one does not. Fonts are those that Matplotlib carries.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from slowpoints.core.presets.source import Source
from slowpoints.core.streams import numpy_generator

CHARACTERS = "ACEHKRSTXZ"
"""Character of each class."""
FONTS = (
    "DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSansMono", "DejaVuSansMono-Bold",
    "DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic", "STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic",
    "cmr10", "cmb10", "cmss10", "cmtt10",
)  # fmt: skip
SCALE = 4  # glyphs are drawn this much larger and averaged down, so that edges are smooth at any turn
HEIGHTS = (0.55, 0.85)  # of the capital, in image heights
TURN = 25.0  # degrees either way
SHIFT = 0.16  # of the image either way
CONTRAST = 0.4  # by which the glyph's colour is at least lighter than both colours of the ground, in mean RGB
GRAIN = 0.06  # standard deviation of pixel noise


def read(source: Source, folder: Path | None = None) -> tuple[tuple, tuple]:
    """Training and test images `[n, size, size, 3]`; of the source's size, numbers and seed."""
    train, test = (
        render(source.size, n, part, source.seed) for part, n in (("train", source.n_train), ("test", source.n_test))
    )
    return train, test


def class_names(source: Source, folder: Path | None = None) -> list[str]:
    """The characters."""
    return list(CHARACTERS)


def render(size: int, n: int, part: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """`n` images `[n, size, size, 3]` uint8 and their labels, as many of each class as may be."""
    labels = np.arange(n) % len(CHARACTERS)
    images = [_image(size, int(label), numpy_generator("glyphs", seed, part, i)) for i, label in enumerate(labels)]
    return np.stack(images), labels


def _image(size: int, label: int, rng: np.random.Generator) -> np.ndarray:
    ground, colours = _ground(size, rng)
    ink = _ink(colours, rng)
    coverage = _glyph(CHARACTERS[label], size, rng)[..., None]
    pixels = (1 - coverage) * ground + coverage * ink + rng.normal(0, GRAIN, (size, size, 3))
    return np.round(255 * pixels.clip(0, 1)).astype(np.uint8)


def _ground(size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two colours mixed by a grating or by clouds, `[size, size, 3]`, and the colours `[2, 3]`."""
    first = rng.uniform(0, 0.4, 3)
    colours = np.stack([first, np.clip(first + rng.uniform(-0.3, 0.3, 3), 0, 0.4)])
    if rng.random() < 0.5:
        angle, period, phase = rng.uniform(0, np.pi), rng.uniform(3, size), rng.uniform(0, 2 * np.pi)
        y, x = np.mgrid[:size, :size]
        share = 0.5 + 0.5 * np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period + phase)
    else:
        cells = Image.fromarray(rng.random((4, 4)).astype(np.float32))
        share = np.asarray(cells.resize((size, size), Image.Resampling.BICUBIC)).clip(0, 1)
    return colours[0] + share[..., None] * (colours[1] - colours[0]), colours


def _ink(colours: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A colour lighter than the ground's by `CONTRAST`: always to be had, no ground being lighter than 0.4."""
    while True:
        ink = rng.random(3)
        if ink.mean() >= colours.mean(axis=1).max() + CONTRAST:
            return ink


def _glyph(character: str, size: int, rng: np.random.Generator) -> np.ndarray:
    """Coverage of each pixel by the character, `[size, size]` in [0, 1]."""
    canvas = Image.new("L", (size * SCALE, size * SCALE))
    font = _font(FONTS[rng.integers(len(FONTS))])
    left, top, right, bottom = map(int, font.getbbox(character))  # whole numbers, which Pillow's types don't say
    factor = rng.uniform(*HEIGHTS) * canvas.height / (bottom - top)
    letter = Image.new("L", (right - left, bottom - top))
    ImageDraw.Draw(letter).text((-left, -top), character, fill=255, font=font)
    letter = letter.resize((max(1, round(letter.width * factor)), max(1, round(letter.height * factor))))
    x, y = (round((canvas.width - extent) / 2 + rng.uniform(-SHIFT, SHIFT) * canvas.width) for extent in letter.size)
    canvas.paste(letter, (x, y))
    turned = canvas.rotate(rng.uniform(-TURN, TURN), Image.Resampling.BILINEAR)
    return np.asarray(turned.resize((size, size), Image.Resampling.BOX), dtype=np.float64) / 255


@cache
def _font(name: str) -> ImageFont.FreeTypeFont:
    # Not imported for this: where MPLBACKEND or a matplotlibrc is invalid, that fails.
    spec = importlib.util.find_spec("matplotlib")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("Matplotlib is not installed, whose fonts glyphs are drawn in")
    folder = Path(spec.origin).parent / "mpl-data/fonts/ttf"
    return ImageFont.truetype(folder / f"{name}.ttf", 96)  # drawn once at this size, then scaled

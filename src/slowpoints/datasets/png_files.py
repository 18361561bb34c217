"""One PNG file: its pixels as bytes, and what they leave out."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER = struct.Struct(">I4sIIB")  # length and name of the first chunk, width, height, bits of a sample
MOST_PIXELS = 2**24  # of an image, 4096 x 4096: no network here has so many inputs
ORIENTATION = 0x0112  # EXIF's tag
UPRIGHT = (None, 0, 1)  # values of it that leave an image as it is; 0 is not allowed, and common
FLAT = 0.95  # share of pixels of one shade above which an image has hardly another
SCALES_OF_8_BITS = (256, 257)  # by which samples of 8 bits are spread over 16: of these nothing is lost
WINDOW = 2  # neighbouring shades of 8 bits, of 256, between which hardly anything can be told apart
NOISE = 64  # of 65536: shades of 16 bits that differ by less may become one
LOW_BYTES: dict[str, tuple[str, list[int]]] = {
    "RGB;16B": ("RGB;16L", [0, 1, 2]),
    "RGBA;16B": ("RGBA;16L", [0, 1, 2, 3]),
    "LA;16B": ("RGBA", [1, 1, 1, 3]),
}
"""Of colours of 16 bits Pillow keeps the upper bytes: how it unpacks the lower ones, and which bands they are."""
FLATTEN = "mogrify -background white -alpha remove -alpha off *.png"


@dataclass(frozen=True)
class PngFile:
    """What is read of a PNG.

    Attributes:
        pixels: `[height, width]` (grey) or `[height, width, 3]` uint8; of 16 bits the upper 8.
        alpha: that of every pixel, in [0, 1].
        largest: sample of 16 bits; None where samples have fewer.
        collapses: whether shades of 16 bits that differ are the same, or `WINDOW` neighbours, in nearly all `pixels`.
    """

    pixels: np.ndarray
    alpha: float
    largest: int | None
    collapses: bool


def read_png(path: Path) -> PngFile:
    """A PNG of one frame, which shows the same on any ground.

    Raises:
        ValueError: naming the file, if it is damaged, too large, animated, to be turned, or see-through in parts.
    """
    with path.open("rb") as file:
        bits = _bits(file.read(len(SIGNATURE) + HEADER.size), path)
    try:
        with _whole_files_only():
            with Image.open(path, formats=["PNG"]) as image:
                image.verify()  # checksums of all chunks, after which it must be opened anew
            with Image.open(path, formats=["PNG"]) as image:
                tile = image.tile[0]
                samples = np.asarray(image)
                if tile.args in LOW_BYTES:
                    samples = samples.astype(np.uint16) << 8 | _low_bytes(path, *LOW_BYTES[tile.args])
                trouble = _animated_or_turned(image)
                alpha = _alpha(image, samples, bits)
                pixels = _pixels(image, samples)
    except Exception as error:  # a damaged file can raise anything
        raise ValueError(f"{path}: not a readable PNG ({type(error).__name__}: {error})") from None
    if trouble:
        raise ValueError(f"{path}: {trouble}")
    if alpha.min() != alpha.max():
        raise ValueError(
            f"{path}: transparent in parts (alpha from {alpha.min():.3g} to {alpha.max():.3g}), so what it shows "
            f"depends on the ground. Lay all images on the ground that they are meant for, with ImageMagick's {FLATTEN}"
        )
    if bits < 16:
        return PngFile(pixels, float(alpha.min()), None, False)
    colours = samples[..., :3] if samples.ndim == 3 else samples
    return PngFile(pixels, float(alpha.min()), int(colours.max()), _collapses(colours))


def _bits(start: bytes, path: Path) -> int:
    """Bits of a sample, from a file's first bytes.

    Raises:
        ValueError: unless they are those of a PNG that is not too large.
    """
    if len(start) < len(SIGNATURE) + HEADER.size or not start.startswith(SIGNATURE):
        raise ValueError(f"{path}: not a readable PNG (it does not begin as one)")
    _, _, width, height, bits = HEADER.unpack_from(start, len(SIGNATURE))
    if width * height > MOST_PIXELS:
        raise ValueError(f"{path}: {width} x {height} pixels; at most {MOST_PIXELS:,} are read, so scale it down")
    return bits


@contextlib.contextmanager
def _whole_files_only() -> Iterator[None]:
    """Pillow fills up what a cut file lacks with black, where someone has told it to."""
    before, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def _low_bytes(path: Path, rawmode: str, bands: list[int]) -> np.ndarray:
    with Image.open(path, formats=["PNG"]) as image:
        image.tile = [image.tile[0]._replace(args=rawmode)]
        return np.asarray(image)[..., bands]


def _animated_or_turned(image: Image.Image) -> str | None:
    """What is the matter with an image of which more is meant than its pixels as they lie."""
    frames = getattr(image, "n_frames", 1)
    if frames > 1:
        return f"animated, {frames} frames; only single images are read, so save each frame as a file of its own"
    try:
        orientation = image.getexif().get(ORIENTATION)
    except Exception:  # damaged EXIF data can raise anything, and says nothing
        return None
    if orientation in UPRIGHT:
        return None
    return (
        f"its EXIF data say that it is to be turned (orientation {orientation}), which the pixels are not; save it as "
        "it is to be seen, with ImageMagick's mogrify -auto-orient"
    )


def _alpha(image: Image.Image, samples: np.ndarray, bits: int) -> np.ndarray:
    """Alpha of pixels in [0, 1]: of a channel, of the colours of a palette, or of a colour that stands for none."""
    if image.mode in ("LA", "RGBA"):
        return samples[..., -1] / np.iinfo(samples.dtype).max
    clear = image.info.get("transparency")
    if clear is None:
        return np.ones(1)
    if image.mode == "P":
        table = np.ones(256)
        if isinstance(clear, bytes):
            table[: len(clear)] = np.frombuffer(clear, np.uint8) / 255
        else:
            table[clear] = 0
        return table[samples]
    if image.mode == "1":
        clear = bool(clear)
    if image.mode == "L":  # Pillow has spread samples of 2 and 4 bits over 8, but not the colour
        clear *= 255 // (2 ** min(bits, 8) - 1)
    same = samples == np.asarray(clear)
    return 1.0 - (same.all(-1) if samples.ndim == 3 else same)


def _pixels(image: Image.Image, samples: np.ndarray) -> np.ndarray:
    """Grey or colours of 8 bits, without alpha."""
    if image.mode.startswith("I"):  # grey of 16 bits, which Pillow would cut off at 255
        return (samples >> 8).astype(np.uint8)
    return np.asarray(image.convert("L" if image.mode in ("1", "L", "LA") else "RGB"))


def _collapses(samples: np.ndarray) -> bool:
    """Whether nearly all samples of 16 bits have the same upper 8, or neighbouring ones, and differ by over `NOISE`."""
    if any((samples % scale == 0).all() for scale in SCALES_OF_8_BITS):
        return False
    upper = samples >> 8
    counts = np.convolve(np.bincount(upper.ravel()), np.ones(WINDOW, int))[WINDOW - 1 :]  # from each shade on
    low = counts.argmax()
    shared = (upper >= low) & (upper < low + WINDOW)
    return bool(shared.mean() >= FLAT and np.ptp(samples[shared]) >= NOISE)

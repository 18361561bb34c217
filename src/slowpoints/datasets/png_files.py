"""One PNG file: its pixels as bytes, and what is lost in them."""

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
MOST_PIXELS = 2**24  # of an image, 4096 x 4096: more inputs than any network here has
ORIENTATION = 0x0112  # EXIF's tag
UPRIGHT = (None, 0, 1)  # its values that leave an image unchanged; 0 is invalid but common
FLAT = 0.95  # share of pixels in one shade above which an image counts as having only that shade
SCALES_OF_8_BITS = (256, 257)  # factors that spread 8-bit samples over 16 bits, which lose nothing
WINDOW = 2  # neighbouring 8-bit shades, of 256, which can hardly be distinguished
NOISE = 64  # of 65536: 16-bit shades that differ by less may become one
LOW_BYTES: dict[str, tuple[str, list[int]]] = {
    "RGB;16B": ("RGB;16L", [0, 1, 2]),
    "RGBA;16B": ("RGBA;16L", [0, 1, 2, 3]),
    "LA;16B": ("RGBA", [1, 1, 1, 3]),
}
"""Pillow keeps only the upper bytes of 16-bit colours: the raw mode and bands that give the lower bytes."""
FLATTEN = "mogrify -background white -alpha remove -alpha off *.png"


@dataclass(frozen=True)
class PngFile:
    """Contents of a PNG.

    Attributes:
        pixels: `[height, width]` (grey) or `[height, width, 3]` uint8; the upper 8 bits of 16-bit samples.
        alpha: opacity, the same for every pixel, in [0, 1].
        largest: largest 16-bit sample; None if samples have fewer bits.
        collapses: whether distinct 16-bit shades become one, or `WINDOW` neighbours, in nearly all `pixels`.
    """

    pixels: np.ndarray
    alpha: float
    largest: int | None
    collapses: bool


def read_png(path: Path) -> PngFile:
    """Reads a PNG of one frame that looks the same on any background.

    Raises:
        ValueError: naming the file, if it is damaged, too large, animated, rotated by EXIF data, or partly transparent.
    """
    with path.open("rb") as file:
        bits = _bits(file.read(len(SIGNATURE) + HEADER.size), path)
    try:
        with _whole_files_only():
            with Image.open(path, formats=["PNG"]) as image:
                image.verify()  # checks all chunks, after which the file must be reopened
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
            f"{path}: partly transparent (alpha from {alpha.min():.3g} to {alpha.max():.3g}), so its colours depend on "
            f"the background. Flatten all images onto the intended background, with ImageMagick's {FLATTEN}"
        )
    if bits < 16:
        return PngFile(pixels, float(alpha.min()), None, False)
    colours = samples[..., :3] if samples.ndim == 3 else samples
    return PngFile(pixels, float(alpha.min()), int(colours.max()), _collapses(colours))


def _bits(start: bytes, path: Path) -> int:
    """Bits per sample, from a file's first bytes.

    Raises:
        ValueError: unless they belong to a PNG that is not too large.
    """
    if len(start) < len(SIGNATURE) + HEADER.size or not start.startswith(SIGNATURE):
        raise ValueError(f"{path}: not a readable PNG (it does not start with the PNG signature)")
    _, _, width, height, bits = HEADER.unpack_from(start, len(SIGNATURE))
    if width * height > MOST_PIXELS:
        raise ValueError(f"{path}: {width} x {height} pixels; at most {MOST_PIXELS:,} are allowed, so scale it down")
    return bits


@contextlib.contextmanager
def _whole_files_only() -> Iterator[None]:
    """Prevents Pillow from filling truncated files with black, in case a caller has enabled that."""
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
    """Why the pixels alone are not the image: it is animated, or rotated by EXIF data; None if they are."""
    frames = getattr(image, "n_frames", 1)
    if frames > 1:
        return f"animated, {frames} frames; only single images are supported, so save each frame as a separate file"
    try:
        orientation = image.getexif().get(ORIENTATION)
    except Exception:  # damaged EXIF data can raise anything, and is ignored
        return None
    if orientation in UPRIGHT:
        return None
    return (
        f"its EXIF data rotate or flip it (orientation {orientation}), but only pixels are read; save it upright, with "
        "ImageMagick's mogrify -auto-orient"
    )


def _alpha(image: Image.Image, samples: np.ndarray, bits: int) -> np.ndarray:
    """Alpha of pixels in [0, 1], from a channel, from the palette, or from a colour declared transparent."""
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
    if image.mode == "L":  # Pillow scales 2- and 4-bit samples to 8 bits, but not this colour
        clear *= 255 // (2 ** min(bits, 8) - 1)
    same = samples == np.asarray(clear)
    return 1.0 - (same.all(-1) if samples.ndim == 3 else same)


def _pixels(image: Image.Image, samples: np.ndarray) -> np.ndarray:
    """8-bit grey or colours, without alpha."""
    if image.mode.startswith("I"):  # 16-bit grey, which Pillow would clip at 255
        return (samples >> 8).astype(np.uint8)
    return np.asarray(image.convert("L" if image.mode in ("1", "L", "LA") else "RGB"))


def _collapses(samples: np.ndarray) -> bool:
    """Whether nearly all 16-bit samples share their upper 8 bits, or neighbouring ones, but differ by over `NOISE`."""
    if any((samples % scale == 0).all() for scale in SCALES_OF_8_BITS):
        return False
    upper = samples >> 8
    counts = np.convolve(np.bincount(upper.ravel()), np.ones(WINDOW, int))[WINDOW - 1 :]  # of `WINDOW` shades from each
    low = counts.argmax()
    shared = (upper >= low) & (upper < low + WINDOW)
    return bool(shared.mean() >= FLAT and np.ptp(samples[shared]) >= NOISE)

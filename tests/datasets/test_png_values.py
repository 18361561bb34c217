"""PNGs of every form: read exactly, or refused by name if information would be lost."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageFile

from slowpoints.core.presets.source import Source
from slowpoints.datasets.building import make_dataset
from slowpoints.datasets.images import load_images
from slowpoints.datasets.png_files import SIGNATURE, read_png
from slowpoints.datasets.readers import png

GREY, RGB, GREY_ALPHA, RGB_ALPHA = 0, 2, 4, 6  # PNG's own colour types
SOURCE = Source("png", classes=2)


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def of_16_bits(samples, colours, *chunks):
    """A PNG written byte by byte, since Pillow does not write 16-bit colours."""
    height, width = samples.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    header = struct.pack(">IIBBBBB", width, height, 16, colours, 0, 0, 0)
    parts = [chunk(b"IHDR", header), *chunks, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    return SIGNATURE + b"".join(parts)


def strokes(label, row, size=12):
    """Coverage by ink, 0 or 255: a vertical or a horizontal bar."""
    ink, at = np.zeros((size, size), np.uint8), 1 + row % (size - 4)
    if label == 0:
        ink[2:-2, at : at + 2] = 255
    else:
        ink[at : at + 2, 2:-2] = 255
    return ink


@pytest.fixture
def write(tmp_path):
    """A folder of 20 images per class and part, each written by `save(ink, path)`, or by `other` if given."""

    def write(save, other=None):
        for part in ("train", "test"):
            for label in (0, 1):
                place = tmp_path / part / "ab"[label]
                place.mkdir(parents=True)
                for row in range(20):
                    (other if other and label else save)(strokes(label, row), place / f"{row}.png")
        return tmp_path

    return write


def read(path, data):
    path.write_bytes(data)
    return read_png(path)


@pytest.mark.parametrize(("colours", "channels"), [(RGB, 3), (RGB_ALPHA, 4), (GREY_ALPHA, 2), (GREY, 1)])
def test_the_upper_bytes_of_16_bits_are_read_and_the_lower_ones_looked_at(tmp_path, colours, channels):
    samples = np.random.default_rng(0).integers(0, 65536, (5, 4, channels)).astype(np.uint16)
    if colours in (RGB_ALPHA, GREY_ALPHA):
        samples[..., -1] = 65535
    found = read(tmp_path / "a.png", of_16_bits(samples, colours))
    shades = samples[..., :3] if channels >= 3 else samples[..., :1]
    expected = shades[..., 0] if colours == GREY else np.broadcast_to(shades, (5, 4, 3))
    np.testing.assert_array_equal(found.pixels, expected >> 8)
    assert (found.largest, found.alpha, found.collapses) == (shades.max(), 1, False)


@pytest.mark.parametrize("colours", [RGB, RGB_ALPHA, GREY_ALPHA, GREY])
@pytest.mark.parametrize("bits", [8, 10, 12, 14])
def test_shades_in_the_lower_of_16_bits_are_refused(write, colours, bits):
    def save(ink, path):
        channels = {GREY: 1, RGB: 3, GREY_ALPHA: 2, RGB_ALPHA: 4}[colours]
        samples = np.repeat((ink // 255).astype(np.uint16)[..., None] * (2**bits - 1), channels, -1)
        if colours in (RGB_ALPHA, GREY_ALPHA):
            samples[..., -1] = 65535
        path.write_bytes(of_16_bits(samples, colours))

    with pytest.raises(ValueError, match=r"\.png: .*only the upper 8 of 16 bits are read: its shades would be lost"):
        png.read(SOURCE, write(save))


def grey_16(ink, path, scale=257):
    Image.fromarray(ink.astype(np.uint16) * np.uint16(scale)).save(path)


def test_one_bright_pixel_does_not_hide_that_the_others_are_lost(write):
    def save(ink, path):
        samples = ink.astype(np.uint16)
        samples[0, 0] = 65535
        Image.fromarray(samples).save(path)

    with pytest.raises(ValueError, match="nearly all of it lies in 2 of the 256 parts of the 16 bits' range"):
        png.read(SOURCE, write(save))


@pytest.mark.parametrize("middle", [32768, 32700, 40000, 65407])
def test_few_shades_at_any_place_of_the_range_are_refused(write, middle):
    """An 8-bit range inside 16 bits, such as a camera's with an offset, spans two 8-bit shades."""

    def save(ink, path):
        Image.fromarray((middle - 128 + ink.astype(int)).astype(np.uint16)).save(path)

    with pytest.raises(ValueError, match=r"\.png: nearly all of it lies in 2 of the 256 parts"):
        png.read(SOURCE, write(save))


def test_sparse_images_of_8_bits_saved_in_16_lose_nothing(write):
    def save(ink, path):
        shades = np.random.default_rng(ink.argmax()).integers(40, 42, ink.shape)
        shades[ink.argmax() // 12, :3] = 200
        grey_16(shades, path)

    (images, _), _ = png.read(SOURCE, write(save))
    assert set(np.unique(images)) == {40, 41, 200}


def test_one_bright_image_does_not_hide_that_the_others_are_lost(write):
    folder = write(lambda ink, path: grey_16(ink, path, 4))
    for place in ("train/a", "train/b", "test/a", "test/b"):
        grey_16(strokes(0, 0), folder / place / "0.png")
    with pytest.raises(ValueError, match=r"/1.png: .*no sample of it is over 1020 \(10 bits\), as in most images of"):
        png.read(SOURCE, folder)


def test_a_class_of_low_values_among_others_is_refused(write):
    with pytest.raises(ValueError, match=r"/b/.*no sample of it is over 4080 \(12 bits\), as in most images of"):
        png.read(SOURCE, write(grey_16, lambda ink, path: grey_16(ink, path, 16)))


def test_shades_over_the_whole_range_are_read_though_some_images_are_dark(write):
    """A frame of noise alone, of which nothing remains, may be among the images."""
    folder = write(grey_16)
    noise = np.random.default_rng(0).integers(0, 200, (12, 12)).astype(np.uint16)
    Image.fromarray(noise).save(folder / "train/a/0.png")
    (images, _), _ = png.read(SOURCE, folder)
    assert images.max() == 255
    assert not images[0].any()


def in_alpha(mode):
    def save(ink, path):
        channels = np.zeros((*ink.shape, len(mode)), np.uint8)
        channels[..., -1] = ink
        Image.fromarray(channels, mode).save(path)

    return save


def in_alpha_of_16_bits(ink, path):
    path.write_bytes(of_16_bits(np.stack([np.zeros_like(ink), ink], -1).astype(np.uint16) * 257, GREY_ALPHA))


def in_palette(transparency):
    def save(ink, path):
        image = Image.fromarray(ink // 255, "P")
        image.putpalette([0] * 6)
        image.save(path, transparency=transparency)

    return save


def by_colour(mode, clear):
    def save(ink, path):
        Image.fromarray(ink).convert(mode).save(path, transparency=clear)

    return save


def grey_of_few_bits(bits):
    """Samples of 2 or 4 bits, the second darkest of which is transparent."""

    def save(ink, path):
        rows = np.where(ink > 0, 2, 1)
        packed = np.packbits(
            np.unpackbits(rows.astype(np.uint8)[..., None], axis=-1)[..., -bits:].reshape(len(ink), -1), 1
        )
        data = b"".join(b"\0" + row.tobytes() for row in packed)
        header = struct.pack(">IIBBBBB", ink.shape[1], ink.shape[0], bits, GREY, 0, 0, 0)
        parts = ((b"IHDR", header), (b"tRNS", struct.pack(">H", 1)), (b"IDAT", zlib.compress(data)), (b"IEND", b""))
        path.write_bytes(SIGNATURE + b"".join(chunk(*part) for part in parts))

    return save


def grey_of_16_bits_by_colour(ink, path):
    path.write_bytes(of_16_bits(ink.astype(np.uint16) * 257, GREY, chunk(b"tRNS", struct.pack(">H", 65535))))


def rgb_of_16_bits_by_colour(ink, path):
    samples = np.repeat(ink.astype(np.uint16)[..., None] * 257, 3, -1)
    path.write_bytes(of_16_bits(samples, RGB, chunk(b"tRNS", struct.pack(">3H", 0, 0, 0))))


@pytest.mark.parametrize(
    "save",
    [
        in_alpha("RGBA"),
        in_alpha("LA"),
        in_alpha_of_16_bits,
        in_palette(b"\x00\xff"),
        in_palette(0),
        by_colour("L", 255),
        by_colour("RGB", (255, 255, 255)),
        by_colour("1", 1),
        grey_of_few_bits(2),
        grey_of_few_bits(4),
        grey_of_16_bits_by_colour,
        rgb_of_16_bits_by_colour,
    ],
)
def test_what_shows_by_its_ground_alone_is_refused(write, save):
    with pytest.raises(ValueError, match=r"/train/a/0.png: partly transparent \(alpha from 0 to 1\).*mogrify"):
        png.read(SOURCE, write(save))


@pytest.mark.parametrize("alpha", [255, 128])
def test_alpha_that_is_the_same_everywhere_changes_no_shade(write, alpha):
    def save(ink, path):
        Image.fromarray(np.stack([ink, ink, ink, np.full_like(ink, alpha)], -1), "RGBA").save(path)

    (images, _), _ = png.read(SOURCE, write(save))
    np.testing.assert_array_equal(images[0], np.repeat(strokes(0, 0)[..., None], 3, -1))


def test_alpha_that_is_hardly_less_than_1_is_told_as_such(write):
    def save(ink, path):
        Image.fromarray(np.stack([ink, np.where(ink > 0, 255, 254)], -1).astype(np.uint8), "LA").save(path)

    with pytest.raises(ValueError, match=r"\(alpha from 0.996 to 1\)"):
        png.read(SOURCE, write(save))


def test_a_colour_that_stands_for_none_but_is_not_there_changes_no_shade(write):
    (images, _), _ = png.read(SOURCE, write(by_colour("L", 7)))
    np.testing.assert_array_equal(images[0], strokes(0, 0))


def test_images_that_differ_in_alpha_alone_are_refused(write):
    def save(alpha):
        return lambda ink, path: Image.fromarray(np.stack([ink, ink, ink, np.full_like(ink, alpha)], -1), "RGBA").save(
            path
        )

    with pytest.raises(ValueError, match=r"/b/0.png: alpha is 0.251 where that of .*/a/0.png is 1; lay all images"):
        png.read(SOURCE, write(save(255), save(64)))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_shades_of_any_mode_are_read_to_the_value(write, mode):
    folder = write(lambda ink, path: Image.fromarray(ink).convert(mode).save(path))
    (images, _), _ = png.read(SOURCE, folder)
    np.testing.assert_array_equal(images[0] if images.ndim == 3 else images[0, ..., 0], strokes(0, 0))


def test_an_animation_is_refused(write):
    folder = write(lambda ink, path: Image.fromarray(ink).save(path))
    frames = [Image.fromarray(strokes(0, row)) for row in range(3)]
    frames[0].save(folder / "test/b/7.png", save_all=True, append_images=frames[1:])
    with pytest.raises(ValueError, match=r"/test/b/7.png: animated, 3 frames; only single images are supported"):
        png.read(SOURCE, folder)


def test_an_image_that_is_to_be_turned_is_refused(write):
    folder = write(lambda ink, path: Image.fromarray(ink).save(path))
    exif = Image.Exif()
    for orientation in (1, 6):
        exif[0x0112] = orientation
        Image.fromarray(strokes(0, 3)).save(folder / "train/a/3.png", exif=exif)
        if orientation == 1:
            png.read(SOURCE, folder)
    with pytest.raises(ValueError, match=r"/train/a/3.png: its EXIF data rotate or flip it \(orientation 6\)"):
        png.read(SOURCE, folder)


def test_a_cut_image_is_refused_whatever_pillow_was_told(tmp_path, monkeypatch):
    """Chunks may be complete although their pixels are not."""
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    rows = b"".join(
        b"\0" + row.tobytes() for row in np.random.default_rng(0).integers(0, 256, (12, 12)).astype(np.uint8)
    )
    header = struct.pack(">IIBBBBB", 12, 12, 8, GREY, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)[:-40]), chunk(b"IEND", b"")]
    with pytest.raises(ValueError, match=r"a\.png: not a readable PNG"):
        read(tmp_path / "a.png", SIGNATURE + b"".join(parts))
    assert ImageFile.LOAD_TRUNCATED_IMAGES


def test_a_set_of_strokes_comes_out_as_it_went_in(write, tmp_path):
    outputs = {part: tmp_path / f"{part}.parquet" for part in ("train", "valid", "test")}
    make_dataset(SOURCE, write(grey_16), outputs)
    test = load_images(outputs["test"])
    np.testing.assert_array_equal(test.images[0, ..., 0], strokes(0, 0))
    assert test.class_names == ("a", "b")

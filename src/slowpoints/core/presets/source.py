"""Where images come from."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationInfo

from slowpoints.core.presets.section import Section, section
from slowpoints.core.presets.values import OrNull, Whole, matching, one_of

KINDS = "kinds"
"""Of what a check is told: the names of all kinds of source, which this layer does not know."""
Address = Annotated[
    str,
    matching(
        r"(https?|ftp)://.*",
        "an address that begins with http://, https:// or ftp:// (for a folder of your own, name it as path)",
    ),
]
Checksum = Annotated[
    str,
    matching("md5:[0-9a-fA-F]{32}|sha256:[0-9a-fA-F]{64}", '"md5:" and 32, or "sha256:" and 64 hexadecimal digits'),
]
Size = Annotated[Whole, Field(ge=1)]


def _known(kind: str, info: ValidationInfo) -> Any:
    return one_of(info.context[KINDS]).check(kind) if info.context and kind else kind


@section
class Source(Section):
    """Where the images come from; which keys are read depends on the kind."""

    kind: Annotated[str, AfterValidator(_known)] = Field(
        default="",
        description="digits (embedded), glyphs (generated), idx (MNIST's format), cifar (CIFAR-10's Python batches), "
        "parquet, or png (folders by class).",
    )
    path: OrNull[str] = Field(
        default=None,
        description="Folder of the files, relative to data_dir unless absolute; relative to resources/ if they are "
        "downloaded.",
    )
    urls: tuple[Address, ...] = Field(
        default=(), description="Public folders that contain the files listed in `checksums`, tried in turn."
    )
    checksums: dict[str, Checksum] = Field(
        default={},
        description='Checksum by file name, "md5:..." or "sha256:...". Files with these names are verified.',
    )
    train_files: OrNull[Annotated[tuple[str, ...], Field(min_length=1)]] = Field(
        default=None, description="CIFAR batches to train on; null uses all five."
    )
    classes: Whole = Field(default=10, ge=2, le=2**15, description="Number of classes; labels run from 0 to one less.")
    shape: OrNull[tuple[Size, Size, Size]] = Field(
        default=None,
        description="Height, width and channels of images in Parquet files whose metadata do not state them.",
    )
    size: Whole = Field(default=16, ge=8, le=64, description="Height and width of generated glyphs, in pixels.")
    n_train: Whole = Field(default=6000, ge=100, description="Glyphs to generate for training and validation.")
    n_test: Whole = Field(default=1000, ge=100, description="Glyphs to generate for testing.")
    seed: Whole = Field(default=0, description="Seed of the glyphs.")

    @property
    def image_shape(self) -> tuple[int, int, int] | None:
        """Height, width and channels of an image where kind or settings say; None where only the files do."""
        known = {"digits": (8, 8, 1), "glyphs": (self.size, self.size, 3), "cifar": (32, 32, 3)}
        return known.get(self.kind, self.shape)

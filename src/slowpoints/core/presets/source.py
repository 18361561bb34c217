"""Where images come from."""

from __future__ import annotations

from dataclasses import dataclass, field

from slowpoints.core.presets.section import Section


@dataclass(frozen=True)
class Source(Section):
    """Where the images come from; which keys are read depends on the kind."""

    kind: str
    path: str | None = None
    urls: tuple[str, ...] = ()
    checksums: dict[str, str] = field(default_factory=dict)
    train_files: tuple[str, ...] | None = None
    classes: int = 10
    shape: tuple[int, int, int] | None = None
    size: int = 16
    n_train: int = 6000
    n_test: int = 1000
    seed: int = 0

    @property
    def image_shape(self) -> tuple[int, int, int] | None:
        """Height, width and channels of an image where kind or settings say; None where only the files do."""
        known = {"digits": (8, 8, 1), "glyphs": (self.size, self.size, 3), "cifar": (32, 32, 3)}
        return known.get(self.kind, self.shape)

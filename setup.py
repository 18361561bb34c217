"""What pyproject.toml cannot say: parts of the project beside the library go into its wheel (core/project.py)."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).parent
PARTS = sorted([*HERE.glob("config/presets/*.yaml"), HERE / "scripts/_job.py", HERE / "scripts/train_networks.py"])
"""Presets, and the script whose digest says by which code networks were trained."""


class BuildWithParts(build_py):
    """Copies the parts into the package, below `slowpoints/project/`; an editable install finds them where they are."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            for part, target in self._parts():
                self.mkpath(str(Path(target).parent))
                self.copy_file(str(part), target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        return [*super().get_outputs(include_bytecode), *(target for _, target in self._parts())]

    def get_source_files(self) -> list[str]:
        """For a source distribution."""
        return [*super().get_source_files(), *(str(part.relative_to(HERE)) for part in PARTS)]

    def _parts(self) -> list[tuple[Path, str]]:
        folder = Path(self.build_lib, "slowpoints/project")
        return [(part, str(folder / part.relative_to(HERE))) for part in PARTS]


setup(cmdclass={"build_py": BuildWithParts})

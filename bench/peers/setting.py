"""What makers are given, and what they say of their models."""
import dataclasses
import pathlib
from typing import Callable


@dataclasses.dataclass(frozen=True)
class Setting:
    """Where everything lies that makers need; the last two are there once EdgeFlex's float32 and the export are made."""

    root: pathlib.Path
    model: pathlib.Path
    data: pathlib.Path
    calibration: pathlib.Path | None = None
    export: pathlib.Path | None = None

    def images(self):
        """Training images as the model reads them, images x channels x height x width, float32."""
        import numpy as np

        return np.load(self.calibration)


@dataclasses.dataclass(frozen=True)
class Variant:
    """A row of the table."""

    make: Callable[[Setting, pathlib.Path], pathlib.Path]
    # The package that runs it.
    package: str = 'onnxruntime'
    # What the package is told, where that is not what it does by default.
    precision: str = 'f32'
    # The recipe of suites/recipes, of EdgeFlex's own.
    recipe: str | None = None
    # The variant whose model this one runs in another way.
    model_of: str | None = None
    # Whether it is EdgeFlex's, and made from the checkpoint in place of the export.
    own: bool = False

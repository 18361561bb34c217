"""Keys of a study's configuration: type, bounds, default and description of each, and the schema made of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from slowpoints.core.layout import PUBLISHED_AS, SHARED
from slowpoints.core.modes import MODES
from slowpoints.core.presets.preset import MOST_SEEDS, WrittenPreset
from slowpoints.core.presets.section import Section, section
from slowpoints.core.presets.values import UNIQUE, Number, OrNull, Rule, Whole, matching, one_of
from slowpoints.datasets.readers import kinds
from slowpoints.networks.units import units
from slowpoints.task.protocols import PROTOCOLS

Name = Annotated[
    str,
    matching(
        "[A-Za-z0-9][A-Za-z0-9_.-]{0,99}",
        "letters, digits, dots, dashes and underscores, a letter or digit first, at most 100 of them",
    ),
]
"""What may name a folder."""
NOT_TAKEN = Rule(
    lambda name: not name.startswith(PUBLISHED_AS) and name.casefold() not in SHARED,
    f"it must be another name: {PUBLISHED_AS}... is for published studies, {' and '.join(SHARED)} for all studies",
    {"not": {"pattern": f"^({PUBLISHED_AS}|({'|'.join(SHARED)})$)"}},
)
Architecture = Annotated[str, one_of(units())]
ProtocolName = Annotated[str, one_of(PROTOCOLS)]
Mode = Annotated[str, one_of(MODES)]


@section
class Configuration(Section):
    """Configuration of a study."""

    study: Annotated[Name, NOT_TAKEN] = Field(
        default="default",
        description="Name of the folder results/{study}/. Studies never overwrite each other, and share trained "
        "networks. A file named on the command line must set it.",
    )
    datasets: Annotated[tuple[str, ...], UNIQUE] = Field(
        default=("digits", "glyphs"),
        min_length=1,
        description="Names of presets, either shipped or your own under `presets`.",
    )
    architectures: Annotated[tuple[Architecture, ...], UNIQUE] = Field(
        default=("gru", "lstm"),
        min_length=1,
        description="Recurrent units, described in docs/method.md, Networks.",
    )
    protocols: Annotated[tuple[ProtocolName, ...], UNIQUE] = Field(
        default=("vocu", "decu"),
        min_length=1,
        description="Training protocols, such as vocabulary curriculum (vocu), delay curriculum (decu) or none, "
        "described in docs/method.md.",
    )
    seeds: OrNull[Annotated[Whole, Field(ge=1, le=MOST_SEEDS)]] = Field(
        default=None,
        description="Networks per cell; null uses each preset's own number. Raising it adds networks and retrains "
        "none.",
    )
    seeds_per_job: OrNull[Annotated[Whole, Field(ge=1)]] = Field(
        default=None,
        description="Networks that train together in one job; null trains all new ones of a cell together.",
    )
    modes: Annotated[tuple[Mode, ...], UNIQUE] = Field(
        default=("control", "slow_points", "path"),
        description="Modes of fine-tuning. Without a penalty: control. Squared speed in noise, the paper's penalty: at "
        "the slow points (slow_points), at the class centres (centre_of_mass), at slow points that are recomputed "
        "during fine-tuning (tracking). Squared speed under the mean input, ours: at the settled states (settled), "
        "along the relaxation path (path). Rivals: longer trials (long_delays), small moves from frame to frame "
        "(temporal_consistency), gradient flossing (flossing), louder noise (noise), weight decay (weight_decay). [] "
        "for no fine-tuning.",
    )
    data_dir: OrNull[str] = Field(
        default=None,
        description="Folder that contains mnist/, cifar10/ and so on; null downloads the files a preset needs into "
        "resources/ and verifies them.",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto",
        description="Device for training, for fine-tuning and for the measurements after fine-tuning; auto uses a GPU "
        "if available. Networks before fine-tuning are measured on the CPU.",
    )
    resume_minutes: Number = Field(
        default=10,
        ge=0,
        description="Minutes between two writes of a resume file, from which interrupted training resumes.",
    )
    presets: dict[Name, WrittenPreset] = Field(
        default={},
        description="Overrides of shipped presets, and new data sets; `base` names the preset to start from.",
        json_schema_extra={"additionalProperties": False},
    )


def schema() -> dict[str, Any]:
    """JSON schema of a configuration, as editors read it."""
    made = TypeAdapter(Configuration).json_schema()
    sections = made.pop("$defs")
    sections["Source"]["properties"]["kind"]["enum"] = kinds()
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": made.pop("description").rstrip(".")}
    return head | _tidy(made) | {"$defs": _tidy(sections)}


def _tidy(part: Any) -> Any:
    """Without titles, which repeat the keys, and defaults of no name; bounds by the names that JSON schema has."""
    bounds = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum"}
    if isinstance(part, dict):
        return {
            bounds.get(key, key): _tidy(value)
            for key, value in part.items()
            if (key, value) != ("default", "") and not (key == "title" and isinstance(value, str))
        }
    return [_tidy(item) for item in part] if isinstance(part, list) else part

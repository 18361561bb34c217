"""Configurations: YAML files, clear messages about values, and that any value is accepted or refused."""

import gc
import json
import re
import shutil
import sys
from datetime import date
from fractions import Fraction
from typing import Annotated, Literal

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import Field

from slowpoints.configuration import schema as config_schema
from slowpoints.core.checks import checked
from slowpoints.core.config import ConfigError, parse_setting, parse_yaml, read_yaml
from slowpoints.core.presets.section import Section, plain, section
from slowpoints.core.presets.values import UNIQUE, Number, OrNull, Share, Whole, YesNo, matching
from slowpoints.study import PRESETS, read_study

FEW, MANY = 400, 10_000  # configurations, by default and by `make test-faults`


def test_a_file_holds_a_mapping_or_nothing(tmp_path):
    path = tmp_path / "mine.yaml"
    for text, content in (("seeds: 2\n", {"seeds": 2}), ("", {}), ("# nothing yet\n", {})):
        path.write_text(text)
        assert read_yaml(path) == content


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"presets: {digits: {", "not YAML: while parsing a flow node .* line 1, column 20"),
        (b"seeds: 2\n\tmodes: []", "not YAML: .* line 2, column 1"),
        (b"[1]: 2", "not YAML: .*unhashable key"),
        (b"- digits\n- glyphs", r"holds \['digits', 'glyphs'\]; it must be a mapping of keys, such as `seeds: 2`$"),
        (b"digits", "holds 'digits'; it must be a mapping"),
    ],
)
def test_a_file_that_is_no_mapping_is_named_in_one_line(tmp_path, content, complaint):
    path = tmp_path / "mine.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=f"^{path}: {complaint}") as raised:
        read_yaml(path)
    assert "\n" not in str(raised.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    for path, reason in ((tmp_path / "none.yaml", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(ConfigError, match=f"^{path}: {reason}$"):
            read_yaml(path)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_in_utf_16_is_named(tmp_path, encoding):
    path = tmp_path / "mine.yaml"
    path.write_text("study: mine\n", encoding=encoding)
    with pytest.raises(ConfigError, match=f"^{path}: is encoded in UTF-16; save it in UTF-8$"):
        read_yaml(path)


def test_a_file_in_latin_1_is_named_with_the_line(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("study: mine\ndata_dir: /données\n", encoding="latin-1")
    with pytest.raises(
        ConfigError, match=r"not encoded in UTF-8, but perhaps in Latin-1 \(byte 0xe9 in line 2\); save it"
    ):
        read_yaml(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_file_in_utf_8_may_begin_with_its_mark(tmp_path, encoding):
    path = tmp_path / "mine.yaml"
    path.write_text("data_dir: /données\n", encoding=encoding)
    assert read_yaml(path) == {"data_dir": "/données"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("seeds: 2\nmodes: []\nseeds: 3\n", "the key seeds is given twice, in lines 1 and 3; remove one"),
        ('seeds: 2\n"seeds": 3\n', "the key seeds is given twice, in lines 1 and 2"),
        (
            "presets:\n  a:\n    training: {steps: 7}\n    training: {bank: 64}\n",
            "training is given twice, in lines 3 and 4",
        ),
        ("presets: {a: {seeds: 1, seeds: 2}}", "the key seeds is given twice, in lines 1 and 1"),
        ("datasets: [{a: 1, a: 2}]", "the key a is given twice"),
        ("a: &a {x: 1}\nb: &b {y: 2}\nc:\n  <<: *a\n  <<: *b\n", "the key << is given twice, in lines 4 and 5"),
        ('{\n\t"seeds": 2,\n\t"seeds": 3\n}', "the key seeds is given twice, in lines 2 and 3"),
        ('{"presets": {"a": {"seeds": 1, "seeds": 2}}}', "the key seeds is given twice, in lines 1 and 1"),
    ],
)
def test_a_key_given_twice_is_named_with_both_lines(text, complaint):
    with pytest.raises(ConfigError) as raised:
        parse_yaml(text, "mine.yaml")
    assert str(raised.value).startswith("mine.yaml: ")
    assert complaint in str(raised.value)


def test_a_key_may_override_what_is_merged_into_its_mapping():
    """Also if that mapping is merged into another before its definition."""
    text = "a: &a {x: 1, y: 1}\nb: {c: &c {<<: *a, x: 2}}\nd: {<<: *c, y: 3}\n"
    assert parse_yaml(text, "mine.yaml") == {"a": {"x": 1, "y": 1}, "b": {"c": {"x": 2, "y": 1}}, "d": {"x": 2, "y": 3}}


FILES = [
    "study: 007\nseeds: 0x10\nresume_minutes: 1:30\ndata_dir: on\n",
    "study: 2020-10-10\nseeds: 1_000\nresume_minutes: 1e3\n",
    '{\n\t"study": "a\\u00e9",\n\t"seeds": 1e2\n}',
    "a: &a {x: 1}\nb: {<<: *a, y: .inf}\n",
    "__use_yte__: true\nseeds: ?1 + 1\n",
]


@pytest.mark.parametrize("text", FILES)
def test_a_file_is_read_as_snakemake_reads_it(tmp_path, text):
    from snakemake.common.configfile import load_configfile

    path = tmp_path / "mine.yaml"
    path.write_text(text)
    assert read_yaml(path) == load_configfile(path)


VALUES = [
    *("2", "007", "1_000", "-1", "+3", "0x1F", "1e3", "1e-5", ".5", "nan", "inf", "1:30", "2020-10-10", "8/140"),
    *("no", "on", "true", "True", "False", "null", "~", "'7'", '"a b"', "a=b", " x ", "[", "{a: ", "a: b", "é"),
    *("[]", "[control]", "{digits: {seeds: 2, training: {steps: 1e2, cuda_graph: no}}}", "{'a': {'b': [1, 2]}}", ""),
]


@pytest.mark.parametrize("value", VALUES)
def test_a_setting_is_taken_as_snakemake_takes_it(value):
    from snakemake.cli import parse_config

    assert repr(parse_setting(f"study={value}")) == repr(parse_config([f"study={value}"]))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("seeds", "--config is 'seeds'; it must be KEY=VALUE, such as seeds=2"),
        ("2x=3", "--config 2x=3: '2x' is not a key"),
        ("presets={digits: {seeds: 1, seeds: 2}}", "--config presets: the key seeds is given twice"),
    ],
)
def test_what_is_no_setting_is_named(text, complaint):
    with pytest.raises(ConfigError) as raised:
        parse_setting(text)
    assert complaint in str(raised.value)


@section
class Inner(Section):
    a: Whole = Field(ge=0)
    b: str = Field(min_length=1)


@section
class Everything(Section):
    """One key for each kind of rule."""

    whole: OrNull[Annotated[Whole, Field(ge=1, le=9)]] = None
    number: Number = Field(1, gt=0)
    yes: YesNo = True
    text: str = "a"
    part: OrNull[Share] = None
    choice: Literal["x", "y"] = "x"
    word: Annotated[str, matching("a.*", "a word in a")] = "a"
    inner: OrNull[Inner] = None
    items: Annotated[tuple[Number, ...], UNIQUE] = Field((1,), min_length=1)
    pair: tuple[Whole, str] = (1, "a")
    named: dict[Annotated[str, matching("a.*", "a word in a")], Whole] = Field({}, min_length=0)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("whole", 2.5, "whole is 2.5; it must be a whole number or null"),
        ("whole", True, "whole is true; it must be a whole number or null"),
        ("whole", "much", "whole is 'much'; it must be a whole number or null"),
        ("whole", [], "whole is []; it must be a whole number or null"),
        ("whole", 0, "whole is 0; it must be at least 1"),
        ("whole", 10, "whole is 10; it must be at most 9"),
        ("whole", "-inf", "whole is -inf; it must be a whole number or null"),
        ("number", 0, "number is 0; it must be more than 0"),
        ("number", None, "number is null; it must be a number"),
        ("number", False, "number is false; it must be a number"),
        ("number", "nan", "number is nan; it must be a finite number"),
        ("number", float("inf"), "number is inf; it must be a finite number"),
        ("yes", 1, "yes is 1; it must be true or false"),
        ("yes", "maybe", "yes is 'maybe'; it must be true or false"),
        ("text", 7, "text is 7; it must be text, in quotes: '7'"),
        ("text", False, "text is false; it must be text, in quotes: YAML takes yes, no, on and off for true and false"),
        ("text", date(2020, 10, 10), "text is '2020-10-10'; it must be text, in quotes: '2020-10-10'"),
        ("part", "1/0", "part is '1/0'; it must be a number, or text such as \"8/140\", or null"),
        ("part", -1, "part is -1; it must be at least 0"),
        ("choice", "z", "choice is 'z'; allowed are x, y"),
        ("word", "b", "word is 'b'; it must be a word in a"),
        ("inner", 3, "inner is 3; it must be a mapping of keys or null"),
        ("inner", {"a": 1}, "inner.b is missing; inner must have a and b"),
        ("inner", {"a": 1, "bb": "x"}, "unknown key inner.bb; allowed are a, b"),
        ("inner", {"a": 1, "b": ""}, "inner.b is ''; it must have at least 1 characters"),
        ("items", [], "items is []; it must have at least 1 items"),
        ("items", [1, 1.0], "items is [1, 1.0]; its items must differ"),
        ("items", [1, "b"], "items.1 is 'b'; it must be a number"),
        ("items", "b", "items is 'b'; it must be a list, in brackets: [b]"),
        ("items", {"b": None}, "items is {'b': None}; it must be a list"),
        ("items", {1, 2}, "items is a set; it must be a list"),
        ("pair", [1], "pair is [1]; it must have 2 items"),
        ("pair", [1, "a", 2], "pair is [1, 'a', 2]; it must have at most 2 items"),
        ("named", {"b": 1}, "named has the key 'b'; it must be a word in a"),
        ("named", {"a": "b"}, "named.a is 'b'; it must be a whole number"),
        ("named", {"a": {1: 2}}, "named.a has the key 1; it must be text, in quotes: '1'"),
        ("nmaed", {}, "unknown key nmaed; allowed are choice, "),
        ("nmaed", {}, "; did you mean named?"),
    ],
)
def test_every_rule_is_explained_in_plain_words(key, value, message):
    with pytest.raises(ConfigError) as raised:
        checked(Everything, {key: value}, "mine.yaml")
    assert str(raised.value).startswith("mine.yaml: ")
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("key", "value", "taken"),
    [
        ("whole", "1e0", 1),
        ("whole", 2.0, 2),
        ("whole", np.int64(3), 3),
        ("whole", "null", None),
        ("number", "1e-5", 1e-5),
        ("number", np.float32(0.5), 0.5),
        ("yes", "false", False),
        ("part", 0.1, Fraction(1, 10)),
        ("part", "12/14", Fraction(6, 7)),
        ("part", "null", None),
        ("items", ["1e2", 3], (100.0, 3.0)),
    ],
)
def test_what_yaml_and_the_command_line_take_for_text_is_what_was_meant(key, value, taken):
    assert repr(getattr(checked(Everything, {key: value}, "mine.yaml"), key)) == repr(taken)


def test_a_long_value_is_cut_short():
    with pytest.raises(ConfigError) as raised:
        checked(Everything, {"whole": "x" * 10_000}, "mine.yaml")
    assert len(str(raised.value)) < 300


NUMBERS = st.sampled_from([0, -1, 2.0, 1.5, 1e308, float("nan"), float("inf"), 2**63, 10**400])
TEXTS = (
    st.sampled_from(["", "1/0", "1e-5", "nan", "-inf", "~no_such_user", "../x", "{x}", "\0", "x" * 5000]) | st.text()
)
SCALARS = st.none() | st.booleans() | st.dates() | NUMBERS | TEXTS
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SCALARS, inner, max_size=3), max_leaves=5
)


WHOLE = config_schema()


def followed(schema):
    return WHOLE["$defs"][schema["$ref"].split("/")[-1]] if "$ref" in schema else schema


def allowed(schema):
    """Values that a schema allows: a strategy."""
    schema = followed(schema)
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if options := schema.get("anyOf", schema.get("oneOf")):
        return st.one_of([allowed(option) for option in options])
    least = schema.get("minimum", schema.get("exclusiveMinimum", 0))
    return {
        "object": of_keys,
        "array": of_items,
        "integer": lambda _: st.integers(least, schema.get("maximum", 2000)),
        "number": lambda _: st.floats(least, allow_infinity=False) | st.integers(least, 9),
        "boolean": lambda _: st.booleans(),
        "null": lambda _: st.none(),
        "string": lambda _: st.sampled_from(["digits", "mine", "8/140", "https://example.org", f"md5:{'0' * 32}"]),
    }[schema["type"]](schema)


def of_keys(schema):
    parts = {name: allowed(part) for name, part in schema.get("properties", {}).items()}
    return st.fixed_dictionaries({name: parts.pop(name) for name in schema.get("required", [])}, optional=parts)


def of_items(schema):
    if "prefixItems" in schema:
        return st.tuples(*map(allowed, schema["prefixItems"])).map(list)
    unique = repr if schema.get("uniqueItems") else None
    sizes = {"min_size": schema.get("minItems", 0), "max_size": schema.get("maxItems", 4)}
    return st.lists(allowed(schema["items"]), unique_by=unique, **sizes)


def keys(schema, above=()):
    """Every key of a configuration with a preset `mine`, with its allowed values."""
    parts = dict(followed(schema).get("properties", {}))
    if above == ("presets",):
        parts["mine"] = WHOLE["$defs"]["WrittenPreset"]
    for name, part in parts.items():
        yield (*above, name), allowed(part) | NUMBERS | TEXTS | ANYTHING
        yield from keys(part, (*above, name))
    if parts:
        yield (*above, "unknown"), ANYTHING
        yield (*above, 1), ANYTHING


SETTINGS = st.sampled_from(list(keys(WHOLE)))
SOURCES = st.none() | st.fixed_dictionaries({"kind": st.sampled_from(["idx", "png"]), "path": TEXTS})


@st.composite
def configurations(draw):
    """A study of a data set `mine`, with up to three keys set to allowed values or to anything."""
    source = draw(SOURCES)
    preset = {"base": "digits-tiny"} | ({"source": source} if source else {})
    config = {"datasets": ["mine"], "presets": {"mine": preset}}
    for path, values in draw(st.lists(SETTINGS, max_size=3)):
        *above, last = path
        section = config
        for key in above:
            section = section.setdefault(key, {}) if isinstance(section, dict) else section
        if isinstance(section, dict):
            section[last] = draw(values)
    return config


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """A folder with two of the supplied presets, since reading all of them is slow."""
    folder = tmp_path_factory.mktemp("presets")
    for name in ("digits", "digits-tiny"):
        shutil.copy(PRESETS / f"{name}.yaml", folder)
    return folder


@pytest.mark.parametrize("examples", [FEW, pytest.param(MANY, marks=pytest.mark.faults)])
def test_any_configuration_is_planned_or_is_refused_as_one(shipped, examples):
    planned = set()

    @settings(
        max_examples=examples, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(config=configurations())
    def plan(config):
        before = repr(config)
        try:
            study = read_study(config, shipped=shipped, name="mine.yaml")
        except ConfigError as error:
            message = str(error)
        else:
            message = None
            for preset in study.presets.values():
                json.dumps(plain(preset), allow_nan=False)  # finite
            cell = next(study.cells())
            assert len(study.tunings(cell)) >= len(study.config["modes"])
            assert study.seed_blocks(cell)
        assert message is None or re.fullmatch(r"mine\.yaml: [^\n]+", message)
        assert repr(config) == before
        planned.add(message is None)

    plan()
    assert planned == {True, False}  # else one side alone was seen


@settings(max_examples=200, derandomize=True, deadline=None, database=None)
@given(text=st.text(max_size=40) | ANYTHING.map(lambda value: yaml.safe_dump(value, allow_unicode=True)))
def test_any_text_is_yaml_or_is_refused_by_name(text):
    try:
        parse_yaml(text, "mine.yaml")
    except ConfigError as error:
        message = str(error)
    else:
        return
    assert re.fullmatch(r"mine\.yaml: not YAML: [^\n]+", message)


@pytest.mark.parametrize("text", ["presets: &a {mine: *a}", "datasets: &a [*a]", "presets: &a {mine: {training: *a}}"])
def test_a_configuration_that_holds_itself_is_refused(shipped, text):
    with pytest.raises(ConfigError, match=r"mine\.yaml: nested endlessly"):
        read_study(parse_yaml(text, "mine.yaml"), shipped=shipped, name="mine.yaml")


def test_yaml_that_is_too_deep_is_refused():
    gc.collect()  # what other tests left must not be finalised in the depth of the brackets, where that fails
    with pytest.raises(ConfigError, match=r"mine\.yaml: not YAML: "):
        parse_yaml("[" * sys.getrecursionlimit(), "mine.yaml")

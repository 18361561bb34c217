"""Configurations: files of YAML, what is wrong with a value in plain words, and that any is taken or refused."""

import gc
import json
import re
import shutil
import sys

import pytest
import yaml
from helpers import SCHEMA, SHIPPED
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slowpoints.core.config import ConfigError, check, parse_yaml, read_yaml
from slowpoints.core.presets.section import plain
from slowpoints.study import read_schema, read_study

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
        (b"study: \xff", "not YAML: .*invalid start byte"),
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


NUMBER_OR_LIST = {"oneOf": [{"type": "number", "minimum": 0}, {"type": "array", "items": {"type": "number"}}]}


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        ({"const": 3}, 2, "key is 2; it must be 3"),
        ({"multipleOf": 5}, 7, "key is 7; it must be a multiple of 5"),
        ({"exclusiveMaximum": 1}, 1, "key is 1; it must be less than 1"),
        ({"minProperties": 1}, {}, "key is {}; it must have at least 1 keys"),
        ({"maxItems": 2}, [1, 2, 3], "key is [1, 2, 3]; it must have at most 2 items"),
        ({"required": ["a", "b"]}, {"a": 1}, "key.b is missing; key must have a and b"),
        ({"pattern": "^a"}, "b", "key is 'b'; it must match ^a"),
        ({"pattern": "^a", "allowed": "a word in a"}, "b", "key is 'b'; it must be a word in a"),
        (
            {"propertyNames": {"pattern": "^a", "allowed": "a word in a"}},
            {"b": 1},
            "key has the key 'b'; it must be a word",
        ),
        ({"type": ["integer", "null"]}, 2.5, "key is 2.5; it must be a whole number or null"),
        ({"type": "string"}, 7, "key is 7; it must be text, in quotes: '7'"),
        (NUMBER_OR_LIST, -1, "key is -1; it must be at least 0"),
        (NUMBER_OR_LIST, [1, "b"], "key.1 is 'b'; it must be a number"),
        ({**NUMBER_OR_LIST, "allowed": "a number or a list"}, "b", "key is 'b'; it must be a number or a list"),
    ],
)
def test_every_rule_is_explained_in_plain_words(schema, value, message):
    with pytest.raises(ConfigError) as raised:
        check({"key": value}, {"properties": {"key": schema}}, "mine.yaml")
    assert str(raised.value).startswith(f"mine.yaml: {message}")


NUMBERS = st.sampled_from([0, -1, 2.0, 1.5, 1e308, float("nan"), float("inf"), 2**63, 10**400])
TEXTS = (
    st.sampled_from(["", "1/0", "1e-5", "nan", "-inf", "~no_such_user", "../x", "{x}", "\0", "x" * 5000]) | st.text()
)
SCALARS = st.none() | st.booleans() | st.dates() | NUMBERS | TEXTS
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SCALARS, inner, max_size=3), max_leaves=5
)


def followed(schema, root):
    return {**root["$defs"].get(schema.get("$ref", "").removeprefix("#/$defs/"), {}), **schema}


def allowed(schema, root):
    """Values that a schema allows: a strategy."""
    schema = followed(schema, root)
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "oneOf" in schema:
        return st.one_of([allowed(option, root) for option in schema["oneOf"]])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return st.one_of([of_kind(kind, schema, root) for kind in kinds])


def of_kind(kind, schema, root):
    if kind == "object":
        parts = {name: allowed(part, root) for name, part in schema.get("properties", {}).items()}
        return st.fixed_dictionaries({name: parts.pop(name) for name in schema.get("required", [])}, optional=parts)
    if kind == "array" and "prefixItems" in schema:
        return st.tuples(*(allowed(part, root) for part in schema["prefixItems"])).map(list)
    if kind == "array":
        unique = repr if schema.get("uniqueItems") else None
        sizes = {"min_size": schema.get("minItems", 0), "max_size": schema.get("maxItems", 4)}
        return st.lists(allowed(schema["items"], root), unique_by=unique, **sizes)
    least = schema.get("minimum", schema.get("exclusiveMinimum", 0))
    return {
        "integer": st.integers(least, schema.get("maximum", 2000)),
        "number": st.floats(least, allow_infinity=False) | st.integers(least, 9),
        "boolean": st.booleans(),
        "null": st.none(),
        "string": st.sampled_from(["digits", "mine", "8/140", "https://example.org", f"md5:{'0' * 32}"]),
    }[kind]


def keys(schema, root, above=()):
    """Every key of a configuration with a preset `mine`, and what may stand there."""
    parts = dict(followed(schema, root).get("properties", {}))
    if above == ("presets",):
        parts["mine"] = {"$ref": "#/$defs/preset"}
    for name, part in parts.items():
        yield (*above, name), allowed(part, root) | NUMBERS | TEXTS | ANYTHING
        yield from keys(part, root, (*above, name))
    if parts:
        yield (*above, "unknown"), ANYTHING
        yield (*above, 1), ANYTHING


SETTINGS = st.sampled_from(list(keys(read_schema(SCHEMA), read_schema(SCHEMA))))
SOURCES = st.none() | st.fixed_dictionaries({"kind": st.sampled_from(["idx", "png"]), "path": TEXTS})


@st.composite
def configurations(draw):
    """A study of a data set `mine`, with up to three keys set, to what the schema allows or to anything."""
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
    """A folder with two of the presets that ship, since reading all of them takes the longest."""
    folder = tmp_path_factory.mktemp("presets")
    for name in ("digits", "digits-tiny"):
        shutil.copy(SHIPPED / f"{name}.yaml", folder)
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
            study = read_study(config, schema=SCHEMA, shipped=shipped, name="mine.yaml")
        except ConfigError as error:
            message = str(error)
        else:
            message = None
            for preset in study.presets.values():
                json.dumps(plain(preset), allow_nan=False)  # finite
            cell = next(study.cells())
            assert len(study.tunings(cell)) >= len(study.config["modes"])
            assert study.blocks(cell)
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
    with pytest.raises(ConfigError, match=r"mine\.yaml: nested without end"):
        read_study(parse_yaml(text, "mine.yaml"), schema=SCHEMA, shipped=shipped, name="mine.yaml")


def test_yaml_that_is_too_deep_is_refused():
    gc.collect()  # what other tests left must not be finalised in the depth of the brackets, where that fails
    with pytest.raises(ConfigError, match=r"mine\.yaml: not YAML: "):
        parse_yaml("[" * sys.getrecursionlimit(), "mine.yaml")

"""Text is always read and written in UTF-8: each call that opens text names its encoding."""

import ast

import pytest
from places import ROOT

FILES = [
    file
    for folder in ("src", "scripts", "docs", "benchmarks", "examples")
    for file in sorted((ROOT / folder).rglob("*.py"))
]
OPENING = ("open", "read_text", "write_text", "fdopen", "NamedTemporaryFile")
PACKED = ("gzip", "tarfile", "Image", "os")
"""What opens bytes by itself."""
SUBPROCESS = ("run", "Popen", "check_output")


def opens_text(call):
    """Whether a call opens text, without naming its encoding."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    of = getattr(getattr(call.func, "value", None), "id", "")
    named = {keyword.arg for keyword in call.keywords}
    if "encoding" in named:
        return False
    if name in SUBPROCESS and of == "subprocess":
        return bool(named & {"text", "universal_newlines"})
    texts = [each.value for each in call.args + [k.value for k in call.keywords] if isinstance(each, ast.Constant)]
    binary = any(isinstance(text, str) and len(text) <= 3 and "b" in text for text in texts)
    return name in OPENING and of not in PACKED and not binary


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_text_is_opened_in_a_named_encoding(file):
    calls = [node for node in ast.walk(ast.parse(file.read_bytes())) if isinstance(node, ast.Call)]
    assert [call.lineno for call in calls if opens_text(call)] == []


@pytest.mark.parametrize(
    "text", ["path.read_text()", "open(name)", "path.open('a')", "subprocess.run(x, text=True)", "path.write_text(x)"]
)
def test_what_names_none_is_found(text):
    assert opens_text(ast.parse(text, mode="eval").body)

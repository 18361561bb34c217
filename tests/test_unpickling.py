"""No file is unpickled or run as code, except CIFAR's batches, by a reader restricted to arrays."""

import ast

import pytest
from places import ROOT

RESTRICTED = "src/slowpoints/datasets/readers/cifar.py"
"""The one module that may import pickle: for `Unpickler`, whose `find_class` it restricts."""
UNPICKLER = {"Unpickler", "_Unpickler"}  # in C, and in Python
UNPICKLERS = {"cPickle", "cloudpickle", "dill", "joblib", "jsonpickle", "marshal", "pickle", "shelve"}
LOADERS = {"yaml": {"load", "load_all", "full_load", "full_load_all", "unsafe_load", "unsafe_load_all"}}
LOADERS |= {"torch": {"load"}, "pandas": {"read_pickle"}, "pd": {"read_pickle"}}
SAFE = {"SafeLoader", "CSafeLoader", "BaseLoader", "CBaseLoader"}


def complaints(code):
    """Calls in a module that unpickle, or run text as code."""
    found, tree = [], ast.parse(code)
    safe = SAFE | _derived(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names if name.name.split(".")[0] in UNPICKLERS]
        elif isinstance(node, ast.ImportFrom) and node.module:
            loads = LOADERS.get(node.module, set())
            found += [node.module] if node.module.split(".")[0] in UNPICKLERS else []
            found += [f"{node.module}.{name.name}" for name in node.names if name.name in loads]
        elif isinstance(node, ast.Call):
            found += [reason for reason in (_call(node, safe),) if reason]
    return found


def _derived(tree):
    """Loaders of a module's own that change how a safe one composes a document, and not what it constructs."""
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    changed = [part.name for node in classes for part in node.body if isinstance(part, ast.FunctionDef)]
    if any("construct" in name for name in changed):
        return set()
    return {node.name for node in classes if any(getattr(base, "attr", "") in SAFE for base in node.bases)}


def _call(node, safe_loaders):
    keywords = {keyword.arg: keyword.value for keyword in node.keywords}
    allowed = keywords.get("allow_pickle")
    if allowed is not None and not (isinstance(allowed, ast.Constant) and allowed.value is False):
        return "allow_pickle"
    if isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec"):
        return node.func.id
    if not isinstance(node.func, ast.Attribute) or not isinstance(node.func.value, ast.Name):
        return None
    module, name = node.func.value.id, node.func.attr
    if name not in LOADERS.get(module, set()):
        return None
    loader = keywords.get("Loader", node.args[1] if len(node.args) > 1 else None)
    safe = module == "yaml" and getattr(loader, "attr", getattr(loader, "id", "")) in safe_loaders
    return None if safe else f"{module}.{name}"


def python_code():
    folders = ("src", "scripts", "workflow", "benchmarks", "docs")
    return [file for folder in folders for file in sorted((ROOT / folder).rglob("*.py"))]


def test_nothing_is_unpickled_but_by_the_restricted_reader():
    files = python_code()
    assert len(files) > 100
    found = {str(file.relative_to(ROOT)): complaints(file.read_text()) for file in files}
    assert {name: what for name, what in found.items() if what} == {RESTRICTED: ["pickle"]}


def test_the_restricted_reader_uses_its_own_unpickler_alone():
    tree = ast.parse((ROOT / RESTRICTED).read_text())
    used = [node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and _named(node.value, "pickle")]
    loads = [name for name in used if not name.endswith("Error")]
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    unpicklers = [node for node in classes if any(getattr(base, "attr", "") in UNPICKLER for base in node.bases)]
    assert len(loads) == len(unpicklers) == 1
    assert any(isinstance(part, ast.FunctionDef) and part.name == "find_class" for part in unpicklers[0].body)


def _named(node, name):
    return isinstance(node, ast.Name) and node.id == name


@pytest.mark.parametrize(
    "file", sorted([ROOT / "Snakefile", *(ROOT / "workflow").rglob("*.smk")]), ids=lambda file: file.name
)
def test_rules_unpickle_nothing(file):
    """Rules are not plain Python, so this test searches for the words."""
    words = set(file.read_text().replace("(", " ").replace(".", " ").split())
    assert not words & {*UNPICKLERS, "allow_pickle", "eval", "exec", "unsafe_load", "read_pickle"}


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from pickle import loads",
        "import joblib",
        "torch.load(path)",
        "torch.load(path, weights_only=True)",
        "from torch import load",
        "np.load(path, allow_pickle=True)",
        "np.load(path, allow_pickle=flag)",
        "pd.read_pickle(path)",
        "yaml.load(text)",
        "yaml.load(text, Loader=yaml.Loader)",
        "yaml.unsafe_load(text)",
        "class Own(yaml.Loader): ...\nyaml.load(text, Loader=Own)",
        "class Own(yaml.SafeLoader):\n    def construct_object(self): ...\nyaml.load(text, Loader=Own)",
        "eval(text)",
        "exec(text)",
    ],
)
def test_the_walk_finds_what_it_looks_for(code):
    assert complaints(code)


@pytest.mark.parametrize(
    "code", ["yaml.load(text, Loader=yaml.SafeLoader)", "yaml.safe_load(text)", "np.load(path)", "json.load(file)"]
)
def test_the_walk_lets_pass_what_is_safe(code):
    assert not complaints(code)

"""Each figure is declared once, in its module, and found there without importing it."""

import subprocess
import sys
from importlib import import_module

import pytest
from places import ROOT

from slowpoints.analysis.claims import all_claims
from slowpoints.plots.figures import FIGURES, FigureSpec, declared


def test_figures_are_those_that_their_modules_declare():
    assert set(FIGURES) > {"claims", "task", "speed_vs_memory"}
    for name, figure in FIGURES.items():
        module = import_module(f"slowpoints.plots.{name}")
        assert figure == module.FIGURE
        assert module.DATA.name == f"figure_{name}"


def test_planning_imports_neither_what_draws_nor_what_computes():
    code = "import sys, slowpoints.plots.figures as found; print(len(found.FIGURES), *sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT / "src")
    count, *modules = shown.stdout.split()
    assert int(count) == len(FIGURES)
    assert not {"matplotlib", "pandas", "scipy", "torch", "statsmodels"} & set(modules)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("FIGURE = FigureSpec(tables=TABLES)", "malformed node or string"),
        ("FIGURE = FigureSpec(title='No tables')", "missing 1 required positional argument: 'tables'"),
        ("FIGURE = FigureSpec(tables=('task',), titel='A trial')", "unexpected keyword argument 'titel'"),
        ("FIGURE = FigureSpec(('task',))", "not FigureSpec"),
        ("FIGURE = 'task'", "not 'task'"),
    ],
)
def test_what_is_no_declaration_is_refused_by_file_and_line(tmp_path, text, message):
    module = tmp_path / "mine.py"
    module.write_text(f"import nothing_here\n\n{text}\n")
    with pytest.raises(ValueError, match=r"mine\.py, line 3: FIGURE must be FigureSpec\(\.\.\.\)") as refused:
        declared(module)
    assert message in str(refused.value)


def test_a_module_is_read_without_being_run(tmp_path):
    module = tmp_path / "mine.py"
    module.write_text("import nothing_here\nFIGURE = FigureSpec(tables=('task', 'networks'), tuned=True)\n")
    assert declared(module) == FigureSpec(tables=("task", "networks"), tuned=True)
    module.write_text("import nothing_here\n")
    assert declared(module) is None


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_has_a_caption_that_takes_in_the_study_s_own_sentences(name):
    caption = ROOT / f"workflow/report/{name}.rst"
    assert caption.is_file(), f"write {caption}, the caption of the figure"
    sentences = f".. include:: results/{{{{ snakemake.wildcards.study }}}}/report/{name}.rst"
    assert (sentences in caption.read_text()) == FIGURES[name].findings


def test_sentences_are_written_for_the_figures_that_show_them():
    told = {"claims", "predictors", *(claim.figure for claim in all_claims().values())}
    assert told == {name for name, figure in FIGURES.items() if figure.findings}


def test_each_figure_stands_in_a_section_of_the_report_and_has_a_place_of_its_own():
    sections = (ROOT / "workflow/rules/sections.smk").read_text()
    places = [(figure.section, figure.order) for figure in FIGURES.values()]
    assert all(f'"{section}"' in sections for section, _ in places)
    assert len(set(places)) == len(places)

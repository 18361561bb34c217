"""Texts of the report about a study, as reStructuredText, and its tables to browse."""

import re

import numpy as np
import pandas as pd
import pytest
from claim_tables import about, made_up
from docutils.core import publish_parts

from slowpoints.analysis import report
from slowpoints.analysis.claims import all_claims

NETWORKS = pd.DataFrame(
    {
        "dataset": ["odd_name_", "odd_name_"],
        "architecture": "gru",
        "protocol": ["vocu", "decu"],
        "learned": [True, False],
        "nominal_accuracy": [0.9, 0.3],
    }
)
ODD = {"dataset": "odd_name_"}
CLAIMS = made_up(
    (about("C1", **ODD), 0.01, "supported"),
    (about("C2", **ODD), 0.2, "inconclusive"),
    (about("C3", question="mixed", **ODD), 0.5, "contradicted"),
    (about("C3", architecture="gru", protocol="vocu", **ODD), 0.5, None),
).assign(scope=["odd_name_: vocu - decu", "odd_name_: it", "odd_name_: mixed", "odd_name_/gru/vocu: within cells"])
TITLES = {name: claim.title for name, claim in all_claims().items()}
TOPICS = list(dict.fromkeys(claim.topic for claim in all_claims().values()))


def as_html(text):
    """HTML of reStructuredText, which must be free of errors."""
    return publish_parts(text, writer="html", settings_overrides={"halt_level": 1})["body"]


def test_the_front_page_answers_each_question_and_says_what_failed():
    page = as_html(report.summary(CLAIMS.assign(n_needed=[None, 61.0, None, None]), NETWORKS))
    assert "2 networks (data: odd_name_;" in page
    assert "1 learned the task, with an accuracy of 0.900 to 0.900" in page
    questions = re.findall(r"<strong>(.*?)</strong>", page)
    assert questions[: len(TOPICS)] == TOPICS
    against, undecided = page.split("<strong>")[-2:]
    assert TITLES["C3"] in against
    assert TITLES["C2"] not in against
    assert TITLES["C2"] in undecided
    assert "(odd_name_: about 61 networks)" in undecided
    answered = {all_claims()[name].topic for name in ("C1", "C2", "C3")}
    assert page.count("Not tested in this study.") == len({*TOPICS, report.WHY} - answered)


def test_captions_are_whole_without_a_row():
    none = pd.DataFrame(columns=["dataset", "architecture", "protocol", "method", "predictor", "level", "r"])
    captions = report.captions(CLAIMS.iloc[:0], none)
    assert {as_html(text) for text in captions.values()} == {""}


def test_numbers_are_shown_short_and_sorted_by_all_their_digits():
    page = report.table_page("A <table>", pd.DataFrame({"a_column": [0.123456, np.nan], "n": [3, 4]}))
    assert '<td class="number" data-value="0.123456">0.1235</td>' in page
    assert '<td class="none">–</td>' in page
    assert '<td class="number" data-value="4">4</td>' in page
    assert "<button>a column</button>" in page
    assert "<title>A &lt;table&gt;</title>" in page


@pytest.mark.parametrize("page", [report.claims_page(CLAIMS), report.networks_page(NETWORKS)])
def test_pages_need_nothing_from_elsewhere(page):
    assert not re.search(r"https?:|src=|href=|@import", page)


def test_claims_with_a_verdict_come_first():
    claims = pd.concat([CLAIMS.iloc[-1:], CLAIMS])
    verdicts = re.findall(r'<td class="(supported|contradicted|inconclusive)">', report.claims_page(claims))
    assert verdicts == ["supported", "inconclusive", "contradicted"]
    assert report.claims_page(claims).index("odd_name_: vocu") < report.claims_page(claims).index("odd_name_/gru/vocu")

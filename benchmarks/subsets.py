"""How often a small study reaches the verdicts of a larger one: its claims judged again for random subsets of networks.

    python benchmarks/subsets.py reference/embedded digits --tunings slow_points=0.1 path=100

Of each cell of a data set, a few networks are drawn at random, and the study of these alone is judged, fine-tuned by
modes `control` and those named. Subsets of one study overlap: what differs between them is less than between studies.
"""

from pathlib import Path

import pandas as pd
from _results import arguments, keep, markdown

from slowpoints import judge
from slowpoints.analysis.claims.reading import with_verdict
from slowpoints.analysis.claims.wording import asked
from slowpoints.analysis.predictors import study_correlations
from slowpoints.core.modes import CONTROL, TRAINED
from slowpoints.core.schemas.schema import CELL, NETWORK
from slowpoints.core.tables import read_table

TABLES = ("networks", "extrapolation", "slow_points", "relaxation", "formation", "regularisation")
VERDICTS = ("supported", "inconclusive", "contradicted")


def tables_of(folder: Path, dataset: str, tunings: dict[str, float]) -> dict[str, pd.DataFrame]:
    """Tables of a data set's networks, as trained and as fine-tuned by control and these modes at these lambdas."""
    tables = {}
    for name in TABLES:
        table = read_table(folder / f"{name}.parquet")
        table = table[table["dataset"] == dataset]
        if "mode" in table:
            wanted = table["mode"].map(tunings)
            table = table[table["mode"].isin([TRAINED, CONTROL]) | (table["lambda"] == wanted)]
        tables[name] = table
    return tables


def subset(tables: dict[str, pd.DataFrame], networks: int, seed: int) -> dict[str, pd.DataFrame]:
    """Tables of so many networks of each cell, drawn at random."""
    drawn = tables["networks"].groupby(CELL).sample(networks, random_state=seed)[NETWORK]
    return {name: table.merge(drawn, on=NETWORK) for name, table in tables.items()}


def verdicts(tables: dict[str, pd.DataFrame]) -> pd.Series:
    """The verdict of each question of each claim on the data set."""
    correlations = study_correlations(tables)
    claims = judge(tables["networks"], correlations, tables["formation"], tables["regularisation"])
    rows = with_verdict(claims).dropna(subset="dataset")
    index = [(row.claim, asked(row)) for row in rows.itertuples()]
    return pd.Series(rows["verdict"].to_numpy(), pd.MultiIndex.from_tuples(index, names=["claim", "question"]))


def counted(tables: dict[str, pd.DataFrame], networks: int, subsets: int) -> pd.DataFrame:
    """A row for each question: its verdict on all networks, and how many subsets come to each verdict."""
    of_subsets = pd.DataFrame([verdicts(subset(tables, networks, seed)) for seed in range(subsets)])
    counts = {verdict: (of_subsets == verdict).sum() for verdict in VERDICTS}
    of_all = verdicts(tables).rename("all")
    table = pd.DataFrame(counts).reindex(of_all.index).fillna(0).astype(int)
    return table.join(of_all).assign(subsets=subsets, networks=networks).reset_index()


def table_of(table: pd.DataFrame) -> str:
    """In Markdown."""
    rows = table[["claim", "question", "all", *VERDICTS]].itertuples(index=False)
    of = f"of {table['subsets'].iloc[0]} subsets of {table['networks'].iloc[0]} networks per cell"
    return markdown(rows, ["claim", "question", "all networks", *(f"{verdict}, {of}" for verdict in VERDICTS)])


if __name__ == "__main__":
    parser = arguments(__doc__, __file__)
    parser.add_argument("study", type=Path, help="folder of a finished study's tables")
    parser.add_argument("dataset", help="one of its data sets")
    parser.add_argument("--tunings", nargs="*", default=[], metavar="MODE=LAMBDA", help="modes besides control")
    parser.add_argument("--networks", type=int, default=4, help="networks per cell of a subset")
    parser.add_argument("--subsets", type=int, default=12, help="number of subsets")
    args = parser.parse_args()
    tunings = {mode: float(lambda_) for mode, lambda_ in (text.split("=") for text in args.tunings)}
    table = counted(tables_of(args.study, args.dataset, tunings), args.networks, args.subsets)
    keep(table, args.output)
    print(table_of(table))

"""Every number of results in README.md and docs/reproduction.md, against tables in reference/ by separate code."""

import re
from math import ceil, floor

import pandas as pd
import pytest
from places import ROOT
from recomputed import (
    CELL,
    MIXED,
    NETWORK,
    STUDIES,
    UNITS,
    accuracy,
    change_interval,
    changes,
    chosen_lambdas,
    class_interval,
    classes,
    difference,
    difference_interval,
    half_life_ratios,
    heterogeneity,
    merged_share,
    networks,
    prediction_error,
    random_effects,
    seconds,
    share_left,
    spearman,
    spearman_interval,
    table,
    trained,
)
from scipy import stats

EMBEDDED, MNIST, CIFAR, TENTH = STUDIES
RIVALRY = (EMBEDDED, MNIST, CIFAR)  # studies with rivals
TIMED = (EMBEDDED, MNIST)  # those of them whose times are quoted together
NUMBER = re.compile(r"(?<![\w.-])[-+]?\d[\d,]*(?:\.\d+)?")
LABEL = re.compile(r"^\| C\d ", re.MULTILINE)


def of(study, **chosen):
    """Networks of a study, or those of some cells."""
    frame = networks(study)
    for column, value in chosen.items():
        frame = frame[frame[column] == value]
    return frame


def ends(interval):
    """Both ends, with a tolerance for another resampling."""
    slack = 0.01 + 0.08 * (interval[1] - interval[0])
    return [(end, slack) for end in interval]


def counts():
    shared = networks(UNITS).merge(networks(EMBEDDED), on=[*NETWORK, "memory_score"])
    return [*(len(networks(study)) for study in (*STUDIES, UNITS)), len(shared), len(networks(EMBEDDED))]


def c1():
    of_embedded = [difference(of(EMBEDDED, dataset=name), "nominal_accuracy") for name in ("digits", "glyphs")]
    others = [difference(of(study), "nominal_accuracy") for study in (MNIST, CIFAR, TENTH)]
    return [max(map(abs, of_embedded)), *map(abs, others)]


def each_data_set():
    return (of(EMBEDDED, dataset="digits"), of(EMBEDDED, dataset="glyphs"), of(MNIST), of(CIFAR), of(TENTH))


def c2():
    numbers = []
    for frame in each_data_set():
        numbers += [difference(frame, "memory_score"), *ends(difference_interval(frame, "memory_score"))]
        if frame["dataset"].iloc[0] == "mnist-small":
            numbers += [difference(of(MNIST, architecture=unit), "memory_score") for unit in ("gru", "lstm")]
    return numbers


def c3_mixed():
    digits, glyphs, *others = (
        (spearman(frame, "log10_speed", MIXED), abs(spearman(frame, "vocu", MIXED))) for frame in each_data_set()
    )
    return [digits[0], glyphs[0], digits[1], glyphs[1], *sum(others, ())]


def c3_within():
    low, high, _, i_squared = heterogeneity(of(EMBEDDED))
    numbers = [low, high, 100 * i_squared]
    for study in STUDIES:
        numbers += [spearman(of(study), "log10_speed"), *ends(spearman_interval(of(study), "log10_speed"))]
    return numbers


def c3_classes():
    embedded, mnist, cifar, tenth = (spearman(classes(study), "log10_speed", NETWORK) for study in STUDIES)
    intervals = [ends(class_interval(classes(study))) for study in (MNIST, CIFAR)]
    return [embedded, mnist, *intervals[0], cifar, *intervals[1], tenth]


def penalty(mode, against="control"):
    numbers = []
    for study in STUDIES:
        change = changes(study, mode, against=against)
        numbers += [change.mean(), *ends(change_interval(change))]
    return numbers


def c5():
    born = merged_share(EMBEDDED)
    digits = born[born["dataset"] == "digits"]
    return [difference(digits, "merged"), *ends(difference_interval(digits, "merged"))]


AFFINE = ("mingru", "rg-lru")  # of the affine units, those that learn


def affine():
    """Memory of affine units less what their spectrum in noise allows, and what each penalty gains them."""
    frame, numbers = networks(UNITS).set_index(NETWORK), []
    beyond = frame["memory_score"] - frame["spectral_score"]
    for change in (beyond, changes(UNITS, "path"), changes(UNITS, "slow_points")):
        for unit in AFFINE:
            of_unit = change.xs(unit, level="architecture", drop_level=False)
            numbers += [of_unit.mean(), *ends(change_interval(of_unit))]
    return numbers


def path():
    """Its cost in accuracy on each data set, its gains, and how long the strongest rival takes."""
    loss = -pd.concat([changes(study, "path", "nominal_accuracy") for study in RIVALRY]).groupby("dataset").mean()
    numbers = [100, loss["digits"], loss["glyphs"], loss["cifar10-small"]]
    for rival in ("control", "settled", "long_delays"):
        if rival == "long_delays":
            times = pd.concat([seconds(study)["long_delays"] / seconds(study)["path"] for study in TIMED])
            numbers += [100, floor(times.min()), ceil(times.max())]
        for study in RIVALRY:
            change = changes(study, "path", against=rival)
            numbers += [change.mean(), *ends(change_interval(change))]
    return numbers


@pytest.mark.parametrize(("study", "n_rivals"), [(EMBEDDED, 9), (MNIST, 9), (CIFAR, 4)])
def test_path_gains_more_than_every_rival_in_each_cell(study, n_rivals):
    rivals = set(table(study, "regularisation")["mode"]) - {"path"}
    gains = {rival: changes(study, "path", against=rival).groupby(CELL).mean() for rival in rivals}
    assert len(rivals) == n_rivals
    assert all((gain > 0).all() for gain in gains.values())
    plain = {rival: gain.mean() for rival, gain in gains.items() if rival != "settled"}
    assert min(plain, key=plain.get) == "long_delays"
    assert {value for (_, mode), value in chosen_lambdas(study).items() if mode == "long_delays"} == {100}


def test_the_report_names_the_sweeps_that_end_at_the_chosen_lambda():
    ends = {}
    for study in RIVALRY:
        tried = table(study, "validation").groupby(["dataset", "mode"])["lambda"].agg(["min", "max", "nunique"])
        for (dataset, mode), value in chosen_lambdas(study).items():
            least, most, n = tried.loc[(dataset, mode)]
            if n > 1 and value in (least, most):
                ends.setdefault((value == most, mode), set()).add(dataset)
    assert ends == {
        (True, "path"): {"digits", "cifar10-small"},
        (True, "slow_points"): {"digits", "cifar10-small"},
        (True, "centre_of_mass"): {"digits"},
        (True, "settled"): {"cifar10-small"},
        (True, "flossing"): {"digits", "glyphs"},
        (True, "long_delays"): {"digits", "glyphs", "mnist-small"},
        (False, "settled"): {"digits", "glyphs", "mnist-small"},
        **{
            (False, mode): {"glyphs", "mnist-small"}
            for mode in ("slow_points", "centre_of_mass", "temporal_consistency")
        },
        (False, "flossing"): {"mnist-small"},
    }


def test_path_costs_no_accuracy_on_mnist():
    change = changes(MNIST, "path", "nominal_accuracy")
    assert change.mean() >= 0
    assert change_interval(change)[0] > -0.0025


def test_the_penalty_at_slow_points_has_a_negative_gain_in_three_of_twenty_cells():
    cells = pd.concat([changes(study, "slow_points").groupby(CELL).mean() for study in STUDIES])
    negative = cells[cells < 0].sort_values()
    assert (len(cells), len(negative)) == (20, 3)
    assert negative.round(2).to_dict() == {
        ("glyphs", "lstm", "vocu"): -0.02,
        ("cifar10-small", "gru", "vocu"): -0.02,
        ("mnist-small", "gru", "vocu"): -0.0,
    }


def test_each_number_of_the_readme_follows_from_the_tables():
    """In the order of the page."""
    page = (ROOT / "README.md").read_text()
    section = page.partition("## What came out")[2].partition("The memory score is")[0]
    section = re.sub(r"\]\([^)]*\)", "]", section).replace("[95 % interval]", "")
    quoted = NUMBER.findall(LABEL.sub("| ", section))
    expected = [*counts(), *c1(), *c2(), *c3_mixed(), *c3_within(), *c3_classes(), *penalty("slow_points"), *c5()]
    cost = -changes(EMBEDDED, "settled", "nominal_accuracy").groupby("dataset").mean()["digits"]
    expected += [cost, *penalty("settled"), *penalty("settled", against="slow_points"), *path(), *affine()]
    assert len(quoted) == len(expected), quoted
    for text, value in zip(quoted, expected, strict=True):
        exact, slack = value if isinstance(value, tuple) else (value, 0.001)
        assert abs(float(text) - exact) <= 0.5 * 10.0 ** -len(text.partition(".")[2]) + slack, (text, exact)


def speed_change(study, mode, measure):
    return changes(study, mode, measure).mean()


def range_of(values):
    return values.min(), values.max()


def sentences():
    """Sentences of docs/reproduction.md, from recomputed numbers."""
    embedded, mnist, cifar, tenth = (of(study) for study in STUDIES)
    digits, glyphs = of(EMBEDDED, dataset="digits"), of(EMBEDDED, dataset="glyphs")
    vocu, decu = (mnist[(mnist["architecture"] == "lstm") & (mnist["protocol"] == name)] for name in ("vocu", "decu"))
    welch = stats.ttest_ind(vocu["memory_score"], decu["memory_score"], equal_var=False).pvalue
    gru, lstm = (difference(of(MNIST, architecture=unit), "memory_score") for unit in ("gru", "lstm"))
    yield f"{gru:.2f} for GRUs and {lstm:.2f} for LSTMs, which is compatible with none (Welch's p = {welch:.2f})"
    name = [abs(spearman(frame, "vocu", MIXED)) for frame in (digits, glyphs, mnist, cifar, tenth)]
    speed = [abs(spearman(frame, "log10_speed", MIXED)) for frame in (digits, glyphs, mnist, cifar)]
    yield (
        f"gives {name[0]:.2f} on digits (speed {speed[0]:.2f}), {name[1]:.2f} on glyphs ({speed[1]:.2f}), "
        f"{name[2]:.2f} on MNIST ({speed[2]:.2f}), {name[3]:.2f} on CIFAR-10 ({speed[3]:.2f}) and {name[4]:.2f} at the "
        "authors' sizes"
    )
    at_20 = spearman(tenth, "accuracy_20", MIXED)
    yield f"less than the {name[4]:.2f} of the protocol's name and the {at_20:.2f} of accuracy at delay 20"
    low, high, q, i_squared = heterogeneity(embedded)
    yield f"ranges from {low:.2f} to {high:.2f} over the eight cells (Q = {q:.1f} with 7 degrees of freedom, "
    yield f"I² = {100 * i_squared:.0f} %)"
    of_cells = pd.Series({cell: spearman(frame, "log10_speed") for cell, frame in embedded.groupby(CELL)}).sort_values()
    assert set(of_cells.index[:3]) == {("digits", "gru", "vocu"), ("digits", "lstm", "vocu"), ("glyphs", "gru", "decu")}
    yield (
        f"({of_cells.iloc[2]:.2f} to {of_cells.iloc[0]:.2f}); four others lie between {of_cells.iloc[4]:.2f} and "
        f"{of_cells.iloc[-1]:.2f}"
    )
    of_decu = embedded[embedded["protocol"] == "decu"]
    assert spearman_interval(of_decu, "log10_speed")[1] > 0
    yield f"The four DeCu cells give {spearman(of_decu, 'log10_speed'):.2f}, with an interval that reaches zero"
    lstms = [spearman(of(study, architecture="lstm"), "log10_speed", MIXED) for study in (MNIST, CIFAR)]
    on_glyphs = spearman(of(EMBEDDED, dataset="glyphs", architecture="lstm"), "log10_speed", MIXED)
    yield f"(LSTMs: {on_glyphs:.2f}, {lstms[0]:.2f} and {lstms[1]:.2f})"
    low, high, q, i_squared = zip(*(heterogeneity(frame) for frame in (mnist, cifar)), strict=True)
    assert max(i_squared) == 0
    yield f"from {low[0]:.2f} to {high[0]:.2f} over four cells of five networks, and on CIFAR-10"
    yield f"from {low[1]:.2f} to {high[1]:.2f}, without a sign of heterogeneity"
    yield f"It is {spearman(classes(EMBEDDED), 'log10_speed', NETWORK):.2f} on digits and glyphs"
    depth = {}
    for study in (TENTH, MNIST):
        points = trained(study, "slow_points").dropna(subset="speed")
        depth[study] = (points["speed"] / points["deep_speed"]).median()
    yield f"end at {depth[TENTH]:.0f} times the speed that the deep search reached"
    yield f"{depth[MNIST]:.0f} in `mnist-small`)"
    at_100 = [spearman(frame, "accuracy_100") for frame in (embedded, mnist)]
    mixed = [spearman(tenth, measure, MIXED) for measure in ("accuracy_100", "log10_margin_time")]
    yield f"delay 100 predicts about as well: {at_100[0]:.2f} and {at_100[1]:.2f}, and"
    yield f"{mixed[0]:.2f} against {mixed[1]:.2f} at the authors' sizes with protocols mixed"
    early = [spearman(frame, "margin_time_20") for frame in (embedded, mnist)]
    yield f"Taken at frame 20, the margin time gives {early[0]:.2f} and {early[1]:.2f}"
    at_20 = [spearman(frame, "accuracy_20") for frame in (embedded, mnist, cifar)]
    yield f"Accuracy at delay 20 is not shown to predict anything ({at_20[0]:.2f} and {at_20[1]:.2f})"
    yield f"the speed of slow points {spearman(cifar, 'log10_speed'):.2f}, and accuracy at delay 20 {at_20[2]:.2f}"
    assert abs(spearman(cifar, "log10_settled_speed")) == max(
        abs(spearman(cifar, name))
        for name in ("log10_settled_speed", "log10_speed", "log10_deep_speed", "margin_time_20")
    )
    ratios = {study: half_life_ratios(study) for study in STUDIES}
    on = {dataset: range_of(of_dataset) for dataset, of_dataset in ratios[EMBEDDED].groupby("dataset")}
    least, most = range_of(ratios[MNIST])
    yield (
        f"by a factor of {on['digits'][0]:.1f} to {on['digits'][1]:.1f} on digits, {least:.1f} to {most:.1f} on MNIST, "
        f"and {ratios[TENTH]['mnist-tenth', 'gru', 'decu']:.1f} in GRUs under DeCu at the authors' sizes"
    )
    least, most = range_of(pd.concat([ratios[EMBEDDED].xs("glyphs", drop_level=False), ratios[CIFAR]]))
    yield f"on glyphs and CIFAR-10 the factor is {least:.1f} to {most:.1f}"
    change = changes(EMBEDDED, "slow_points")
    mean, low, high, further_low, further_high = random_effects(change)
    yield (
        f"the gain at slow points is {mean:.2f} [{low:.2f}, {high:.2f}], and a further cell is expected between "
        f"{further_low:.2f} and {further_high:.2f}"
    )
    further = [random_effects(changes(study, "slow_points"))[3:] for study in (MNIST, CIFAR, TENTH)]
    yield (
        f"between {further[0][0]:.2f} and {further[0][1]:.2f} on MNIST, {further[1][0]:.2f} and {further[1][1]:.2f} on "
        f"CIFAR-10, and {further[2][0]:.2f} and {further[2][1]:.2f} at the authors' sizes"
    )
    before = (EMBEDDED, MNIST, TENTH)  # whose sentence is one
    settled = [speed_change(study, "slow_points", "log10_settled_speed") for study in before]
    yield f"settled speed by {settled[0]:.2f} over digits and glyphs, and does not lower it on MNIST ({settled[1]:+.2f}"
    for measure, verb in (("diffusion", "that of settled states falls by"), ("drift", "their drift in noise by")):
        falls = [-speed_change(study, "slow_points", f"log10_settled_{measure}") for study in before]
        yield f"{verb} {falls[0]:.2f}, {falls[1]:.2f} and {falls[2]:.2f}"
    falls = [-speed_change(study, "settled", "log10_settled_speed") for study in before]
    assert max(abs(speed_change(study, "settled", "log10_settled_diffusion")) for study in STUDIES) < 0.035
    yield f"settled speed falls by {falls[0]:.2f}, {falls[1]:.2f} and {falls[2]:.2f}, diffusion by 0.03 or less"
    falls = [-speed_change(study, "path", "log10_settled_speed") for study in before if study in RIVALRY]
    assert max(abs(speed_change(study, "path", "log10_settled_diffusion")) for study in RIVALRY) < 0.035
    yield f"{falls[0]:.2f} over digits and glyphs and {falls[1]:.2f} on MNIST, diffusion by 0.03 or less"
    falls = [-speed_change(CIFAR, "slow_points", f"log10_settled_{measure}") for measure in ("diffusion", "speed")]
    yield f"lowers diffusion by {falls[0]:.2f}, and settled speed by {falls[1]:.2f}"
    falls = [-speed_change(CIFAR, mode, "log10_settled_speed") for mode in ("settled", "path")]
    yield f"and `path` lower settled speed by {falls[0]:.2f} and {falls[1]:.2f}"
    by_mode = {mode: [random_effects(changes(study, mode))[3:] for study in RIVALRY] for mode in ("path", "settled")}
    of_path, of_settled = by_mode["path"], by_mode["settled"]
    yield (
        f"the interval for a further cell is {of_path[0][0]:.2f} to {of_path[0][1]:.2f}, for `settled` "
        f"{of_settled[0][0]:.2f} to {of_settled[0][1]:.2f}"
    )
    yield (
        f"for `path` {of_path[1][0]:.2f} to {of_path[1][1]:.2f} on MNIST and {of_path[2][0]:.2f} to "
        f"{of_path[2][1]:.2f} on CIFAR-10, for `settled` {of_settled[1][0]:.2f} to {of_settled[1][1]:.2f} and "
        f"{of_settled[2][0]:.2f} to {of_settled[2][1]:.2f}"
    )
    for mode in ("slow_points", "centre_of_mass", "settled"):
        low, high = random_effects(changes(TENTH, mode))[3:]
        assert low < 0 < high
    of_lstms = changes(TENTH, "slow_points", "log10_speed").xs("lstm", level="architecture")
    assert (len(of_lstms), (of_lstms > 0).all()) == (10, True)
    speeds, memories = (
        changes(TENTH, "slow_points", measure).groupby(CELL).mean()[TENTH, "lstm"]
        for measure in ("log10_speed", "memory_score")
    )
    yield f"(log10 speed {speeds['decu']:+.2f} under DeCu and {speeds['vocu']:+.2f} under VoCu)"
    yield f"on average all the same ({memories['decu']:+.2f} and {memories['vocu']:+.2f})"
    converged = [trained(study, "slow_points").dropna(subset="deep_speed")["converged"] for study in STUDIES]
    deep, shallow = (
        [spearman(frame, name, level) for frame in (embedded, mnist, cifar) for level in (MIXED, CELL)]
        for name in ("log10_deep_speed", "log10_speed")
    )
    yield (
        f"({converged[0].sum()} of {len(converged[0])} converged), {deep[0]:.2f} against {shallow[0]:.2f} with "
        f"protocols mixed, {deep[1]:.2f} against {shallow[1]:.2f} within cells; on MNIST ({converged[1].sum()} of "
        f"{len(converged[1])}), {deep[2]:.2f} against {shallow[2]:.2f} and {deep[3]:.2f} against {shallow[3]:.2f}; on "
        f"CIFAR-10 ({converged[2].sum()} of {len(converged[2])}), {deep[4]:.2f} against {shallow[4]:.2f} and "
        f"{deep[5]:.2f} against {shallow[5]:.2f}"
    )
    yield f"when {converged[3].sum()} of {len(converged[3])} points had converged"
    kinds = trained(TENTH, "slow_points").query("architecture == 'gru' and protocol == 'decu'")["deep_kind"]
    yield f"{(kinds == 'fixed point').sum()} of the {len(kinds)} points of the deep search are fixed points"


def rival_sentences():
    """Sentences of docs/reproduction.md on rivals and on predicted lifetimes."""
    best = pd.concat([changes(study, "path", against="long_delays") for study in RIVALRY])
    of_settled = pd.concat([changes(study, "path", against="settled") for study in RIVALRY])
    times = pd.concat([seconds(study) for study in TIMED])
    for mode, verb in (("path", "takes"), ("long_delays", "these take")):
        least, most = range_of(times[mode])
        yield f"{verb} {least:.1f} to {most:.1f} times as long"
    mean, low, high, further_low, further_high = random_effects(best)
    yield (
        f"the difference is {mean:.2f} [{low:.2f}, {high:.2f}], and a further cell is expected between "
        f"{further_low:.2f} and {further_high:.2f}"
    )
    cells = of_settled.groupby(CELL).mean()
    of_mnist, of_cifar, others = (
        cells["mnist-small"],
        cells["cifar10-small"],
        cells.drop(["mnist-small", "cifar10-small"]),
    )
    assert (others.idxmin(), others.idxmax()) == (("glyphs", "gru", "decu"), ("digits", "lstm", "decu"))
    assert (of_mnist.idxmin(), of_mnist.idxmax()) == (("gru", "vocu"), ("lstm", "decu"))
    least, most = range_of(others)
    yield f"from {least:.2f} (glyphs, GRU, DeCu) to {most:.2f} (digits, LSTM, DeCu)"
    least, most = range_of(of_mnist)
    yield f"from {least:.2f} (GRU, VoCu) to {most:.2f} (LSTM, DeCu)"
    assert (of_cifar.idxmin(), of_cifar.idxmax()) == (("gru", "vocu"), ("lstm", "vocu"))
    least, most = range_of(of_cifar)
    yield f"from {least:.2f} (GRU, VoCu) to {most:.2f} (LSTM, VoCu)"
    least, most = range_of(best.groupby(CELL).mean()["cifar10-small"])
    of_cifar = seconds(CIFAR).loc["cifar10-small"]
    yield (
        f"more, from {least:.2f} to {most:.2f}, and takes {of_cifar['path']:.1f} times as long as `control`, where "
        f"these take {of_cifar['long_delays']:.1f} times as long"
    )
    accuracies = changes(EMBEDDED, "path", "nominal_accuracy").groupby(CELL).mean()
    assert accuracies.idxmin() == ("digits", "gru", "vocu")
    yield f"on digits it changes accuracy by {accuracies['digits'].mean():.3f} ["
    yield f"and by {accuracies.min():.3f} in GRUs under VoCu"
    accuracies = changes(CIFAR, "path", "nominal_accuracy").groupby(CELL).mean()
    assert accuracies.idxmin()[1:] == ("gru", "vocu")
    yield f"and by {accuracies.min():.3f} in these"
    places = ((EMBEDDED, "digits"), (EMBEDDED, "glyphs"), (MNIST, "mnist-small"), (CIFAR, "cifar10-small"))
    error, ratio, n = zip(*(prediction_error(*place, "predicted_lifetime") for place in places), strict=True)
    free = [prediction_error(*place, "lifetime", start=14)[1] for place in places]
    yield (
        f"within a factor of {error[0]:.2f} on digits, {error[1]:.2f} on glyphs, {error[2]:.2f} on MNIST and "
        f"{error[3]:.2f} on CIFAR-10 (medians over {n[0]}, {n[1]}, {n[2]} and {n[3]} memories that fade within 1,000 "
        f"frames), {ratio[0]:.2f}, {ratio[1]:.2f}, {ratio[2]:.2f} and {ratio[3]:.2f} times too long. Without noise, "
        f"predictions are too long by {free[0]:.2f}, {free[1]:.2f}, {free[2]:.2f} and {free[3]:.2f}"
    )


def unit_sentences():
    """Sentences of docs/reproduction.md on recurrent units."""
    frame = networks(UNITS)
    means = frame.groupby("architecture")["memory_score"].mean().sort_values(ascending=False)
    assert tuple(means.index[:3]) == (*AFFINE, "gru")
    yield f"{means.iloc[0]:.3f} and {means.iloc[1]:.3f} against {means.iloc[2]:.3f} for the GRU"
    points = trained(UNITS, "slow_points")
    points = points[points["architecture"].isin(AFFINE)]
    assert (len(points), set(points["deep_kind"]), points["time_constant"].min() > 4300) == (320, {"fixed point"}, True)
    noiseless = frame.groupby("architecture")["memory_score_no_noise"].mean()
    after = table(UNITS, "regularisation").groupby(["mode", "architecture"])["memory_score_after"].mean()["path"]
    after = after.sort_values(ascending=False)
    assert tuple(after.index[:4]) == ("nbrc", "gru", "gru-after", "mingru")
    first, second, third, fourth = after.iloc[:4]
    yield f"nBRCs ({first:.2f}), GRUs ({second:.2f}) and GRUs that reset after the product ({third:.2f}) reach or pass "
    yield f"minGRUs ({fourth:.2f})"
    memory = frame.set_index(NETWORK)
    beyond, gained = memory["memory_score"] - memory["spectral_score"], changes(UNITS, "path")
    later = [
        [change[change.index.get_level_values("seed") >= 2].xs(unit, level="architecture").mean() for unit in AFFINE]
        for change in (beyond, gained)
    ]
    yield f"without the trial networks, {later[0][0]:.3f} and {later[0][1]:.3f}"
    yield f"(without the trial networks {later[1][0]:.3f} and {later[1][1]:.3f})"
    of_rg_lru = gained.xs("rg-lru", level="architecture").groupby("protocol").mean()
    yield f"in RG-LRUs under VoCu ({of_rg_lru['vocu']:.3f}) but not under DeCu ({of_rg_lru['decu']:.3f})"
    searched = trained(UNITS, "slow_points")
    searched = searched[searched["architecture"].isin([*AFFINE, "lru"])].dropna(subset="deep_speed")
    assert set(searched["deep_kind"]) == {"fixed point"}
    assert searched["deep_speed"].max() < 6e-12
    yield f"at most {searched['leading'].max():.6f}; all {len(searched)} deep searches ended in a fixed point"
    units_of = ("lstm", "slstm", "ugrnn", "gru-after")
    speeds, names = (
        [abs(spearman(frame[frame["architecture"] == unit], predictor, MIXED)) for unit in units_of]
        for predictor in ("log10_speed", "vocu")
    )
    yield f"({speeds[0]:.2f}, {speeds[1]:.2f}, {speeds[2]:.2f} and {speeds[3]:.2f} against {names[0]:.2f}, "
    yield f"{names[1]:.2f}, {names[2]:.2f} and {names[3]:.2f})"
    costs = -changes(UNITS, "path", "nominal_accuracy").groupby("architecture").mean()
    yield f"costs BRCs {costs['brc']:.3f} of accuracy, nBRCs {costs['nbrc']:.3f} and UGRNNs {costs['ugrnn']:.3f}"
    yield f"without it, their memory scores are {noiseless[AFFINE[0]]:.3f} and {noiseless[AFFINE[1]]:.3f}"
    allowed = [
        changes(UNITS, mode, "spectral_score").xs(unit, level="architecture").mean()
        for mode, unit in (("path", "mingru"), ("path", "rg-lru"), ("slow_points", "rg-lru"))
    ]
    yield f"by {allowed[0]:.3f}, {allowed[1]:.3f} and {allowed[2]:.3f}"
    brc = frame[frame["architecture"] == "brc"].groupby("protocol")[["memory_score", "log10_speed"]].mean()
    assert brc.loc["decu", "log10_speed"] > brc.loc["vocu", "log10_speed"]
    yield f"BRCs remember {brc.loc['decu', 'memory_score']:.3f} under DeCu"
    yield f"and {brc.loc['vocu', 'memory_score']:.3f} under VoCu"
    learned = frame.groupby("architecture")["learned"].sum()
    yield f"at which {16 - learned['rnn']} of 16 tanh RNNs and all LRUs do not learn"
    assert learned["lru"] == 0
    gated = learned[learned == 16].index
    assert len(gated) == 9
    gains = {
        (mode, against): changes(UNITS, mode, against=against).groupby("architecture").mean()[gated]
        for mode, against in (("path", "control"), ("slow_points", "control"), ("path", "slow_points"))
    }
    of_path = gains["path", "control"]
    yield f"all nine gated units, by {of_path.min():.2f} to {of_path.max():.2f}"
    assert set(gated[gains["slow_points", "control"] < 0]) == {"brc"}
    assert set(gated[gains["path", "slow_points"] < 0]) == {"rg-lru"}
    assert of_path.idxmax() == "nbrc"
    assert costs[gated.difference(["brc", "nbrc", "ugrnn"])].max() < 0.005


def test_each_sentence_of_the_report_says_what_follows_from_the_tables():
    page = " ".join((ROOT / "docs/reproduction.md").read_text().split())
    expected = [*sentences(), *rival_sentences(), *unit_sentences()]
    assert [sentence for sentence in expected if sentence not in page] == []


def test_grus_on_mnist_keep_nine_tenths_at_a_lambda_that_was_rejected():
    rows = table(MNIST, "extrapolation").query("mode == 'path' and `lambda` == 30")
    by_delay = accuracy(rows, CELL)
    left = by_delay[1000] / by_delay[19]
    assert left["mnist-small", "gru"].round(2).tolist() == [0.92, 0.92]
    assert chosen_lambdas(MNIST)["mnist-small", "path"] == 10


@pytest.mark.parametrize("study", STUDIES)
def test_no_cell_keeps_nine_tenths_of_its_accuracy(study):
    for mode in table(study, "extrapolation")["mode"].unique():
        assert share_left(study, mode).max() < 0.9


def test_the_readme_says_what_path_leaves():
    least, most = range_of(pd.concat([share_left(study, "path") for study in RIVALRY]))
    assert f"(`path`: {least:.2f} to {most:.2f})" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("study", STUDIES)
def test_settled_gains_more_than_the_penalty_at_slow_points_in_every_cell(study):
    assert (changes(study, "settled", against="slow_points").groupby(CELL).mean() > 0).all()


def test_births_out_of_merged_tracks_are_of_grus_alone():
    for study in STUDIES:
        shares = merged_share(study).groupby("architecture")["merged"].mean()
        assert shares["gru"] > 0.1
        assert shares["lstm"] == 0

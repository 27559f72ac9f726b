"""The second implementation of docs/profile-format.md, on numpy and scipy, for the tests of src/drift/.

Reads a request on stdin and answers on stdout, both JSON.
  {"do": "write", "dir": DIR}                  writes the cases below as before/after files, answers their names
  {"do": "judge", "dir": DIR, "profiles": …}   for each case: counts, groups, measures and p-values computed anew from
                                               the raw data and the *edges* of the given baseline profile
  {"do": "special", …}, {"do": "bh", …}        values of scipy's own functions
"""
import json
import os
import sys

import numpy as np
import pandas as pd
from scipy import stats
from scipy.spatial.distance import jensenshannon


def cases():
    rng = np.random.default_rng(20240521)
    n, m = 4000, 3000
    normal = rng.normal(size=n)
    ties = np.where(rng.random(n) < 0.7, 0.0, rng.exponential(size=n))
    ties_after = np.where(rng.random(m) < 0.55, 0.0, rng.exponential(size=m))
    lognormal = rng.lognormal(sigma=1.0, size=n)
    lognormal[17] = 1e6
    nulls = rng.normal(size=n)
    nulls[rng.random(n) < 0.52] = np.nan
    nulls_after = rng.normal(size=m)
    nulls_after[rng.random(m) < 0.07] = np.nan
    many = [f"c{i:04d}" for i in range(5000)]
    weights = 1 / np.arange(1, 5001)
    weights /= weights.sum()
    two = ["no", "yes"]
    plans = ["basic", "plus", "pro"]
    return {
        "normal_same": (normal, rng.normal(size=m)),
        "normal_small": (normal, rng.normal(loc=0.1, size=m)),
        "normal_half": (normal, rng.normal(loc=0.5, size=m)),
        "normal_wide": (normal, rng.normal(scale=2.0, size=m)),
        "ties": (ties, ties_after),
        "integers": (rng.poisson(6, size=n), rng.poisson(7, size=m)),
        "lognormal_outlier": (lognormal, rng.lognormal(sigma=1.2, size=m)),
        "constant": (np.full(n, 3.5), np.full(m, 3.5)),
        "constant_changed": (np.full(n, 3.5), np.full(m, 4.5)),
        "all_null": (np.full(n, np.nan), np.full(m, np.nan)),
        "nulls_52_to_7": (nulls, nulls_after),
        "two": (rng.choice(two, p=[0.7, 0.3], size=n), rng.choice(two, p=[0.6, 0.4], size=m)),
        "many": (rng.choice(many, p=weights, size=n), rng.choice(many, p=weights, size=m)),
        "many_uniform": (rng.choice(many[:300], size=n), rng.choice(many[:300], size=m)),
        "new_category": (
            rng.choice(plans, p=[0.5, 0.3, 0.2], size=n),
            rng.choice(plans + ["weekly"], p=[0.45, 0.3, 0.2, 0.05], size=m),
        ),
        "dice": (rng.integers(1, 7, size=n), rng.choice(6, p=[0.07, 0.07, 0.2, 0.2, 0.23, 0.23], size=m) + 1),
    }


def write(folder):
    both = cases()
    for side in (0, 1):
        frame = pd.DataFrame({name: pair[side] for name, pair in both.items()})
        stem = os.path.join(folder, ("before", "after")[side])
        frame.to_csv(stem + ".csv", index=False)
        frame.to_parquet(stem + ".parquet", index=False)
        # pandas writes at most 15 digits into JSON; Python's own writer keeps every double.
        with open(stem + ".jsonl", "w") as lines:
            for row in frame.to_dict("records"):
                row = {name: None if value != value else value for name, value in row.items()}
                lines.write(json.dumps(row) + "\n")
        small = frame.copy()
        for name in small.columns:
            if small[name].dtype == np.float64:
                small[name] = small[name].astype(np.float32)
        small.to_parquet(stem + "32.parquet", index=False)
    return {"cases": list(both)}


def numeric_counts(values, edges):
    present = values[~np.isnan(values)]
    # Bin k holds edges[k-1] < x <= edges[k].
    bins = np.searchsorted(np.asarray(edges, dtype=float), present, side="left")
    return np.bincount(bins, minlength=len(edges) + 1)


def numeric_parts(column, counts, total):
    """Which bins belong together, by the rules of docs/profile-format.md."""
    heavy = {bin for bin, _ in column["singles"] if counts[bin] >= 0.1 * total}
    parts, scattered, segment = [], [], []

    def close():
        mass = sum(counts[b] for b in segment)
        if mass < 0.05 * total:
            scattered.extend(segment)
        else:
            pieces = max(1, int(np.floor(10 * mass / total + 0.5)))
            gathered = [[] for _ in range(pieces)]
            seen = 0
            for b in segment:
                gathered[min(pieces - 1, int((seen + counts[b] / 2) * pieces / mass))].append(b)
                seen += counts[b]
            parts.extend(g for g in gathered if g)
        segment.clear()

    for b in range(len(counts)):
        if b in heavy:
            close()
            parts.append([b])
        else:
            segment.append(b)
    close()
    return parts + ([scattered] if scattered else [])


def numeric_groups(column, before, after, missing):
    """The groups, by the baseline's counts, and the cells of the test, by the pooled ones."""
    pairs = lambda parts: [(before[g].sum(), after[g].sum()) for g in parts] + [missing]
    groups = pairs(numeric_parts(column, before, before.sum() + missing[0]))
    cells = pairs(numeric_parts(column, before + after, before.sum() + after.sum() + sum(missing)))
    return [pair for pair in groups if sum(pair) > 0], cells


def category_groups(before, after):
    """The groups, and the cells of the test: every category by itself."""
    counts, after_counts = before.value_counts(), after.value_counts()
    few, rare, groups = np.zeros(2), [], []
    enough = max(20, 0.01 * len(before))
    for name, count in counts.items():
        pair = np.array([count, after_counts.get(name, 0)])
        if count < 5:
            few = few + pair
        elif count >= enough:
            groups.append(pair)
        else:
            rare.append((name, pair))
    gathered = np.zeros(2)
    for _, pair in sorted(rare, key=lambda item: item[0]):
        gathered = gathered + pair
        if gathered[0] >= enough:
            groups.append(gathered)
            gathered = np.zeros(2)
    groups.append(gathered)
    groups.append(few + [0, sum(count for name, count in after_counts.items() if name not in counts)])
    groups.append(np.array([before.isna().sum(), after.isna().sum()]))
    names = sorted(set(counts.index) | set(after_counts.index))
    cells = [(counts.get(name, 0), after_counts.get(name, 0)) for name in names]
    return [tuple(pair) for pair in groups if pair.sum() > 0], cells + [groups[-1]]


def merged(pairs, sort):
    """Cells merged until 5 are expected in the smaller sample: from the rarest on, or with their neighbours."""
    table = np.array(pairs, dtype=float)
    share = table.sum(axis=0).min() / table.sum()
    cells, cell = [], np.zeros(2)
    table = table[table.sum(axis=1) > 0]
    if sort:
        table = table[np.argsort(table.sum(axis=1), kind="stable")]
    for row in table:
        cell = cell + row
        if cell.sum() * share >= 5:
            cells.append(cell)
            cell = np.zeros(2)
    if cell.sum() > 0:
        if cells:
            cells[-1] = cells[-1] + cell
        else:
            cells.append(cell)
    return np.array(cells)


def judge_groups(pairs, cells, sort):
    table = np.array(pairs, dtype=float)
    smoothed = (table + 0.5) / (table + 0.5).sum(axis=0)
    p, q = smoothed.T
    n, m = table.sum(axis=0)
    shares = table / table.sum(axis=0)
    cells = merged(cells, sort)
    test = stats.chi2_contingency(cells, correction=False) if len(cells) > 1 else None
    return {
        "groups": [[int(a), int(b)] for a, b in pairs],
        "psi": float(np.sum((q - p) * np.log(q / p))),
        "js": float(jensenshannon(shares[:, 0], shares[:, 1])),
        "chi2": float(stats.chi2_contingency(table, correction=False).statistic * (1 / n + 1 / m)) if len(table) > 1 else 0.0,
        "linf": float(np.abs(shares[:, 0] - shares[:, 1]).max()),
        "p": float(test.pvalue) if test else 1.0,
        "chi2_statistic": float(test.statistic) if test else 0.0,
        "noise": float((1 / n + 1 / m) * stats.chi2.isf(0.05, len(pairs) - 1)) if len(pairs) > 1 else 0.0,
    }


def trimmed_wasserstein(x, y, trim=0.01):
    """Area between the quantile functions from `trim` to 1 - `trim`, over a robust standard deviation of x."""
    levels = np.linspace(trim, 1 - trim, 20001)
    middle = (levels[1:] + levels[:-1]) / 2
    difference = np.abs(np.quantile(x, middle, method="inverted_cdf") - np.quantile(y, middle, method="inverted_cdf"))
    low, high = np.quantile(x, [0.25, 0.75])
    if high > low:
        scale = (high - low) / 1.349
    else:
        low, high = np.quantile(x, [0.05, 0.95])
        scale = (high - low) / 3.29 if high > low else 1.0
    return float(difference.mean() * (1 - 2 * trim) / scale)


def judge(request):
    profile = {column["name"]: column for column in request["profile"]["columns"]}
    answer = {}
    for name, (before, after) in cases().items():
        column = profile[name]
        if column["type"] == "numeric":
            before, after = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
            a = numeric_counts(before, column["edges"])
            b = numeric_counts(after, column["edges"])
            missing = (int(np.isnan(before).sum()), int(np.isnan(after).sum()))
            found = judge_groups(*numeric_groups(column, a, b, missing), sort=False)
            found["counts"] = [a.tolist(), b.tolist()]
            x, y = before[~np.isnan(before)], after[~np.isnan(after)]
            if len(x) and len(y):
                found["ks"] = float(stats.ks_2samp(x, y).statistic)
                found["single"] = len(column["singles"]) == len(np.unique(np.concatenate([x, y])))
                found["wasserstein"] = trimmed_wasserstein(x, y)
                found["plain_wasserstein"] = float(stats.wasserstein_distance(x, y))
        else:
            found = judge_groups(*category_groups(pd.Series(before), pd.Series(after)), sort=True)
        answer[name] = found
    names = list(answer)
    adjusted = stats.false_discovery_control([answer[name]["p"] for name in names], method="bh")
    for name, p in zip(names, adjusted):
        answer[name]["pAdjusted"] = float(p)
    return answer


def special(request):
    return {
        "sf": [float(stats.chi2.sf(x, df)) for x, df in request["sf"]],
        "isf": [float(stats.chi2.isf(p, df)) for p, df in request["isf"]],
        "norm": [float(stats.norm.isf(p)) for p in request["norm"]],
        "kolmogorov": float(stats.kstwobign.isf(0.05)),
    }


def bh(request):
    return [stats.false_discovery_control(np.asarray(p, dtype=float), method="bh").tolist() for p in request["p"]]


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    actions = {"write": lambda: write(asked["dir"]), "judge": lambda: judge(asked), "special": lambda: special(asked)}
    json.dump(actions.get(asked["do"], lambda: bh(asked))(), sys.stdout)

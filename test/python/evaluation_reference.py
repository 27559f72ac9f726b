"""What other people's programs say of held-out rows: the reference of test/unit/evaluation/.

Reads a list of requests from standard input, {"do": NAME, ...}, and writes the list of answers. Metrics are scikit-learn's, intervals and
tests scipy's, fairness Fairlearn's. DeLong's method is written here from the formulas of the paper (Biometrics 44, 1988, 837):
every positive row against every negative one, without ranks.
"""
import json
import sys

import numpy as np
from scipy import stats


class Sklearn:
    """sklearn.metrics, imported for those requests that need it: it takes a second."""

    def __getattr__(self, name):
        import sklearn.metrics

        return getattr(sklearn.metrics, name)


m = Sklearn()


def binary(case):
    truth, answer, score = (np.array(case[key]) for key in ("truth", "answer", "score"))
    options = {"zero_division": 0}
    return {
        "accuracy": m.accuracy_score(truth, answer),
        "precision": m.precision_score(truth, answer, **options),
        "recall": m.recall_score(truth, answer, **options),
        "f1": m.f1_score(truth, answer, **options),
        "auc": m.roc_auc_score(truth, score),
        "log_loss": m.log_loss(truth, score, labels=[0, 1]),
        "brier": m.brier_score_loss(truth, score),
    }


def multiclass(case):
    options = {"average": "macro", "zero_division": 0}
    truth, answer = case["truth"], case["answer"]
    return {
        "accuracy": m.accuracy_score(truth, answer),
        "precision_macro": m.precision_score(truth, answer, **options),
        "recall_macro": m.recall_score(truth, answer, **options),
        "f1_macro": m.f1_score(truth, answer, **options),
    }


def regression(case):
    truth, answer = case["truth"], case["answer"]
    return {
        "mae": m.mean_absolute_error(truth, answer),
        "rmse": m.root_mean_squared_error(truth, answer),
        "r2": m.r2_score(truth, answer),
    }


def metrics(request):
    return [{"binary": binary, "multiclass": multiclass, "regression": regression}[case["task"]](case) for case in request["cases"]]


def area(truth, score):
    """The Mann-Whitney statistic from midranks, along the last axis."""
    ranks = stats.rankdata(score, axis=-1)
    positives = truth.sum(axis=-1)
    negatives = truth.shape[-1] - positives
    return ((ranks * truth).sum(axis=-1) - positives * (positives + 1) / 2) / (positives * negatives)


def spread(truth):
    return ((truth - truth.mean(axis=-1, keepdims=True)) ** 2).sum(axis=-1)


# Along the last axis, for scipy's vectorised draws; that they are scikit-learn's is asserted before they are used.
METRICS = {
    "auc": ("roc_auc_score", lambda truth, answer, score: area(truth, score)),
    "accuracy": ("accuracy_score", lambda truth, answer, score: (truth == answer).mean(axis=-1)),
    "f1": ("f1_score", lambda truth, answer, score: 2 * (truth * answer).sum(axis=-1) / (truth + answer).sum(axis=-1)),
    "log_loss": ("log_loss", lambda truth, answer, score: -np.log(np.where(truth == 1, score, 1 - score)).mean(axis=-1)),
    "rmse": ("root_mean_squared_error", lambda truth, answer, score: np.sqrt(((truth - answer) ** 2).mean(axis=-1))),
    "r2": ("r2_score", lambda truth, answer, score: 1 - ((truth - answer) ** 2).sum(axis=-1) / spread(truth)),
}


def bootstrap(request):
    """The percentile interval of scipy.stats.bootstrap for metric(challenger) - metric(champion), rows drawn in pairs."""
    reference, metric = METRICS[request["metric"]]
    truth, answer, score, *other = (np.array(request[key]) for key in ("truth", "answer", "score", "other_answer", "other_score"))
    said = score if request["metric"] in ("auc", "log_loss") else answer
    assert abs(metric(truth, answer, score) - getattr(m, reference)(truth, said)) < 1e-9

    def difference(truth, answer, score, other_answer, other_score, axis=-1):
        return metric(truth, answer, score) - metric(truth, other_answer, other_score)

    options = {"paired": True, "vectorized": True, "axis": -1, "method": "percentile", "n_resamples": request["draws"]}
    found = stats.bootstrap((truth, answer, score, *other), difference, rng=np.random.default_rng(1), **options)
    return {"low": found.confidence_interval.low, "high": found.confidence_interval.high, "error": found.standard_error}


def delong(request):
    truth = np.array(request["truth"])
    components = []
    for score in (np.array(request["score"]), np.array(request["other_score"])):
        positive, negative = score[truth == 1][:, None], score[truth == 0][None, :]
        kernel = (positive > negative) + 0.5 * (positive == negative)
        components.append((kernel.mean(axis=1), kernel.mean(axis=0)))
    s10 = np.cov([positive for positive, _ in components])
    s01 = np.cov([negative for _, negative in components])
    covariance = s10 / np.sum(truth == 1) + s01 / np.sum(truth == 0)
    areas = [positive.mean() for positive, _ in components]
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    z = (areas[0] - areas[1]) / np.sqrt(variance)
    return {"areas": areas, "variance": variance, "p": 2 * stats.norm.sf(abs(z))}


def mcnemar(request):
    return [stats.binomtest(one, one + other, 0.5, alternative="two-sided").pvalue for one, other in request["pairs"]]


def wilson(request):
    intervals = [stats.binomtest(hits, of).proportion_ci(0.95, method="wilson") for hits, of in request["shares"]]
    return [[interval.low, interval.high] for interval in intervals]


def adult(request):
    """A model of the adult data, its answers on held-out rows as a file, and what Fairlearn says of them."""
    import pandas as pd
    from fairlearn.metrics import MetricFrame, count, demographic_parity_difference, equalized_odds_difference
    from fairlearn.metrics import false_positive_rate, selection_rate, true_positive_rate
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    data = pd.read_parquet(request["data"])
    target = data.columns[-1]
    truth = data[target].astype(str).str.strip().str.contains(">50K").astype(int)
    numbers = data.select_dtypes("number").fillna(0)
    features = StandardScaler().fit_transform(numbers)
    train = np.arange(len(data)) % 2 == 0
    model = LogisticRegression(max_iter=1000).fit(features[train], truth[train])
    held = data[~train]
    out = pd.DataFrame({"truth": truth[~train], "answer": model.predict(features[~train])})
    for name in request["by"]:
        out[name] = held[name].astype(str)
    out.to_parquet(request["out"], index=False)
    said = {}
    for name in request["by"]:
        kept = {"sensitive_features": out[name]}
        rates = {"rows": count, "selectionRate": selection_rate, "truePositiveRate": true_positive_rate, "falsePositiveRate": false_positive_rate}
        frame = MetricFrame(metrics=rates, y_true=out["truth"], y_pred=out["answer"], **kept)
        said[name] = {
            "demographic_parity": demographic_parity_difference(out["truth"], out["answer"], **kept),
            "equalized_odds": equalized_odds_difference(out["truth"], out["answer"], **kept),
            "groups": frame.by_group.to_dict("index"),
        }
    return said


def overlap(request):
    """Two tables that share rows, in several forms, and how many they share by pandas' own comparison."""
    import pandas as pd

    rng = np.random.default_rng(7)
    rows = request["rows"]
    table = pd.DataFrame(
        {
            "customer_id": np.arange(rows) + 1,
            "age": rng.integers(18, 90, rows),
            "income": np.round(rng.lognormal(10, 1, rows), 2),
            "ratio": rng.random(rows),
            "city": rng.choice(["Oslo", "Łódź", "São Paulo", "a,b", 'say "x"'], rows),
            "active": rng.random(rows) < 0.5,
            "since": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 10**7, rows), unit="s"),
            "code": [f"{value:05d}" for value in rng.integers(0, 10**5, rows)],
            "score": np.where(rng.random(rows) < 0.1, np.nan, rng.normal(size=rows)),
            "y": rng.integers(0, 2, rows),
        }
    )
    train = table.iloc[: rows // 2]
    test = pd.concat([table.iloc[rows // 2 :], train.sample(request["shared"], random_state=1)]).sample(frac=1, random_state=2)
    test = test.assign(customer_id=np.arange(len(test)) + 10 * rows)
    small = {"ratio": "float32", "score": "float32", "age": "float64", "y": "int8"}
    for name, data in (("train", train), ("test", test)):
        data.to_csv(f"{request['dir']}/{name}.csv", index=False)
        data.to_parquet(f"{request['dir']}/{name}.parquet", index=False)
        data.astype(small).to_parquet(f"{request['dir']}/{name}-float32.parquet", index=False)
        data.to_json(f"{request['dir']}/{name}.jsonl", orient="records", lines=True, date_format="iso", double_precision=15)
    columns = [column for column in table.columns if column != "customer_id"]
    keys = {tuple(row) for row in train[columns].fillna(-1e9).itertuples(index=False)}
    return sum(tuple(row) in keys for row in test[columns].fillna(-1e9).itertuples(index=False))


REQUESTS = {"metrics": metrics, "bootstrap": bootstrap, "delong": delong, "mcnemar": mcnemar, "wilson": wilson, "adult": adult, "overlap": overlap}
json.dump([REQUESTS[request["do"]](request) for request in json.load(sys.stdin)], sys.stdout, default=float)

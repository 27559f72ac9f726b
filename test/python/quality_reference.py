"""What scikit-learn says of pairs of answers and labels: the reference of test/unit/predictions/quality.test.ts.

Reads {"cases": [{"task": "scores"|"classes"|"numbers", "answer": [...], "label": [...], "score"?: [...]}]} from standard
input and writes a list of {metric: value}.
"""
import json
import sys

from sklearn import metrics as m


def reference(case):
    answer, label = case["answer"], case["label"]
    if case["task"] == "numbers":
        return {
            "mae": m.mean_absolute_error(label, answer),
            "rmse": m.root_mean_squared_error(label, answer),
            "r2": m.r2_score(label, answer),
        }
    if case["task"] == "scores":
        said = [int(value >= 0.5) for value in answer]
        return dict(two(label, said), auc=m.roc_auc_score(label, answer), log_loss=m.log_loss(label, answer, labels=[0, 1]))
    if len(set(label) | set(answer)) > 2:
        average = {"average": "macro", "zero_division": 0}
        return {
            "accuracy": m.accuracy_score(label, answer),
            "precision_macro": m.precision_score(label, answer, **average),
            "recall_macro": m.recall_score(label, answer, **average),
            "f1_macro": m.f1_score(label, answer, **average),
        }
    found = two(label, answer, case["positive"])
    if "score" in case:
        found["auc"] = m.roc_auc_score([value == case["positive"] for value in label], case["score"])
    return found


def two(label, said, positive=1):
    options = {"pos_label": positive, "zero_division": 0}
    return {
        "accuracy": m.accuracy_score(label, said),
        "precision": m.precision_score(label, said, **options),
        "recall": m.recall_score(label, said, **options),
        "f1": m.f1_score(label, said, **options),
    }


json.dump([reference(case) for case in json.load(sys.stdin)["cases"]], sys.stdout)

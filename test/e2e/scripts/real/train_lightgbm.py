"""Boosted trees with LightGBM's own lines on stdout."""
import lightgbm as lgb
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=1)
train = lgb.Dataset(X_train, y_train)
test = lgb.Dataset(X_test, y_test, reference=train)
params = {"objective": "binary", "metric": "auc", "num_leaves": 7, "seed": 1, "num_threads": 2}
booster = lgb.train(params, train, 10, valid_sets=[test], callbacks=[lgb.log_evaluation(1)])
booster.save_model("model.txt")
print("auc = %.6f" % booster.best_score["valid_0"]["auc"])

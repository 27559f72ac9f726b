"""Boosted trees with XGBoost's own lines on stdout."""
import xgboost as xgb
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=1)
dtrain, dtest = xgb.DMatrix(X_train, y_train), xgb.DMatrix(X_test, y_test)
results = {}
params = {"objective": "binary:logistic", "max_depth": 3, "eta": 0.3, "eval_metric": "auc", "seed": 1, "nthread": 2}
booster = xgb.train(params, dtrain, 10, evals=[(dtest, "test")], evals_result=results, verbose_eval=True)
booster.save_model("model.json")
print("auc:", results["test"]["auc"][-1])

"""The same figures in plain pandas: AUC by region, and the difference in how often each gender is answered yes."""
import json

import pandas as pd
from sklearn.metrics import roc_auc_score

rows = pd.read_csv("answers.csv")
rows["repaid"] = rows["truth"].eq("yes")
by_region = {name: roc_auc_score(g["repaid"], g["score"]) for name, g in rows.groupby("region")}
selected = rows.assign(answer=rows["score"] >= 0.5).groupby("gender")["answer"].mean()
print(json.dumps({"regions": by_region, "parity": selected.max() - selected.min()}))

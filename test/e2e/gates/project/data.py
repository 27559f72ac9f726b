"""Rows of a loan book: three regions, two genders. In the region of the odd name the label is half noise."""
import numpy as np
import pandas as pd

REGIONS = ["south", "east", "north|<i>`x`"]


def rows(count, seed):
    draw = np.random.default_rng(seed)
    region = draw.choice(REGIONS, count, p=[0.5, 0.3, 0.2])
    gender = draw.choice(["f", "m"], count)
    income = draw.normal(0, 1, count) + 0.4 * (gender == "m")
    debt = draw.normal(0, 1, count)
    age = draw.normal(0, 1, count)
    signal = 1.6 * income - 1.2 * debt + 0.8 * age * debt
    noise = draw.normal(0, np.where(region == REGIONS[2], 6.0, 1.0))
    return pd.DataFrame({
        "id": [f"{seed}-{i}" for i in range(count)],
        "region": region, "gender": gender,
        "income": income.round(4), "debt": debt.round(4), "age": age.round(4),
        "repaid": np.where(signal + noise > 0, "yes", "no"),
    })


for name, count, seed in [("train", 300, 1), ("train-new", 3000, 2), ("test", 600, 3), ("fresh", 900, 4)]:
    rows(count, seed).to_csv(f"{name}.csv", index=False)

"""Makes the demo's data: customers of an imaginary telephone company, from a seeded generator (numpy, PCG64).

    python make_data.py            writes train, holdout, april, june, june-train, june-holdout and mislabelled.csv to data/

Every number comes from `customers(seed, n, campaign)` below; nothing is downloaded. Until May, 21 % of the customers
have fibre on a monthly contract. In June a campaign brings many more of them, at a higher price, and these new
customers call support more often and leave for other reasons than the old ones: inputs *and* behaviour shift.
"""
import csv
import pathlib

import numpy as np

COLUMNS = ["customer_id", "tenure", "contract", "internet", "monthly_charges", "support_calls", "paperless", "churned"]


def customers(seed: int, n: int, campaign: bool):
    rng = np.random.Generator(np.random.PCG64(seed))
    contract = rng.choice(["monthly", "one-year", "two-year"], n, p=[0.85, 0.1, 0.05] if campaign else [0.5, 0.25, 0.25])
    internet = rng.choice(["dsl", "fibre", "none"], n, p=[0.1, 0.85, 0.05] if campaign else [0.38, 0.42, 0.2])
    tenure = np.round(rng.gamma(1.2, 6 if campaign else 24, n)).clip(0, 72).astype(int)
    base = np.select([internet == "fibre", internet == "dsl"], [80.0 if campaign else 74.0, 52.0], 21.0)
    monthly = np.round(base + rng.normal(0, 9, n), 2).clip(15, 130)
    calls = rng.poisson(2.6 if campaign else 0.9, n)
    paperless = rng.choice(["yes", "no"], n, p=[0.6, 0.4])
    logit = (
        -0.9
        - 0.055 * tenure
        + 1.5 * (contract == "monthly")
        - 1.3 * (contract == "two-year")
        + 0.9 * (internet == "fibre")
        + (1.1 if campaign else 0.35) * calls
        - (1.9 if campaign else 0.0)
        + (0.09 if campaign else 0.0) * (monthly - 80)
    )
    churned = (rng.random(n) < 1 / (1 + np.exp(-1.25 * logit))).astype(int)
    ids = [f"C{seed:03d}{i:06d}" for i in range(n)]
    return zip(ids, tenure, contract, internet, monthly, calls, paperless, churned)


def write(name: str, rows, labels: bool = True) -> None:
    path = pathlib.Path(__file__).parent / "data" / name
    path.parent.mkdir(exist_ok=True)
    width = len(COLUMNS) if labels else len(COLUMNS) - 1
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS[:width])
        writer.writerows(row[:width] for row in rows)
    print(f"{path.parent.name}/{path.name}")


if __name__ == "__main__":
    write("train.csv", customers(1, 6000, campaign=False))
    write("holdout.csv", customers(2, 2000, campaign=False))
    # What production sees: nobody knows yet who will leave.
    write("april.csv", customers(3, 2000, campaign=False), labels=False)
    write("june.csv", customers(4, 2000, campaign=True), labels=False)
    write("june-train.csv", list(customers(1, 6000, campaign=False)) + list(customers(5, 3000, campaign=True)))
    write("june-holdout.csv", customers(6, 2000, campaign=True))
    # An export whose rows were joined in the wrong order: every label belongs to some other customer.
    rows = list(customers(7, 3000, campaign=False))
    write("mislabelled.csv", [(*row[:-1], other[-1]) for row, other in zip(rows, rows[1:] + rows[:1])])

"""Cuts the real data into the files of the end-to-end tests: python split.py telco|electricity SOURCE FOLDER"""
import pathlib
import sys

import pandas as pd

kind, source, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
# As text: the files must keep the blanks and the digits of the original.
data = pd.read_csv(source, dtype=str, keep_default_na=False)


def write(name, rows):
    rows.to_csv(folder / f"{name}.csv", index=False)


if kind == "telco":
    shuffled = data.sample(frac=1, random_state=11).reset_index(drop=True)
    train, test, half = shuffled[:3500], shuffled[3500:5000], shuffled[5000:]
    write("train", train)
    write("test", test)
    write("half", half)
    write("fibre", half[(half["Contract"] == "Month-to-month") & (half["InternetService"] == "Fiber optic")])
    write("train-new", pd.concat([train, half]).reset_index(drop=True))
else:
    # In time order: the market of 1996 and early 1997, then what came after.
    write("train", data[:15000])
    write("test", data[15000:18000])
    write("soon", data[17000:18000])
    write("later", data[30000:40000])
    write("train-new", data[20000:38000])
    write("test-new", data[38000:42000])

#!/usr/bin/env bash
# Averages a column with awk, three "epochs" of it.
set -euo pipefail
seq 1 100 > data.txt
for epoch in 1 2 3; do
  awk -v e="$epoch" '{ sum += $1 } END { printf "{\"mean\": %.2f, \"epoch\": %d}\n", sum / NR / e, e }' data.txt
done
awk '{ sum += $1 } END { print sum / NR > "model.txt" }' data.txt
echo "rmse: 28.87"
echo "done" >&2

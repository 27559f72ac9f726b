"""Megabytes of lines on both streams, and a metric at the end."""
import sys

line = "step %07d something was done here and it is said at length, as frameworks do it\n"
for at in range(200_000):
    sys.stdout.write(line % at)
    if at % 10 == 0:
        sys.stderr.write(line % at)
print("auc: 0.875")

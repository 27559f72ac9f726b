"""Asks at a terminal, reads all of a pipe."""
import sys

if sys.stdin.isatty():
    depth = int(input("depth? "))
    print("training")
    print("depth_given: %d" % depth)
else:
    rows = sys.stdin.read().split()
    print("rows: %d" % len(rows))

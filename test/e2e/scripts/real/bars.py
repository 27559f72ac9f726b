"""Progress bars as tqdm writes them (on stderr, with carriage returns) and as rich does (in colours), and coloured results."""
import sys
import time

for epoch in range(3):
    for step in range(1, 101):
        done = step // 10
        sys.stderr.write("\repoch %d: %3d%%|%s%s| %d/100 [00:00<00:00, 99.9it/s, loss=%.3f]" % (epoch, step, "█" * done, " " * (10 - done), step, 1 / step))
        sys.stderr.flush()
    sys.stderr.write("\n")
    print("\x1b[1;32mval_auc: 0.%d\x1b[0m" % (90 + epoch))
try:
    from pip._vendor.rich.console import Console
    from pip._vendor.rich.progress import Progress

    with Progress(console=Console(force_terminal=True, color_system="truecolor")) as progress:
        task = progress.add_task("[red]fit", total=20)
        for _ in range(20):
            progress.update(task, advance=1)
except ImportError:
    pass
print("loss: 0.5\rloss: 0.25\rloss: 0.125")

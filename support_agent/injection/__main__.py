"""`python -m support_agent.injection [--only-measure] [--split val]`: trains the classifier, measures the guard."""

from __future__ import annotations

import argparse
import sys

from support_agent.injection.measure import report


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m support_agent.injection", description=__doc__)
    parser.add_argument("--only-measure", action="store_true", help="Leave the weights as they are.")
    parser.add_argument("--split", choices=("val", "test"), default="test", help="Tune on val; test is held out.")
    options = parser.parse_args()
    if not options.only_measure:
        from support_agent.injection.train import train

        sys.stdout.write(f"weights {train()['sha256']}\n")
    sys.stdout.write("| texts | cautioned | share | 95 % interval |\n|---|---|---|---|\n")
    for rate in report(options.split):
        sys.stdout.write(f"{rate}\n")


if __name__ == "__main__":
    main()

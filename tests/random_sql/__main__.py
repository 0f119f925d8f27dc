"""A long run, from scripts/soak: python -m random_sql [--statements N] [--seed N] [--share N]."""

import argparse
import random
import sys

from harness import Server

from .run import SERVER, run_all, shares
from .world import World

SIZE = 2500


def main() -> int:
    parser = argparse.ArgumentParser(prog="random_sql")
    parser.add_argument("--statements", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=random.randrange(1, 2**30))
    parser.add_argument("--share", type=int, help="only this one, to see again what was found in it")
    options = parser.parse_args()
    print(f"random_sql: {options.statements} statements, --seed {options.seed}", flush=True)
    with Server(settings=SERVER) as server:
        world = World(server, "random_sql")
        planned = shares(world, options.statements, options.seed, SIZE)
        chosen = (share for share in planned if options.share in (None, share.number))
        total = run_all(world, chosen, lambda line: print(line, flush=True))
    print(f"random_sql: {len(total.findings)} findings; {total}")
    if total.findings:
        print(f"random_sql: again with scripts/soak --statements {options.statements} --seed {options.seed} --share N")
    return 1 if total.findings else 0


if __name__ == "__main__":
    sys.exit(main())

"""python -m bench [--quick] [--preload session|shared] [CASE...]: see scripts/bench."""

import argparse
import signal
import sys
import time

from harness import Server

from . import case_changes, case_entry, case_guards, case_lint, case_load, case_peers, case_protect, case_provision, case_query, case_scale, case_stores
from .report import HEADING, Report, environment
from .schema import SETTINGS, create

CASES = {
    module.CASE: module
    for module in (case_query, case_entry, case_changes, case_provision, case_scale, case_protect, case_lint, case_load, case_peers, case_stores, case_guards)
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench")
    parser.add_argument("--quick", action="store_true", help="few rounds, to try it out; numbers mean little")
    parser.add_argument("--preload", choices=["session", "shared"], default="session",
                        help="session (default): roles beside it are plain PostgreSQL; shared: they have the hooks too")
    parser.add_argument("case", nargs="*", choices=[*CASES, []], help="all when none is given")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    report = Report(arguments.quick)
    began = time.monotonic()
    with Server(settings=SETTINGS, preload=arguments.preload, name="bench") as server:
        print("filling the tables", flush=True)
        bench = create(server)
        about = environment(server) | {"preload": arguments.preload}
        print(f"{about['postgresql'].split(' on ')[0]}, {about['cores']} cores, load {about['load'][0]:.1f}", flush=True)
        print("   " + HEADING)
        for name in arguments.case or CASES:
            start = time.monotonic()
            extra = CASES[name].run(bench, report)
            took = time.monotonic() - start
            path = report.write(name, about, extra | {"seconds": round(took, 1)})
            print(f"{name}: {took:.0f} s, {path}", flush=True)
    print(f"\n{report.table()}\n{time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())

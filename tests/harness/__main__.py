"""python -m harness [--preload shared|session|none] [--database NAME --extension NAME...] COMMAND...

Starts a server, runs the command with libpq's environment variables and the private tree's
programs first in PATH, and ends the server. The exit status is the command's.
"""

import argparse
import os
import signal
import subprocess
import sys

from .process import ServerError, clean_environment
from .server import Server, tree


def main() -> int:
    parser = argparse.ArgumentParser(prog="harness", usage=(__doc__ or "").splitlines()[0])
    parser.add_argument("--preload", choices=["shared", "session", "none"], default="shared")
    parser.add_argument("--database", default="postgres")
    parser.add_argument("--extension", action="append", default=[])
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    preload = None if arguments.preload == "none" else arguments.preload
    with Server(preload=preload) as server:
        if arguments.database != "postgres":
            server.createdb(arguments.database, extensions=arguments.extension)
        environment = clean_environment() | server.environment(dbname=arguments.database)
        environment["PATH"] = f"{tree()}/bin:{environment['PATH']}"
        status = subprocess.run(arguments.command, env=environment).returncode
        if status != 0:
            sys.stderr.write("end of the server's log:\n" + server.log_text()[-4000:])
        return status


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ServerError as error:
        sys.exit(f"harness: {error}")

"""Free TCP ports that no two test processes of the machine choose at once."""

import random
import socket

# Below the range that Linux takes ports of outgoing connections from.
RANGE = range(20000, 32000)


class Port:
    """A port held from its choice until release().

    The holder owns an abstract Unix socket named after the port; the kernel frees it when the
    process ends, however it ends. Others who do not know of this are found by a trial bind, and
    a server that still loses the race is started again on another port (process.Daemon).
    """

    def __init__(self) -> None:
        for number in random.sample(RANGE, len(RANGE)):
            claim = _claim(number)
            if claim is not None:
                self.number, self._claim = number, claim
                return
        raise RuntimeError(f"no free port in {RANGE}")

    def release(self) -> None:
        self._claim.close()


def _claim(number: int) -> socket.socket | None:
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        claim.bind(f"\0tenancy-test-port-{number}")
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(("127.0.0.1", number))
    except OSError:
        claim.close()
        return None
    return claim

"""Waiting for a condition with a deadline, so that no test sleeps."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(condition: Callable[[], T], deadline: float = 30.0, what: str = "a condition") -> T:
    """Returns condition()'s first true value; raises TimeoutError after `deadline` seconds.

    Exceptions of the condition pass through.
    """
    end = time.monotonic() + deadline
    pause = 0.005
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise TimeoutError(f"waited {deadline:g} s in vain for {what} (last: {value!r})")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)

"""The one place where tests let time pass. Nothing else in this directory sleeps."""

import time

# Short against everything that is waited for, long against the cost of asking.
POLL_SECONDS = 0.02


class Late(AssertionError):
    """A condition did not come true before its deadline."""


def wait_until(condition, what, seconds=30.0, poll_seconds=POLL_SECONDS):
    """Asks `condition` until it returns something true, and returns that.

    Deadlines are generous: they bound how long a broken program holds up the suite and say nothing
    about speed. `what` completes the sentence "did not come true in time: ...".
    """
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise Late(f"did not come true within {seconds:g} s: {what}")
        time.sleep(poll_seconds)


def random_moment(random, seconds_max, seconds_min=0.0):
    """Lets a drawn stretch of time pass, so that a fault falls anywhere in what is going on."""
    time.sleep(random.uniform(seconds_min, seconds_max))

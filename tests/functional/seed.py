"""Every random choice of the tests comes from one printed seed."""

import os
import random


def suite_seed():
    """EVENTCHAIN_SEED (set by ./run, which prints it), or one drawn here and printed."""
    if "EVENTCHAIN_SEED" not in os.environ:
        os.environ["EVENTCHAIN_SEED"] = str(random.SystemRandom().randrange(1 << 32))
        print(f"EVENTCHAIN_SEED={os.environ['EVENTCHAIN_SEED']}", flush=True)
    return int(os.environ["EVENTCHAIN_SEED"])


def random_for(label):
    """A generator of its own for each label: what one thread draws does not change another's."""
    return random.Random(f"{suite_seed()}/{label}")

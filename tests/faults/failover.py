"""How long nothing is completed when the leader is gone: three nodes as they are by default."""

import threading
import time

from arena import LinkedCluster
from client import Unreachable
from cluster import Cluster
from load import Load
from waiting import wait_until

# Often enough to see a block within a hundredth of a second, seldom enough not to be a load.
LOOK_SECONDS = 0.01


class Defaults(Cluster):
    """Default timeouts of elections and links; blocks as quick as in all these tests."""

    common_settings = {}

    def take_away(self, node):
        """What the others see at once: its links end."""
        node.kill()

    def bring_back(self, node):
        node.start()


class DefaultsOnHosts(LinkedCluster, Defaults):
    """The same on hosts of their own, of which no word comes any more once they are gone."""

    def take_away(self, node):
        self.vanish(node)

    def bring_back(self, node):
        self.links.heal()
        node.start()


class Observer(threading.Thread):
    """Looks at one surviving node: when it first held a block that is its new term's.

    A block that the old leader had decided may still arrive from others after its end. So the clock
    stops only at a block on top of the height at which the node knew the new term.
    """

    def __init__(self, node, term, began):
        super().__init__(name=f"observer of {node}", daemon=True)
        self.elected = None  # seconds until a new leader was known
        self.completed = None  # seconds until a block of its time
        self._node = node
        self._term = term
        self._began = began
        self.halt = threading.Event()

    def run(self):
        height = None
        with self._node.client(timeout=5.0) as client:
            while self.completed is None and not self.halt.is_set():
                try:
                    status = client.cluster()
                except Unreachable:
                    continue
                seconds = time.monotonic() - self._began
                if height is None and int(status["term"]) > self._term and "leader" in status:
                    height = int(status["height"])
                    self.elected = seconds
                elif height is not None and int(status["height"]) > height:
                    self.completed = seconds
                self.halt.wait(LOOK_SECONDS)


def take_leader(cluster):
    """(seconds to a new leader, seconds to the next completed block), each at the first survivor."""
    leader = cluster.leader()
    term = int(leader.status()["term"])
    survivors = [node for node in cluster.nodes if node is not leader]
    began = time.monotonic()
    cluster.take_away(leader)
    observers = [Observer(node, term, began) for node in survivors]
    for observer in observers:
        observer.start()
    try:
        wait_until(
            lambda: any(observer.completed is not None for observer in observers),
            "a block is completed without the old leader",
            60,
        )
    finally:
        for observer in observers:
            observer.halt.set()
        for observer in observers:
            observer.join()
    completed = min(one.completed for one in observers if one.completed is not None)
    elected = min(one.elected for one in observers if one.elected is not None)
    cluster.bring_back(leader)
    catch_up(leader, survivors)
    return elected, completed


def catch_up(node, survivors):
    node.wait_ready()
    height = max(one.height() for one in survivors)
    wait_until(lambda: node.height() >= height, f"{node} has caught up")


def percentile(values, percent):
    """The smallest value that at least `percent` of all are not above."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def tell(name, values):
    print(
        f"{name}: p50 {percentile(values, 50) * 1000:.0f} ms, p99 {percentile(values, 99) * 1000:.0f}"
        f" ms, max {max(values) * 1000:.0f} ms over {len(values)} leaders"
    )


def measure(times, nodes, settings, kind=None):
    """Takes the leader away `times` times under a light load and prints what was seen; asserts no
    time. With a `kind` of links its host vanishes, without it is killed.
    """
    elected, completed = [], []
    with DefaultsOnHosts(kind, nodes, settings) if kind else Defaults(nodes, settings) as cluster:
        with Load(cluster.nodes, writers=2) as load:
            for number in range(1, times + 1):
                before = load.count()
                wait_until(lambda: load.count() > before + 20, "events are taken in")
                one = take_leader(cluster)
                elected.append(one[0])
                completed.append(one[1])
                if number % 10 == 0:
                    print(f"{number} leaders gone, the last: {one[1] * 1000:.0f} ms")
        cluster.wait_same_tip()
    tell("new leader known", elected)
    tell("next completed block", completed)
    return 0

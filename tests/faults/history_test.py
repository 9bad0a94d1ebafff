"""The checker itself: good histories pass, and each kind of bad one is found."""

import itertools
import random
import unittest

import history
from history import Append, Placed, Read, check_log, check_promises, check_reads, check_same
from linearizability import FOREVER, Call, Undecided, is_linearizable


def append(name, invoked, returned, outcome="completed", version=None, expected=None, **more):
    more.setdefault("position", version if outcome == "completed" else None)
    return Append(
        key=("/test", name),
        stream="s",
        expected=expected,
        invoked=invoked,
        returned=returned,
        outcome=outcome,
        version=version,
        node=more.pop("node", "n1"),
        **more,
    )


def read(invoked, returned, version, node="n1", start=0, keys=(), is_linearizable=False):
    listed = [("/test", key) for key in keys]
    return Read("s", node, start, invoked, returned, version, listed, is_linearizable)


def fresh_read(*times_and_version):
    return read(*times_and_version, is_linearizable=True)


def placed(name, position, version=None, expected=None, stream="s"):
    version = position if version is None else version
    return Placed(("/test", name), stream, position, version, expected)


def log_of(*names):
    return [placed(name, position) for position, name in enumerate(names)]


def by_key(log):
    return {one.key: one for one in log}


class LinearizabilityTest(unittest.TestCase):
    def passes(self, *operations, log=None):
        violations, is_decided = history.check_stream(
            list(operations), None if log is None else by_key(log)
        )
        self.assertEqual((violations, is_decided), ([], True))

    def fails(self, *operations, log=None):
        violations, _ = history.check_stream(
            list(operations), None if log is None else by_key(log)
        )
        self.assertEqual(len(violations), 1)

    def test_one_after_the_other(self):
        self.passes(append("a", 0, 1, version=0), append("b", 2, 3, version=1))
        self.fails(append("a", 0, 1, version=1), append("b", 2, 3, version=0))

    def test_a_linearizable_read_misses_nothing_that_was_completed_before(self):
        first, second = append("a", 0, 1, version=0), append("b", 4, 7, version=1)
        self.passes(first, second, fresh_read(2, 3, 0), fresh_read(8, 9, 1))
        self.fails(first, second, fresh_read(2, 3, -1))
        self.fails(first, second, fresh_read(8, 9, 0))
        self.passes(first, second, read(8, 9, 0))  # a local one may
        # Of two, the later does not go back, though the append was not over yet.
        self.passes(first, second, fresh_read(5, 5.2, 0), fresh_read(5.5, 6, 1))
        self.fails(first, second, fresh_read(5, 5.2, 1), fresh_read(5.5, 6, 0))

    def test_concurrent_appends_may_take_either_order(self):
        self.passes(append("a", 0, 3, version=1), append("b", 1, 2, version=0))

    def test_two_events_cannot_have_one_version(self):
        self.fails(append("a", 0, 3, version=0), append("b", 1, 2, version=0))

    def test_a_version_cannot_be_left_out(self):
        self.fails(append("a", 0, 1, version=0), append("b", 2, 3, version=2))

    def test_an_expectation_must_have_been_met(self):
        self.passes(append("a", 0, 1, version=0, expected=-1))
        self.fails(append("a", 0, 1, version=0, expected=0))

    def test_two_that_expect_the_same_cannot_both_win(self):
        self.fails(
            append("a", 0, 3, version=0, expected=-1), append("b", 0, 3, version=1, expected=-1)
        )

    def test_a_rejection_needs_a_moment_at_which_the_stream_stood_there(self):
        first, second = append("a", 0, 1, version=0), append("b", 4, 5, version=1)
        self.passes(first, append("r", 2, 3, "rejected", 0, expected=-1), second)
        self.fails(first, append("r", 2, 3, "rejected", 1, expected=-1), second)
        # By then the stream had moved on: a block cannot have found it there.
        self.fails(first, second, append("r", 6, 7, "rejected", 0, expected=-1))

    def test_what_was_expected_and_found_is_no_reason_to_reject(self):
        self.fails(append("a", 0, 1, version=0), append("r", 2, 3, "rejected", 0, expected=0))

    def test_a_refusal_may_be_old_but_not_from_the_future(self):
        first, second = append("a", 0, 1, version=0), append("b", 4, 5, version=1)
        self.passes(first, second, append("r", 6, 7, "refused", 0, expected=-1))
        self.fails(append("r", 2, 3, "refused", 1, expected=0), first, second)
        self.fails(first, append("r", 6, 7, "refused", 0, expected=0))

    def test_a_read_may_be_old_but_not_from_the_future(self):
        first, second = append("a", 0, 1, version=0), append("b", 4, 6, version=1)
        self.passes(first, second, read(7, 8, 0))
        self.passes(first, second, read(4, 5, 1))
        self.fails(first, second, read(2, 3, 1))

    def test_an_append_without_an_answer_may_happen_late_or_never(self):
        lost = append("u", 0, FOREVER, "unknown")
        self.passes(lost, append("a", 1, 2, version=0))
        self.passes(lost, append("a", 1, 2, version=1))
        self.passes(append("a", 1, 2, version=0), lost, append("b", 8, 9, version=2))
        self.fails(append("a", 1, 2, version=0), lost, append("b", 8, 9, version=3))

    def test_an_append_without_an_answer_cannot_happen_before_it_was_asked(self):
        lost = append("u", 5, FOREVER, "unknown")
        self.fails(append("a", 1, 2, version=1), lost)

    def test_an_append_without_an_answer_keeps_its_expectation(self):
        lost = append("u", 0, FOREVER, "unknown", expected=3)
        self.fails(lost, append("a", 1, 2, version=1))

    def test_the_log_says_what_became_of_what_had_no_answer(self):
        lost = append("u", 0, FOREVER, "durable")
        told = append("a", 1, 2, version=1)
        self.passes(lost, told, log=log_of("u", "a"))
        # Without it the log explains nothing: nobody made version 0.
        self.fails(lost, told, log=[placed("a", 1)])
        late = append("u", 5, FOREVER, "unknown")
        self.fails(told, late, log=log_of("u", "a"))

    def test_what_is_completed_is_ahead_of_what_begins_then_and_what_is_durable_need_not_be(self):
        later = append("b", 2, 3, version=0)
        self.passes(append("a", 0, 1, "durable"), later, log=log_of("b", "a"))
        self.fails(append("a", 0, 1, version=1), later, log=log_of("b", "a"))

    def test_a_certain_failure_says_nothing(self):
        self.passes(append("f", 0, 1, "failed"), append("a", 2, 3, version=0))

    def test_a_search_that_is_too_long_says_so(self):
        calls = [
            Call(0, FOREVER, history.appended_somewhere(None), may_be_missing=True)
            for _ in range(30)
        ]
        calls.append(Call(1, 2, history.appended(99, None)))
        with self.assertRaises(Undecided):
            is_linearizable(calls, -1, 1000)

    def test_the_search_agrees_with_trying_all_orders(self):
        seed = random.SystemRandom().randrange(1 << 32)
        drawn = random.Random(seed)
        verdicts = {True: 0, False: 0}
        for number in range(1500):
            calls = self.draw_calls(drawn)
            expected = self.try_all(calls)
            verdicts[expected] += 1
            found, _ = is_linearizable(calls, -1)
            self.assertEqual(found, expected, f"seed {seed}, history {number}: {calls}")
        self.assertGreater(min(verdicts.values()), 100, verdicts)

    def draw_calls(self, drawn):
        calls = []
        for _ in range(drawn.randrange(1, 6)):
            invoked = drawn.randrange(10)
            version = drawn.randrange(3)
            step = drawn.choice(
                (
                    history.appended(version, None),
                    history.appended(version, None),
                    history.rejected(version, None),
                    history.stood_at_least_at(version),
                    history.appended_somewhere(drawn.choice((None, version))),
                )
            )
            is_open = drawn.random() < 0.3
            returned = FOREVER if is_open else invoked + drawn.randrange(6)
            calls.append(Call(invoked, returned, step, is_open and drawn.random() < 0.5))
        return calls

    def try_all(self, calls):
        missing = [call for call in calls if call.may_be_missing]
        for count in range(len(missing) + 1):
            for left_out in itertools.combinations(missing, count):
                rest = [call for call in calls if not any(call is one for one in left_out)]
                if any(self.is_order(order) for order in itertools.permutations(rest)):
                    return True
        return False

    def is_order(self, order):
        state = -1
        for place, call in enumerate(order):
            if any(later.returned < call.invoked for later in order[place + 1 :]):
                return False
            state = call.step(state)
            if state is None:
                return False
        return True


class LogTest(unittest.TestCase):
    def test_a_good_log_passes(self):
        log = [placed("a", 0), placed("x", 1, 0, stream="t"), placed("b", 2, 1, expected=0)]
        self.assertEqual(check_log(log), [])
        self.assertEqual(check_log(log[1:], first=1), [])

    def test_bad_logs_are_found(self):
        for what, log in {
            "a gap": [placed("a", 0), placed("b", 2, 1)],
            "an event twice": [placed("a", 0), placed("a", 1)],
            "a version twice": [placed("a", 0, 0), placed("b", 1, 0)],
            "an expectation not met": [placed("a", 0), placed("b", 1, expected=3)],
        }.items():
            with self.subTest(what):
                self.assertEqual(len(check_log(log)), 1)

    def test_logs_that_differ_are_found_and_a_shorter_one_is_none(self):
        log = log_of("a", "b")
        self.assertEqual(check_same({"n1": log, "n2": log[:1], "n3": log}), [])
        self.assertEqual(len(check_same({"n1": log, "n2": log, "n3": log_of("b", "a")})), 1)


class PromisesTest(unittest.TestCase):
    def check(self, one, log, rejections=()):
        return len(check_promises([one], by_key(log), set(rejections)))

    def test_completed(self):
        told = append("a", 0, 1, version=1)
        self.assertEqual(self.check(told, log_of("b", "a")), 0)
        self.assertEqual(self.check(told, log_of("b")), 1)
        self.assertEqual(self.check(told, log_of("a", "b")), 1)

    def test_durable(self):
        told = append("a", 0, 1, "durable")
        self.assertEqual(self.check(told, log_of("a")), 0)
        self.assertEqual(self.check(told, []), 1)
        self.assertEqual(self.check(told, [], [("/test", "a")]), 0)

    def test_turned_down(self):
        for outcome in ("rejected", "refused", "failed"):
            told = append("a", 0, 1, outcome, 0, expected=-1)
            self.assertEqual(self.check(told, []), 0)
            self.assertEqual(self.check(told, log_of("a")), 1)

    def test_unknown_may_be_there_or_not(self):
        told = append("a", 0, FOREVER, "unknown")
        self.assertEqual(self.check(told, []) + self.check(told, log_of("a")), 0)


class ReadsTest(unittest.TestCase):
    log = log_of("a", "b", "c")

    def check(self, *reads, appends=()):
        return len(check_reads(list(reads), list(appends), self.log))

    def test_reads_of_the_log_pass(self):
        self.assertEqual(self.check(read(0, 1, -1), read(2, 3, 1, keys="ab")), 0)
        self.assertEqual(self.check(read(2, 3, 1, start=1, keys="b")), 0)
        # An event that came between the version and the listing.
        self.assertEqual(self.check(read(2, 3, 1, keys="abc")), 0)

    def test_other_events_than_the_logs_are_found(self):
        self.assertEqual(self.check(read(0, 1, 1, keys="ac")), 1)
        self.assertEqual(self.check(read(0, 1, 3, keys="abcd")), 1)

    def test_a_listing_shorter_than_its_version_is_found(self):
        self.assertEqual(self.check(read(0, 1, 2, keys="ab")), 1)

    def test_a_node_that_goes_back_is_found(self):
        later, earlier = read(0, 1, 1, keys="ab"), read(2, 3, 0, keys="a")
        self.assertEqual(self.check(later, earlier), 1)
        # Another node may lag, and so may a read that began before the other ended.
        self.assertEqual(self.check(later, read(2, 3, 0, node="n2", keys="a")), 0)
        self.assertEqual(self.check(later, read(0.5, 3, 0, keys="a")), 0)

    def test_a_node_shows_what_it_said_was_completed(self):
        told = append("b", 0, 1, version=1)
        self.assertEqual(self.check(read(2, 3, 0, keys="a"), appends=[told]), 1)
        self.assertEqual(self.check(read(0, 3, 0, keys="a"), appends=[told]), 0)


if __name__ == "__main__":
    unittest.main()

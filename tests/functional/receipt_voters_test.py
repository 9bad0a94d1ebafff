"""Receipts whose voters change against the rules, by blocks that enough have signed: both programs refuse them."""

import unittest

import receipt_forge as forge_of
from receipt_forge import OBSERVER, STANDBY, Forge, invitation, member, member_set, order
from receipt_judge import Judged

TOKEN = b"t" * 32


class ReceiptVotersTest(Judged):
    def change(self, forge, orders, numbers, after, more=(), since=5, slots=None, signers=(1, 2, 3), invitations=()):
        """A receipt past one step with these orders; `after` are the members as the orders leave them."""
        before = member_set([*forge.members, *more], invitations=invitations)
        step = forge.step(5, before, orders, numbers, slots)
        return forge.receipt(member_set(after, since=since), [step], [before], numbers=signers)

    def test_who_becomes_a_voter_and_who_ceases_to_be_one(self):
        forge = Forge()
        first, second, third = three = forge.members
        fourth, fifth = member(4, STANDBY), member(5, STANDBY)
        up, down = order(5, node=fourth.node, role=1), order(5, node=third.node, role=STANDBY)
        four = [*three, member(4)]
        two = [first, second, member(3, STANDBY), fourth]

        def change(*orders, numbers=(1, 2), after=four, more=(fourth,), **other):
            return self.change(forge, orders, numbers, after, more, **other)

        def role(who, role):
            return order(5, node=who.node, role=role)

        self.judge(forge, [
            ("a standby becomes a voter", change(up), None),
            ("a voter becomes a standby", change(down, after=two, signers=(1, 2)), None),
            ("an observer becomes a standby", change(role(fourth, OBSERVER), after=three, since=0), "voters-5"),
            ("nothing changes", change(after=three, more=(), since=0), "voters-5"),
            ("voters since another block", change(up, since=4), "certificate"),
            ("another voter than the orders make", change(up, after=[*three, member(6)]), "certificate"),
            ("a majority of those after", change(up, numbers=(1, 2, 4)), None),
            ("half of those after, fewer of those before", change(up, numbers=(1, 4)), "voters-5"),
            ("two changes of voters", change(up, down, after=two), "voters-5"),
            ("up and down again", change(up, role(fourth, STANDBY), after=[*three, fourth]), "voters-5"),
            ("nobody becomes one", change(role(member(9), 1)), "voters-5"),
            ("a voter becomes a voter", change(up, role(first, 1)), "voters-5"),
            ("a standby becomes a standby", change(up, role(fifth, STANDBY), more=(fourth, fifth)), "voters-5"),
            ("a standby leaves", change(up, order(7, node=fifth.node), more=(fourth, fifth)), None),
            ("a voter leaves", change(order(7, node=third.node), after=[first, second], more=()), "voters-5"),
            ("nobody leaves", change(up, order(7, node=fifth.node)), "voters-5"),
        ])

    def test_what_else_orders_may_do_beside_voters(self):
        forge = Forge()
        first, second, third = three = forge.members
        fourth, fifth = member(4, STANDBY), member(5, STANDBY)
        in_fourth = member(5, STANDBY, slot=3)  # the first free slot, which is what a new member gets
        up, fifth_up = (order(5, node=one.node, role=1) for one in (fourth, fifth))
        four, with_fifth = [*three, member(4)], [*three, member(5, slot=3)]
        key = forge_of.public_key(30)
        rekeyed = {"after": [first, second, member(3, key=key)], "more": (), "since": 0, "signers": (1, 2)}

        def change(*orders, numbers=(1, 2), after=four, more=(fourth,), **other):
            return self.change(forge, orders, numbers, after, more, **other)

        def joins(who, *more, role=STANDBY, **other):
            return change(*more, order(4, who, token=TOKEN), invitations=[invitation(TOKEN, role=role)], **other)

        def at_once(**other):
            """A new member becomes a voter in the block in which it joins."""
            orders = (order(4, in_fourth, token=TOKEN), fifth_up)
            return change(*orders, after=with_fifth, more=(), invitations=[invitation(TOKEN)], **other)

        def record(**other):
            return order(6, member(3, **other))

        kind = order(9, level=1)
        self.judge(forge, [
            ("a standby joins", joins(fifth, up), None),
            ("a voter joins", joins(member(5), up, after=[*four, member(5)]), "voters-5"),
            ("one is invited as a voter", joins(member(5), up, role=1, after=[*four, member(5)]), "member-sets"),
            ("one joins in another's slot", joins(member(5, STANDBY, slot=3), up), "voters-5"),
            ("one joins under another's id", joins(member(5, STANDBY, node=first.node), up), "voters-5"),
            ("one joins and becomes a voter", at_once(), None),
            ("and signs with a key not there before", at_once(numbers=(1, 2, 5), slots={5: 3}), "voters-5"),
            ("a voter's key changes", change(record(key=key), **rekeyed), None),
            ("and signs with the old one", change(record(key=key), numbers=(1, 3), **rekeyed), None),
            ("and signs with the new", change(record(key=key), numbers=(1, 30), slots={30: 2}, **rekeyed), "voters-5"),
            ("a voter's record changes", change(record(site=b"x"), after=three, more=(), since=0), "voters-5"),
            ("a record of nobody", change(up, order(6, fifth)), "voters-5"),
            ("a record in another slot", change(up, record(slot=9)), "voters-5"),
            ("a record of another store", change(up, record(store=b"x" * 16)), "voters-5"),
            ("a record of another name", change(up, record(name=b"other")), "voters-5"),
            ("a record of another role", change(up, record(role=STANDBY)), "voters-5"),
            ("a record with a key of zeros", change(up, record(key=bytes(32))), "voters-5"),
            ("a rejection", change(up, kind[:9] + b"\x01" + bytes(48) + b"\x01" + bytes(8)), None),
            ("a rejection for no reason", change(up, kind[:9] + b"\x01" + bytes(48) + b"\x04" + bytes(8)), "format"),
            ("a policy", change(up, order(8, wanted=3, grace=1000)), None),
            ("an invitation", change(up, order(2, invitation(b"u" * 32, name=b"n6"))), None),
            ("64 letters of who wants it", change(up, order(9, level=2, by=b"a" * 64)), None),
            ("65 letters", change(up, order(9, level=2, by=b"a" * 65)), "format"),
            ("a kind that is none", change(up, kind[:9] + b"\x0a" + kind[10:]), "format"),
        ])

    def test_how_many_voters_orders_may_leave(self):
        forge = Forge(voters=1)
        (only,) = forge.members
        down, up = order(5, node=only.node, role=STANDBY), order(5, node=member(2).node, role=1)
        none = self.change(forge, [down], (1,), [only], signers=(1,))  # a set without voters is none
        two = self.change(forge, [up], (1,), [only, member(2)], [member(2, STANDBY)], signers=(1, 2))
        self.judge(forge, [("none", none, "voters-5"), ("two", two, None)])
        forge = Forge(voters=7)
        orders, more = [order(5, node=member(8).node, role=1)], [member(8, STANDBY)]
        eight = self.change(forge, orders, (1, 2, 3, 4), forge.members, more, signers=(1, 2, 3, 4, 5))
        self.judge(forge, [("eight", eight, "voters-5")])

    def test_one_of_three_voters_forges_nothing_by_members_with_anothers_id(self):
        forge = Forge()
        first, second, third = forge.members
        # An order about the first voter could mean the stranger, who would be a voter in his stead.
        stranger = member(9, OBSERVER, node=first.node)
        before, forge.slot = member_set([*forge.members, stranger]), 1
        step = forge.step(5, before, [order(5, node=first.node, role=1)], (2, 9))
        after = member_set([second, third, member(9, node=first.node)], since=5)
        forged = forge.receipt(after, [step], [before], (2, 9))
        self.judge(forge, [("a stranger becomes a voter", forged, "member-sets")])

        # The voters of slots 0 to 2 are followed by those of 3 to 5, so that there are slots below these.
        forge.slot = 5
        roles, since, steps, sets = {1: 1, 2: 1, 3: 1, 4: STANDBY, 5: STANDBY, 6: STANDBY}, 0, [], []
        for height, (number, role) in enumerate(((4, 1), (1, 2), (5, 1), (2, 2), (6, 1), (3, 2)), 1):
            sets.append(member_set([member(*one) for one in roles.items()], since=since))
            signers = [one for one, role in roles.items() if role == 1]
            steps.append(forge.step(height, sets[-1], [order(5, node=member(number).node, role=role)], signers))
            roles[number], since = role, height
        honest = forge.receipt(member_set([member(*one) for one in roles.items()], since=since), steps, sets, (4, 5, 6))
        # Who leaves by an order about an observer of his id is a voter less that nobody counted.
        strangers = [member(8, OBSERVER, slot=0, node=member(4).node), member(9, OBSERVER, slot=1, node=member(5).node)]
        before = member_set([*strangers, member(4), member(5), member(6)], since=since)
        step = forge.step(7, before, [order(7, node=member(number).node) for number in (4, 5)], (6,))
        forged = forge.receipt(member_set([member(6)], since=since), [*steps, step], [*sets, before], (6,))
        self.judge(forge, [("six changes", honest, None), ("two voters leave", forged, "member-sets")])

    def test_one_step_after_the_other(self):
        forge = Forge()
        sets = [forge.members]
        for number in (4, 5):
            sets.append([*sets[-1], member(number)])
        with_standby = [member_set([*sets[0], member(4, STANDBY), member(5, STANDBY)]),
                        member_set([*sets[1], member(5, STANDBY)], since=3), member_set(sets[2], since=6)]
        ups = [[order(5, node=member(number).node, role=1)] for number in (4, 5)]

        def steps(heights=(3, 6), second=with_standby[1], numbers=(1, 2, 3), height=9, **other):
            made = [forge.step(heights[0], with_standby[0], ups[0], (1, 2)),
                    forge.step(heights[1], second, ups[1], numbers, **other)]
            return forge.receipt(with_standby[2], made, [with_standby[0], second], (1, 2, 5), height=height)

        whole = steps()
        first, second = whole["voters"]
        last, *between = whole["member_sets"]

        def taken(steps, sets):
            return {**whole, "voters": steps, "member_sets": [last, *sets]}

        self.judge(forge, [
            ("two steps", whole, None),
            ("the first left out", taken([second], between[1:]), "voters-6"),
            ("the second left out", taken([first], between[:1]), "certificate"),
            ("the other way round", taken([second, first], between), "voters-6"),
            ("one twice", taken([first, first], between[:1]), "voters-3"),
            ("half of four voters", steps(numbers=(1, 2)), "voters-6"),
            ("the fourth signs the second", steps(numbers=(1, 2, 4)), None),
            ("as high as the certified block", steps(height=6), "voters-6"),
            ("above the certified block", steps(height=5), "voters-6"),
            ("at height 0", steps(heights=(0, 6)), "voters-0"),
            ("an annex of another block", steps(annex_root="55" * 32), "voters-6"),
        ])


if __name__ == "__main__":
    unittest.main()

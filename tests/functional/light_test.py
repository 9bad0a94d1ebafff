"""A light member: joins by a token, follows to the tip, mines, and keeps no body."""

import sqlite3
import unittest

from client import event
from membership_test import GrowingCluster
from programs import eventchain
from waiting import wait_until

EXIT_FAILED = 1
EXIT_TAMPERED = 3
EXIT_WRONG_KIND = 78
MARK = "a body that must not come to a light member"


class LightCluster(GrowingCluster):
    """Voters that mine little, so that a light member finds shares, too."""

    def join_light(self, name="lamp", **settings):
        node, joined = self.join(name, self.invite(name, "light"))
        for key, value in {"mining.threads": 1, "mining.duty_percent": 100, **settings}.items():
            node.set(key, value)
        self.nodes.append(node)
        return node, joined

    def take_in_light(self, name="lamp"):
        node, _ = self.join_light(name)
        node.start()
        self.wait_caught_up(node)
        return node


def slot_of(cluster, name):
    with cluster.nodes[0].client() as client:
        members = client.get("/v1/members", consistency="linearizable").json()["members"]
    return next(member["slot"] for member in members if member["name"] == name)


class LightTest(unittest.TestCase):
    def test_it_follows_to_the_tip_and_its_shares_seal_blocks(self):
        with LightCluster() as cluster:
            with cluster.nodes[0].client() as client:
                self.assertEqual(client.submit(event("/l", "before"), wait="final").status, 201)
            light = cluster.take_in_light()
            slot = slot_of(cluster, "lamp")
            found = set()
            with cluster.nodes[1].client() as client:
                for number in range(300):
                    answer = client.submit(
                        event("/l", str(number), data={"text": MARK}), wait="final"
                    )
                    self.assertEqual(answer.status, 201, answer)
                    height = int(client.cluster()["height"])
                    found |= {share["slot"] for share in client.header(height)["shares"]}
                    if slot in found:
                        break
            self.assertIn(slot, found, "no share of the light member seals a block")
            cluster.wait_caught_up(light)
            self.check_answers(cluster, light)
            light.stop()
            self.check_files(light)
            self.check_verification(cluster, light)

    def check_answers(self, cluster, light):
        """Headers and members are those of the others; what needs events names where to ask."""
        with light.client() as client, cluster.nodes[0].client() as full:
            status = client.cluster()
            self.assertEqual(status["role"], "light")
            self.assertTrue(status["ready"])
            self.assertEqual(status["counters"]["peer_faults"], "0", status)
            self.assertGreater(int(status["counters"]["shares_own"]), 0)
            height = int(status["height"])
            wait_until(lambda: cluster.nodes[0].height() >= height, "the first voter is there")
            self.assertEqual(client.header(height), full.header(height))
            members = client.get("/v1/members").json()
            self.assertEqual(members, full.get("/v1/members").json())
            self.assertEqual(client.get("/v1/tips").status, 200)
            checkpoint = client.get("/checkpoint")
            self.assertEqual(checkpoint.status, 200, checkpoint)
            self.assertEqual(checkpoint.body.split(b"\n")[0].decode(), "eventchain/" + full.header(0)["chain"])
            self.assertEqual(client.get("/readyz").status, 200)
            self.assertIn("eventchain_tip_height", client.get("/metrics").body.decode())
            for answer in (
                client.submit(event("/l", "here"), wait="durable"),
                client.get("/v1/log"),
                client.get(f"/v1/blocks/{height}"),
                client.get("/v1/headers", consistency="linearizable"),
            ):
                self.assertEqual(answer.status, 421, answer)
                self.assertEqual(answer.problem_type(), "light-member")
        with cluster.nodes[0].client() as client:
            for node in client.cluster()["peers"]:
                self.assertEqual(node.get("faults", "0"), "0", node)

    def check_files(self, light):
        (file,) = light.data.glob("*.db")
        self.assertEqual(file.name, "light.db")
        for path in light.data.iterdir():
            self.assertNotIn(MARK.encode(), path.read_bytes(), path)
        with sqlite3.connect(file) as database:
            tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        database.close()
        self.assertFalse(tables & {"event", "stream_chunk", "tile", "raft_entry"}, tables)

    def check_verification(self, cluster, light):
        verify = ("chain", "verify", "--genesis", cluster.genesis, "--data", light.data)
        done = eventchain(*verify, check=False)
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("no events", done.stdout)
        with sqlite3.connect(light.data / "light.db") as database:
            database.execute("UPDATE block SET annex = zeroblob(9) WHERE height = 1")
        database.close()
        done = eventchain(*verify, check=False)
        self.assertEqual(done.returncode, EXIT_TAMPERED, done)
        self.assertIn("BAD block 1:", done.stdout)

    def test_it_goes_on_where_it_stopped_and_past_changes_of_members(self):
        with LightCluster() as cluster:
            light = cluster.take_in_light()
            light.stop()
            left_at = cluster.nodes[0].height()
            for grace in (60, 70, 80):
                cluster.order("policy", "--voters", 3, "--grace", grace)
            cluster.take_in("watcher", "observer")
            light.start()
            goal = cluster.nodes[0].height()
            self.assertGreater(goal, left_at)
            wait_until(lambda: light.height() >= goal, f"{light} is at height {goal}", 60)
            with light.client() as client:
                self.assertEqual(client.get("/v1/members").json()["policy"]["grace_ms"], 80_000)
            light.kill()
            light.start()
            light.wait_ready()
            self.assertGreaterEqual(light.height(), goal)

    def test_removed_it_ends(self):
        with LightCluster() as cluster:
            light = cluster.take_in_light()
            cluster.order("remove", "lamp")
            code = wait_until(light.end_of_itself, f"{light} ends, for it was removed")
            self.assertEqual(code, 69, light.log_tail())


class WrongKindTest(unittest.TestCase):
    def test_a_light_member_that_is_configured_as_a_full_one_ends_and_says_why(self):
        with LightCluster() as cluster:
            light, _ = cluster.join_light(**{"node.light": "false"})
            light.start()
            code = wait_until(light.end_of_itself, f"{light} ends, for it is no full node")
            self.assertEqual(code, EXIT_WRONG_KIND, light.log_tail())
            self.assertIn("node.light", light.log_tail())
            # The other kind of store does not start beside what it has.
            light.set("node.light", "true")
            light.start()
            code = wait_until(light.end_of_itself, f"{light} does not start")
            self.assertEqual(code, EXIT_FAILED, light.log_tail())
            self.assertIn("chain.db", light.log_tail())

    def test_a_full_member_that_is_configured_as_a_light_one_ends_and_says_why(self):
        with LightCluster() as cluster:
            node, _ = cluster.join("d", cluster.invite("d", "observer"))
            node.set("node.light", "true")
            cluster.nodes.append(node)
            node.start()
            code = wait_until(node.end_of_itself, f"{node} ends, for it is no light member")
            self.assertEqual(code, EXIT_WRONG_KIND, node.log_tail())
            self.assertIn("node.light", node.log_tail())


if __name__ == "__main__":
    unittest.main()

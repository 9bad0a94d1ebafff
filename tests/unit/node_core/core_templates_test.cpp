// Templates that peers push: whose are believed, kept and fetched for, and what false ones cost.

#include <doctest/doctest.h>

#include "tests/unit/node_core/catch_up_fixture.h"

using namespace eventchain;
using namespace eventchain::node;
using namespace eventchain::node::testing;
using namespace std::chrono_literals;

namespace {

chain::Template template_at(History& history, std::uint64_t height) {
  const chain::Block block = history.block(height);
  return {block.sealed.header, block.content};
}

// As the voter at that place says that it leads.
net::RaftSaid heartbeat(std::size_t leader, std::uint64_t term) {
  consensus::AppendEntries message;
  message.term = consensus::Term{term};
  message.prev_index = consensus::LogIndex{1};
  message.prev_term = consensus::Term{1};
  message.leader_commit = consensus::LogIndex{1};
  return {{consensus::ServerId{leader + 1}, consensus::ServerId{1}, message}};
}

// The same with so many entries of events that nobody has; what the header promises, it holds.
chain::Template with_unknown_entries(chain::Template made, std::size_t count,
                                     std::uint8_t which = 0) {
  made.content.entries.clear();
  chain::LogTree log;
  for (std::size_t i = 0; i < count; ++i) {
    chain::EntryRef entry;
    entry.commitment.octets = {0xff, which, static_cast<std::uint8_t>(i),
                               static_cast<std::uint8_t>(i >> 8)};
    log.append(chain::log_leaf(entry.commitment));
    made.content.entries.push_back(entry);
  }
  made.header.log_size = count;
  made.header.log_root = log.root();
  return made;
}

// The same with its entry a second time, and a header that promises it: a key has one position.
chain::Template with_entry_twice(chain::Template made) {
  made.content.entries.push_back(made.content.entries[0]);
  chain::LogTree log;
  for (const auto& entry : made.content.entries) log.append(chain::log_leaf(entry.commitment));
  made.header.log_size = log.size();
  made.header.log_root = log.root();
  return made;
}

}  // namespace

TEST_CASE("a false content under a true header is charged to its sender and bars no block") {
  Behind one;
  chain::Template pushed = template_at(one.history, 1);
  bool is_charged = true;
  bool is_proven = false;
  SUBCASE("a certificate proves the block") {
    is_proven = true;
    SUBCASE("no entries") {
      pushed.content.entries.clear();
    }
    SUBCASE("entries that nobody holds") {
      pushed.content.entries[0].commitment.octets[0] ^= 1;
    }
    SUBCASE("another key for an event that is not held") {
      pushed.content.entries[0].key.octets[0] ^= 1;
      is_charged = false;  // it cannot be told from one that is still to come
    }
  }
  SUBCASE("Raft decides it") {
    SUBCASE("no entries") {
      pushed.content.entries.clear();
    }
    SUBCASE("entries that nobody holds") {
      pushed.content.entries[0].commitment.octets[0] ^= 1;
    }
    SUBCASE("another annex") {
      pushed.content.annex.push_back(chain::Rejection{});
    }
    SUBCASE("another key for an event that is held") {
      const auto held = event("a0", "x", 1);
      one.said(2, net::Events{1, {{held.salt, held.body}}});
      pushed.content.entries[0].key.octets[0] ^= 1;
    }
    SUBCASE("another key for an event that is not held") {
      pushed.content.entries[0].key.octets[0] ^= 1;
      is_charged = false;
    }
  }
  one.said(1, net::TemplatePush{pushed});
  if (is_charged) CHECK(one.hung_up == std::vector{voter_id(1)});
  if (is_proven) {
    one.ask(2, 3);
    one.said(2, one.reply(1, 3));
    CHECK(one.height() == 3);
  } else {
    one.said(2, heartbeat(2, 2));
    one.said(2, net::TemplatePush{template_at(one.history, 1)});
    one.decide(2, 2, 2, {one.history.sealed(1)});
    CHECK(one.height() == 1);
  }
  CHECK(one.errors == 0);
}

TEST_CASE("a false content is not handed on") {
  Behind one;
  auto pushed = template_at(one.history, 2);  // its parent is not here, so nothing tells it yet
  pushed.content.entries.clear();
  one.said(1, net::TemplatePush{pushed});
  one.said(2, net::TemplateRequest{chain::template_hash(pushed.header), chain::Height{2}});
  CHECK(one.templates.empty());
}

TEST_CASE("the leader's content stays in hand whatever others answer") {
  Behind one;
  one.sends_bodies = false;
  one.said(2, heartbeat(2, 2));
  const auto real = template_at(one.history, 1);
  auto forged = real;
  forged.content.entries[0].key.octets[0] ^= 1;
  SUBCASE("it came first") {
    one.said(2, net::TemplatePush{real});
    one.said(1, net::TemplatePush{forged});
  }
  SUBCASE("it came last") {
    one.said(1, net::TemplatePush{forged});
    one.said(2, net::TemplatePush{real});
  }
  one.sends_bodies = true;
  for (int i = 0; i < 3; ++i) one.pass(300ms);
  CHECK(one.voter.core->status().in_work == real.header);
}

TEST_CASE("templates of others take no room from the leader's") {
  Behind one;
  one.said(2, heartbeat(2, 2));
  const auto real = template_at(one.history, 1);
  for (std::uint8_t i = 0; i < 40; ++i)
    one.said(1, net::TemplatePush{with_unknown_entries(real, 3, i)});
  one.said(2, net::TemplatePush{real});
  CHECK(one.voter.core->status().in_work == real.header);
  CHECK(one.template_requests == 0);
  CHECK(one.hung_up.empty());
}

TEST_CASE("what was asked for is taken however much others have pushed") {
  Behind one;
  one.said(2, heartbeat(2, 2));
  for (std::uint8_t i = 0; i < 40; ++i)
    one.said(1, net::TemplatePush{with_unknown_entries(template_at(one.history, 1), 3, i)});
  // The fixture answers what is asked of the leader.
  one.decide(2, 2, 4, {one.history.sealed(1), one.history.sealed(2), one.history.sealed(3)});
  CHECK(one.height() == 3);
  CHECK(one.template_requests == 3);
}

TEST_CASE("a wish for a template is fulfilled by who was asked, whoever else pushes that header") {
  Behind one;
  one.sends_bodies = false;
  one.answers_templates = false;
  one.said(2, heartbeat(2, 2));
  // Of a block that is still to come, so that nobody can tell yet that its content is another.
  one.decide(2, 2, 4, {one.history.sealed(1), one.history.sealed(2)});
  REQUIRE(one.template_requests == 2);
  auto forged = template_at(one.history, 2);
  forged.content.entries.clear();
  one.said(1, net::TemplatePush{forged});
  for (int i = 0; i < 20; ++i) {
    one.said(2, heartbeat(2, 2));
    one.pass(100ms);
  }
  CHECK(one.template_requests == 4);  // both are asked for again
  one.said(2, net::TemplatePush{template_at(one.history, 1)});
  one.said(2, net::TemplatePush{template_at(one.history, 2)});
  one.sends_bodies = true;
  for (int i = 0; i < 3; ++i) one.pass(300ms);
  CHECK(one.height() == 2);
}

TEST_CASE("a template whose header breaks a rule costs its sender the link") {
  Behind one;
  auto pushed = template_at(one.history, 1);
  SUBCASE("its target") {
    pushed.header.share_target.bits -= 1;
  }
  SUBCASE("its history") {
    pushed.header.history_root.octets[0] ^= 1;
  }
  one.said(1, net::TemplatePush{pushed});
  CHECK(one.hung_up == std::vector{voter_id(1)});
  CHECK(one.event_requests == 0);
}

TEST_CASE("a template whose content breaks a rule costs its sender the link") {
  Behind one;
  const auto bad = with_entry_twice(template_at(one.history, 1));
  std::size_t liar = 1;
  SUBCASE("somebody hands it on") {
    one.said(liar, net::TemplatePush{bad});
  }
  SUBCASE("the leader made it") {
    liar = 2;
    one.said(liar, heartbeat(liar, 2));
    one.said(liar, net::TemplatePush{bad});
  }
  SUBCASE("a block ahead of its time") {
    auto ahead = with_entry_twice(template_at(one.history, 2));
    chain::LogTree log;
    for (const auto& entry : template_at(one.history, 1).content.entries)
      log.append(chain::log_leaf(entry.commitment));
    for (const auto& entry : ahead.content.entries) log.append(chain::log_leaf(entry.commitment));
    ahead.header.log_size = log.size();
    ahead.header.log_root = log.root();
    one.said(liar, net::TemplatePush{ahead});
    CHECK(one.hung_up.empty());
    one.ask(2, 1);
    one.said(2, one.reply(1, 1));
    REQUIRE(one.height() == 1);
  }
  CHECK(one.hung_up == std::vector{voter_id(liar)});
  CHECK(one.errors == 1);
}

TEST_CASE("a decision that breaks a rule costs the leader that made it the link") {
  Behind one;
  auto bad = one.history.sealed(1);
  bad.seal.sealed_at.value = bad.header.time.value - 1;
  one.said(2, heartbeat(2, 2));
  one.said(2, net::TemplatePush{template_at(one.history, 1)});
  SUBCASE("its own") {
    one.decide(2, 2, 2, {bad});
    CHECK(one.hung_up == std::vector{voter_id(2)});
  }
  SUBCASE("the first that is heard of it") {
    one.decide(1, 3, 2, {bad});
    CHECK(one.hung_up == std::vector{voter_id(1)});
  }
  SUBCASE("a leader before it made it, and may have had it let into its log") {
    consensus::AppendEntries message;
    message.term = consensus::Term{3};
    message.prev_index = consensus::LogIndex{1};
    message.prev_term = consensus::Term{1};
    message.leader_commit = consensus::LogIndex{1};
    message.entries.push_back(
        {consensus::Term{2}, consensus::EntryKind::kCommand, consensus::encode_decision(bad)});
    one.said(1, net::RaftSaid{{consensus::ServerId{2}, consensus::ServerId{1}, message}});
    CHECK(one.hung_up.empty());
  }
  CHECK(one.errors == 1);
  CHECK(one.height() == 0);
  // The template was good, and so is a block that is sealed rightly.
  const std::size_t next = one.hung_up == std::vector{voter_id(1)} ? 2 : 1;
  one.decide(next, 4, 2, {one.history.sealed(1)});
  CHECK(one.height() == 1);
}

TEST_CASE("a template of a sender on another tip is passed over") {
  Behind one;
  auto pushed = template_at(one.history, 1);
  pushed.header.parent.octets[0] ^= 1;
  one.said(1, net::TemplatePush{pushed});
  CHECK(one.hung_up.empty());
  CHECK(one.errors == 0);
  CHECK(one.event_requests == 0);
}

TEST_CASE("bodies are not asked for any more once nothing needs them") {
  Behind one;
  one.sends_bodies = false;
  const auto forged = with_unknown_entries(template_at(one.history, 1), 1000);
  one.said(1, net::TemplatePush{forged});
  CHECK(one.event_requests > 0);
  one.sends_bodies = true;
  SUBCASE("the tip has moved") {
    one.ask(2, 3);
    one.said(2, one.reply(1, 3));
    REQUIRE(one.height() == 3);
  }
  SUBCASE("the leader's template has come") {
    one.said(2, heartbeat(2, 2));
    one.said(2, net::TemplatePush{template_at(one.history, 1)});
    REQUIRE(one.voter.core->status().in_work == template_at(one.history, 1).header);
  }
  one.event_requests = 0;
  for (int i = 0; i < 600; ++i) {
    one.said(2, heartbeat(2, 2));
    one.pass(100ms);
  }
  CHECK(one.event_requests == 0);
}

TEST_CASE("who follows a leader fetches nothing for the templates of others") {
  Behind one;
  one.said(2, heartbeat(2, 2));
  one.said(1, net::TemplatePush{with_unknown_entries(template_at(one.history, 1), 1000)});
  one.pass(1s);
  CHECK(one.event_requests == 0);
  one.said(2, net::TemplatePush{template_at(one.history, 1)});
  CHECK(one.event_requests == 1);
  CHECK(one.voter.core->status().in_work == template_at(one.history, 1).header);
}

TEST_CASE("templates that replace one another leave nothing to be fetched for") {
  // No voter, and no leader known to it.
  Behind one(true, voter_id(7));
  one.sends_bodies = false;
  for (std::uint8_t i = 0; i < 20; ++i) {
    auto forged = with_unknown_entries(template_at(one.history, 1), 1000, i);
    one.said(1, net::TemplatePush{forged});
  }
  one.asked_for.clear();
  for (int i = 0; i < 50; ++i) one.pass(100ms);
  CHECK(one.asked_for.size() == 1000);
}

TEST_CASE("a decision that waits at the gate has its bodies asked for, whoever pushes meanwhile") {
  Behind one;
  one.sends_bodies = false;
  one.said(2, heartbeat(2, 2));
  one.decide(2, 2, 2, {one.history.sealed(1)});
  one.said(2, net::TemplatePush{with_unknown_entries(template_at(one.history, 1), 10)});
  one.said(1, net::TemplatePush{with_unknown_entries(template_at(one.history, 1), 10, 7)});
  one.sends_bodies = true;
  for (int i = 0; i < 3; ++i) one.pass(300ms);
  CHECK(one.height() == 1);
}

#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "consensus/decision.h"
#include "node/catch_up.h"
#include "tests/sim/signing.h"
#include "tests/unit/node_core/voter_fixture.h"

namespace eventchain::node::testing {

// What the other voters have committed: blocks of one event each. `name` tells histories apart.
struct History {
  explicit History(const std::string& name, std::size_t blocks = 3) {
    for (std::size_t i = 0; i < blocks; ++i) {
      ledger.hold(event(name + std::to_string(i), "x", 1), Origin::kClient);
      ledger.commit();
    }
  }
  chain::Block block(std::uint64_t height) { return *ledger.ledger.block(chain::Height{height}); }
  chain::SealedHeader sealed(std::uint64_t height) { return block(height).sealed; }

  LoneLedger ledger{3};
};

// The signatures of the voters at these places.
inline chain::Certificate certificate(const chain::SealedHeader& sealed,
                                      const std::vector<std::size_t>& voters) {
  const auto statement = chain::certified_statement(sealed.header, chain::block_id(sealed));
  chain::Certificate made;
  for (const std::size_t voter : voters)
    made.push_back({chain::Slot{static_cast<std::uint16_t>(voter)},
                    sim::Signing(voter_key(voter)).sign(statement)});
  return made;
}

// A voter to which the test speaks for both others.
struct Behind {
  explicit Behind(bool has_key = true, chain::NodeId self = voter_id(0), std::size_t blocks = 3)
      : history("a", blocks), voter(has_key ? &signing : nullptr, self) {}

  net::BlocksReply reply(std::uint64_t from, std::uint64_t to,
                         const std::vector<std::size_t>& signers = {1, 2}) {
    net::BlocksReply made{chain::Height{from}, {}, {}};
    for (std::uint64_t height = from; height <= to; ++height)
      made.blocks.push_back(history.block(height));
    made.certificate = certificate(made.blocks.back().sealed, signers);
    return made;
  }
  // Ends the turn. Bodies that are asked for come at once, if they come.
  void end_turn() {
    for (bool has_answered = true; has_answered;) {
      has_answered = false;
      for (const auto& effect : voter.end_turn()) {
        if (const auto* hang_up = std::get_if<HangUp>(&effect)) hung_up.push_back(hang_up->peer);
        if (const auto* notice = std::get_if<Notice>(&effect))
          errors += notice->level == Notice::Level::kError ? 1 : 0;
        if (const auto* found = std::get_if<Evidence>(&effect)) evidence.push_back(*found);
        const auto* send = std::get_if<Send>(&effect);
        if (send == nullptr) continue;
        if (const auto* request = std::get_if<net::BlocksRequest>(&send->message))
          requests.push_back({send->to.at(0), *request});
        if (const auto* reply = std::get_if<net::BlocksReply>(&send->message))
          served.push_back(*reply);
        if (const auto* request = std::get_if<net::TemplateRequest>(&send->message))
          has_answered = (answers_templates && give_template(*request)) || has_answered;
        if (const auto* pushed = std::get_if<net::TemplatePush>(&send->message))
          templates.push_back(pushed->made);
        if (std::holds_alternative<net::TemplateRequest>(send->message)) ++template_requests;
        if (const auto* request = std::get_if<net::EventsRequest>(&send->message)) {
          ++event_requests;
          for (const auto& entry : request->entries) asked_for.insert(entry.commitment);
        }
        if (const auto* request = std::get_if<net::EventsRequest>(&send->message))
          has_answered = (sends_bodies && give_bodies(*request)) || has_answered;
      }
    }
  }
  bool give_template(const net::TemplateRequest& request) {
    const auto block = history.block(request.height.value);
    if (chain::template_hash(block.sealed.header) != request.hash) return false;
    voter.said(2, net::TemplatePush{{block.sealed.header, block.content}});
    return true;
  }
  bool give_bodies(const net::EventsRequest& request) {
    net::Events bodies;
    for (const auto& entry : request.entries)
      if (auto held = history.ledger.ledger.load(entry))
        bodies.events.push_back({held->salt, held->body});
    if (bodies.events.empty()) return false;
    voter.said(2, std::move(bodies));
    return true;
  }
  void said(std::size_t peer, net::Message message) {
    voter.said(peer, std::move(message));
    end_turn();
  }
  void tip_said(std::size_t peer, std::uint64_t height) {
    said(peer, net::TipSaid{chain::Height{height}, {}});
  }
  void pass(std::chrono::milliseconds span) {
    voter.now.steady = voter.now.steady + span;
    voter.core->handle(voter.now, Woke{});
    end_turn();
  }
  // A leader's decisions, from log index 2 on, and how far they are committed.
  void decide(std::size_t leader, std::uint64_t term, std::uint64_t commit,
              const std::vector<chain::SealedHeader>& decisions) {
    consensus::AppendEntries message;
    message.term = consensus::Term{term};
    message.prev_index = consensus::LogIndex{1};
    message.prev_term = consensus::Term{1};
    message.leader_commit = consensus::LogIndex{commit};
    for (const auto& sealed : decisions)
      message.entries.push_back(
          {message.term, consensus::EntryKind::kCommand, consensus::encode_decision(sealed)});
    said(leader, net::RaftSaid{{consensus::ServerId{leader + 1}, consensus::ServerId{1}, message}});
  }
  // A leader's snapshot that stands for the blocks up to this one.
  void offer_snapshot(std::size_t leader, std::uint64_t height) {
    consensus::InstallSnapshot message;
    message.term = consensus::Term{2};
    message.snapshot.meta = {consensus::LogIndex{height + 1}, message.term,
                             first_configuration(easy_genesis(3)), consensus::LogIndex{1}};
    message.snapshot.bytes = consensus::encode_chain_point(
        {chain::Height{height}, chain::block_id(history.sealed(height))});
    said(leader, net::RaftSaid{{consensus::ServerId{leader + 1}, consensus::ServerId{1}, message}});
  }
  // Asks, as soon as it may, for what the peer claims to have.
  void ask(std::size_t peer, std::uint64_t height) {
    tip_said(peer, height);
    pass(CatchUp::kGrace);
  }
  [[nodiscard]] std::uint64_t height() const { return voter.core->chain_state().height().value; }

  struct Request {
    chain::NodeId to;
    net::BlocksRequest what;
  };
  History history;
  sim::Signing signing{easy_genesis(3).voters[0].signing_key};
  Voter voter;
  bool sends_bodies = true;
  bool answers_templates = true;
  std::vector<Request> requests;
  std::vector<net::BlocksReply> served;
  std::vector<chain::Template> templates;  // that it sent
  std::size_t template_requests = 0;
  std::size_t event_requests = 0;
  std::set<chain::Commitment> asked_for;
  std::vector<chain::NodeId> hung_up;
  std::vector<Evidence> evidence;
  int errors = 0;
};

}  // namespace eventchain::node::testing

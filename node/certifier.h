#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "chain/certificate.h"
#include "node/members.h"
#include "node/outbox.h"
#include "store/chain_store.h"

namespace eventchain::node {

// Makes blocks *final*: each voter signs what it has applied, and the signatures of a majority are
// the block's certificate, which anybody can check who knows the members' keys. A certificate
// covers all blocks below its own, because each names its parent.
//
// A signature is made in the turn that applies the block and leaves once that turn is durable, so
// no voter signs what a crash could take back. Signing again gives the same signature. Signatures
// travel from voter to voter and are kept; whoever hears of fewer than a majority, and has one,
// answers with it. So fewer, or none, is also how a node asks that missed them: somebody without a
// vote may have been sent them when it did not know yet whose they were. Once the tip has its
// certificate, this goes to the linked nodes that do not vote and have not shown it themselves; so
// it spreads from node to node, and over each link once each way at most. Owned by the node's core;
// without a key (`signing` null) it does nothing.
//
// Memory: the newest kOpenMax blocks applied in this run, those that changed the members and lack a
// certificate, what each peer told of kEarlyMax blocks that are not applied here yet, and a height
// for each peer.
class Certifier {
 public:
  Certifier(const Members& members, Outbox& outbox, store::ChainStore& store,
            chain::Signing* signing)
      : members_(members), outbox_(outbox), store_(store), signing_(signing) {}

  struct Committed {
    chain::SealedHeader sealed;
    chain::BlockId id;
    chain::MembersRef before;        // the set that its header names
    chain::MembersRef after;         // the set in force after it, `before` itself if it is the same
    chain::Certificate certificate;  // that came with it
  };
  // The block is applied, in this turn or before. A start tells of the highest certified block and
  // of the tip; stored signatures are verified again, and so are those that came with the block.
  void applied(const Committed& block);
  // Sends what this turn has signed or completed. Call at the end of a step.
  void follow_up();
  void peer_up(const chain::NodeId& peer);
  void peer_down(const chain::NodeId& peer) {
    shown_.erase(peer);
    early_.erase(peer);
  }
  // What is wrong with it, for the log; empty if nothing is.
  std::string said(const chain::NodeId& peer, const net::Signatures& message);
  // Tells everybody again what the tip still lacks; every few seconds.
  void repeat();

  // The certificate of an applied block, verified; empty if there is none, or no key to tell.
  [[nodiscard]] chain::Certificate certificate_of(const chain::SealedHeader& sealed,
                                                  const chain::BlockId& id) const;
  // Those that are held, sound ones; fewer than a majority while the block is new.
  [[nodiscard]] chain::Certificate signatures_on_tip() const;
  // Whether this is the certificate of a block, which need not be held here. Without a key it
  // cannot be told, and nothing proves anything.
  [[nodiscard]] bool is_proof(const chain::MemberSet& before, const chain::MemberSet& after,
                              const chain::SealedHeader& sealed, const chain::BlockId& id,
                              const chain::Certificate& certificate) const;
  [[nodiscard]] bool can_verify() const { return signing_ != nullptr; }

  // The highest block with a certificate; all below are final too.
  [[nodiscard]] chain::Height certified() const { return certified_; }

 private:
  static constexpr std::size_t kOpenMax = 64;
  static constexpr std::size_t kEarlyMax = 4;

  struct Open {
    chain::BlockId id;
    chain::MembersRef before;  // whose voters' signatures count, here and
    chain::MembersRef after;
    chain::Bytes statement;
    std::map<chain::Slot, chain::Signature> signatures;
    bool is_passed_on = false;  // complete, to those that do not vote
  };
  struct Early {
    chain::BlockId id;
    std::map<chain::Slot, chain::Signature> signatures;
  };

  [[nodiscard]] net::Signatures message_of(chain::Height height, const Open& open) const;
  [[nodiscard]] static chain::Certificate signatures_of(const Open& open);
  [[nodiscard]] static bool is_complete(const Open& open) {
    return chain::is_certified(signatures_of(open), *open.before, *open.after);
  }
  void tell(chain::Height height);
  void close_old();
  void pass_on();
  [[nodiscard]] bool holds(const chain::MemberSet& before, const chain::MemberSet& after,
                           chain::ByteView statement, const chain::SlotSignature& one) const;
  // False, and it is not taken, if its member's key did not make it. The first of a slot stays.
  bool take(chain::Height height, Open& open, const chain::SlotSignature& one);
  void note_quorum(chain::Height height, const Open& open);
  static void keep_early(std::map<chain::Height, Early>& of_peer, const net::Signatures& message);

  const Members& members_;
  Outbox& outbox_;
  store::ChainStore& store_;
  chain::Signing* const signing_;
  chain::Height certified_;
  chain::Height tip_;
  std::map<chain::Height, Open> open_;
  // By who told them: what cannot be verified yet takes nobody else's place.
  std::map<chain::NodeId, std::map<chain::Height, Early>> early_;
  std::vector<chain::Height> untold_;             // signed in this step
  std::map<chain::NodeId, chain::Height> shown_;  // certificates that peers seem to have
};

}  // namespace eventchain::node

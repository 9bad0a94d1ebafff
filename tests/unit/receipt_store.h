#pragma once

#include <map>

#include "store/chain_store.h"
#include "tests/unit/receipt_chain.h"

namespace receipt_test {

namespace store = eventchain::store;

// The blocks and signatures of a chain of receipts, as a node would have stored them.
inline void write_chain(store::Store& to, const ReceiptChain& chain) {
  std::map<StreamKey, StreamVersion> versions;
  for (const MadeBlock& made : chain.blocks) {
    store::BlockApplication application;
    application.block = made.block;
    application.id = made.id;
    application.first_position = made.first_position;
    to.turns().begin();
    for (const HeldEvent& event : made.events) {
      to.chain().put_event(event);
      StreamVersion& version = versions.emplace(event.facts.stream, kEmptyStream).first->second;
      version = version.next();
      application.facts.push_back(event.facts);
      application.versions.push_back(version);
    }
    for (const HeldEvent& event : made.rejected) {
      to.chain().put_event(event);
      application.rejected.push_back(event.facts);
    }
    application.tree_hashes = made.tree_hashes;
    application.history_nodes = made.history_nodes;
    application.log_peaks = made.log_peaks;
    application.history_peaks = made.history_peaks;
    if (made.after != made.before) application.members = made.after;
    application.applied.value = made.block.sealed.header.height.value;
    to.chain().apply_block(application);
    for (const SlotSignature& one : made.certificate)
      to.chain().put_signature(made.block.sealed.header.height, one);
    to.turns().commit();
  }
}

}  // namespace receipt_test

#include <doctest/doctest.h>

#include <functional>

#include "tests/unit/receipt_chain.h"

// Every field of every receipt is changed, one at a time, and every change must be caught.
using namespace receipt_test;

namespace {

using Mutation = std::function<void(Receipt&)>;
using Mutations = std::vector<Mutation>;

// How to get at a field of a receipt.
template <class Field>
using Access = std::function<Field&(Receipt&)>;

template <class Kind>
void flip_octets(Mutations& to, const Access<Kind>& field) {
  for (std::size_t octet = 0; octet < Kind::kSize; ++octet)
    to.push_back([field, octet](Receipt& receipt) { field(receipt).octets[octet] ^= 0x10; });
}

template <class Integer>
void change_number(Mutations& to, const Access<Integer>& field) {
  to.push_back([field](Receipt& receipt) { ++field(receipt); });
  to.push_back([field](Receipt& receipt) { --field(receipt); });
  to.push_back(
      [field](Receipt& receipt) { field(receipt) = static_cast<Integer>(~field(receipt)); });
}

template <class Kind, class From>
Access<Kind> field_of(const Access<From>& from, Kind From::*member) {
  return [from, member](Receipt& receipt) -> Kind& { return from(receipt).*member; };
}
template <class Rep, class Kind, class From>
Access<Rep> value_of(const Access<From>& from, Kind From::*member) {
  return [from, member](Receipt& receipt) -> Rep& { return (from(receipt).*member).value; };
}

void change_header(Mutations& to, const Access<TemplateHeader>& header) {
  flip_octets(to, field_of(header, &TemplateHeader::chain));
  change_number(to, value_of<std::uint64_t>(header, &TemplateHeader::height));
  flip_octets(to, field_of(header, &TemplateHeader::parent));
  change_number(to, field_of(header, &TemplateHeader::log_size));
  flip_octets(to, field_of(header, &TemplateHeader::log_root));
  flip_octets(to, field_of(header, &TemplateHeader::history_root));
  flip_octets(to, field_of(header, &TemplateHeader::annex_root));
  change_number(to, value_of<std::int64_t>(header, &TemplateHeader::started));
  change_number(to, value_of<std::int64_t>(header, &TemplateHeader::time));
  to.push_back([header](Receipt& receipt) { --header(receipt).share_target.bits; });
  change_number(to, field_of(header, &TemplateHeader::share_count));
  flip_octets(to, field_of(header, &TemplateHeader::member_set));
}

void change_sealed(Mutations& to, const Access<SealedHeader>& sealed, std::size_t shares) {
  change_header(to, field_of(sealed, &SealedHeader::header));
  const Access<Seal> seal = field_of(sealed, &SealedHeader::seal);
  change_number(to, value_of<std::int64_t>(seal, &Seal::sealed_at));
  for (std::size_t i = 0; i < shares; ++i) {
    const Access<Nonce> nonce = [seal, i](Receipt& receipt) -> Nonce& {
      return seal(receipt).shares[i];
    };
    change_number(to, field_of(nonce, &Nonce::high));
    change_number(to, field_of(nonce, &Nonce::low));
    to.push_back([seal, i](Receipt& receipt) {
      auto& all = seal(receipt).shares;
      all.erase(all.begin() + static_cast<std::ptrdiff_t>(i));
    });
  }
}

void change_certificate(Mutations& to, const Access<Certificate>& certificate, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) {
    const Access<SlotSignature> one = [certificate, i](Receipt& receipt) -> SlotSignature& {
      return certificate(receipt)[i];
    };
    change_number(to, value_of<std::uint16_t>(one, &SlotSignature::slot));
    flip_octets(to, field_of(one, &SlotSignature::signature));
  }
}

template <class Item, class Change>
void change_list(Mutations& to, const Access<std::vector<Item>>& list, std::size_t size,
                 Change change_item) {
  for (std::size_t i = 0; i < size; ++i) {
    change_item(Access<Item>([list, i](Receipt& receipt) -> Item& { return list(receipt)[i]; }));
    to.push_back([list, i](Receipt& receipt) {
      list(receipt).erase(list(receipt).begin() + static_cast<std::ptrdiff_t>(i));
    });
    to.push_back([list, i](Receipt& receipt) {
      const Item twin = list(receipt)[i];
      list(receipt).insert(list(receipt).begin() + static_cast<std::ptrdiff_t>(i), twin);
    });
  }
}

void change_place(Mutations& to, const ReceiptEntry& was) {
  const Access<ReceiptEntry> entry = [](Receipt& receipt) -> ReceiptEntry& {
    return std::get<ReceiptEntry>(receipt.what);
  };
  flip_octets(to, field_of(entry, &ReceiptEntry::commitment));
  change_number(to, value_of<std::uint64_t>(entry, &ReceiptEntry::position));
  change_list(to, field_of(entry, &ReceiptEntry::path), was.path.size(),
              [&](const Access<Hash>& hash) { flip_octets(to, hash); });
}

void change_place(Mutations& to, const ReceiptRejection& was) {
  const Access<ReceiptRejection> rejected = [](Receipt& receipt) -> ReceiptRejection& {
    return std::get<ReceiptRejection>(receipt.what);
  };
  const Access<Rejection> rejection = field_of(rejected, &ReceiptRejection::rejection);
  flip_octets(to, field_of(rejection, &Rejection::commitment));
  flip_octets(to, field_of(rejection, &Rejection::key));
  change_number(to, value_of<std::int64_t>(rejection, &Rejection::stream_version));
  to.push_back([rejection](Receipt& receipt) {
    RejectionReason& reason = rejection(receipt).reason;
    reason = reason == RejectionReason::kKeyTaken ? RejectionReason::kVersionConflict
                                                  : RejectionReason::kKeyTaken;
  });
  change_list(to, field_of(rejected, &ReceiptRejection::path), was.path.size(),
              [&](const Access<AnnexSibling>& sibling) {
                flip_octets(to, field_of(sibling, &AnnexSibling::hash));
                to.push_back([sibling](Receipt& receipt) {
                  AnnexSibling::Side& side = sibling(receipt).side;
                  side = side == AnnexSibling::Side::kLeft ? AnnexSibling::Side::kRight
                                                           : AnnexSibling::Side::kLeft;
                });
              });
}

void change_place(Mutations&, const ReceiptBlock&) {}

void change_newer(Mutations& to, const NewerBlock& was) {
  to.push_back([](Receipt& receipt) { receipt.newer.reset(); });
  const Access<NewerBlock> newer = [](Receipt& receipt) -> NewerBlock& { return *receipt.newer; };
  change_sealed(to, field_of(newer, &NewerBlock::sealed), was.sealed.seal.shares.size());
  change_list(to, field_of(newer, &NewerBlock::path), was.path.size(),
              [&](const Access<HistoryNode>& node) {
                flip_octets(to, field_of(node, &HistoryNode::hash));
                to.push_back([node](Receipt& receipt) {
                  node(receipt).work = node(receipt).work + U256(1);
                });
                change_number(to, field_of(node, &HistoryNode::blocks));
                change_number(to, value_of<std::int64_t>(node, &HistoryNode::first_time));
                change_number(to, value_of<std::int64_t>(node, &HistoryNode::last_time));
              });
}

// Octet by octet in its canonical form, as far as that decodes at all.
void change_member_set(Mutations& to, const MembersRef& was, std::size_t place) {
  Bytes encoded = encode_member_set(*was);
  for (std::size_t octet = 0; octet < encoded.size(); ++octet) {
    encoded[octet] = static_cast<char>(encoded[octet] ^ 1);
    auto set = decode_member_set(encoded);
    encoded[octet] = static_cast<char>(encoded[octet] ^ 1);
    if (!set) continue;
    auto changed = std::make_shared<const MemberSet>(std::move(*set));
    to.push_back([place, changed](Receipt& receipt) { receipt.member_sets[place] = changed; });
  }
}

void change_annex_item(Mutations& to, const Access<AnnexItem>& item, const AnnexItem& was) {
  Bytes encoded = encode_annex_item(was);
  for (std::size_t octet = 0; octet < encoded.size(); ++octet) {
    encoded[octet] = static_cast<char>(encoded[octet] ^ 2);
    const auto changed = decode_annex_item(encoded);
    encoded[octet] = static_cast<char>(encoded[octet] ^ 2);
    if (changed)
      to.push_back([item, other = *changed](Receipt& receipt) { item(receipt) = other; });
  }
}

void change_voter_steps(Mutations& to, const std::vector<VoterStep>& was) {
  std::size_t at = 0;
  const Access<std::vector<VoterStep>> all = [](Receipt& receipt) -> std::vector<VoterStep>& {
    return receipt.voters;
  };
  change_list(to, all, was.size(), [&](const Access<VoterStep>& step) {
    const VoterStep& now = was[at++];
    change_sealed(to, field_of(step, &VoterStep::sealed), now.sealed.seal.shares.size());
    change_certificate(to, field_of(step, &VoterStep::certificate), now.certificate.size());
    std::size_t place = 0;
    change_list(
        to, field_of(step, &VoterStep::annex), now.annex.size(),
        [&](const Access<AnnexItem>& item) { change_annex_item(to, item, now.annex[place++]); });
  });
}

Mutations mutations_of(const Receipt& receipt) {
  Mutations to;
  flip_octets<ChainId>(to, [](Receipt& it) -> ChainId& { return it.chain; });
  if (receipt.shown) flip_octets<Salt>(to, [](Receipt& it) -> Salt& { return it.shown->salt; });
  for (std::size_t octet = 0; receipt.shown && octet < receipt.shown->body.size(); ++octet)
    to.push_back([octet](Receipt& it) {
      it.shown->body[octet] = static_cast<char>(it.shown->body[octet] ^ 4);
    });
  std::visit([&to](const auto& place) { change_place(to, place); }, receipt.what);
  change_sealed(
      to, [](Receipt& it) -> SealedHeader& { return it.block; }, receipt.block.seal.shares.size());
  if (receipt.newer) change_newer(to, *receipt.newer);
  change_certificate(
      to, [](Receipt& it) -> Certificate& { return it.certificate; }, receipt.certificate.size());
  change_voter_steps(to, receipt.voters);
  for (std::size_t i = 0; i < receipt.member_sets.size(); ++i) {
    change_member_set(to, receipt.member_sets[i], i);
    to.push_back([i](Receipt& it) {
      it.member_sets.erase(it.member_sets.begin() + static_cast<std::ptrdiff_t>(i));
    });
    to.push_back([i](Receipt& it) { it.member_sets.push_back(it.member_sets[i]); });
  }
  return to;
}

}  // namespace

TEST_CASE("every field of every receipt that is changed is caught") {
  const ReceiptChain chain = receipt_chain();
  const ReceiptTrust trust{chain.state.genesis, nullptr, std::nullopt};
  std::size_t tried = 0;
  for (const Receipt& receipt : chain.all()) {
    const Mutations mutations = mutations_of(receipt);
    for (std::size_t i = 0; i < mutations.size(); ++i) {
      Receipt changed = receipt;
      mutations[i](changed);
      ++tried;
      if (!verify_receipt(changed, trust).is_proved()) continue;
      FAIL_CHECK("change ", i, " of ", mutations.size(), " to a receipt of block ",
                 receipt.block.header.height.value, " was not caught");
    }
  }
  REQUIRE(tried > 40'000);
}

#pragma once

#include <fmt/format.h>

#include <boost/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "chain/receipt.h"

// The kinds of values that receipts are made of, read from JSON that anybody may have written. Each
// is told where it stands, and the first thing that is wrong is an error that names the place.
namespace eventchain::node::api {

template <class T>
tl::unexpected<chain::Error> passed_on(const chain::Result<T>& failed) {
  return tl::unexpected<chain::Error>(failed.error());
}

// Each item read by `read`; the error names the member.
template <class Item, class Read>
chain::Result<std::vector<Item>> read_list(const boost::json::value& value,
                                           const std::string& where, std::size_t max, Read read) {
  const boost::json::array* list = value.if_array();
  if (list == nullptr) return chain::fail(chain::ErrorCode::kMalformed, where + " must be a list");
  if (list->size() > max)
    return chain::fail(chain::ErrorCode::kTooLarge,
                       fmt::format("{} has {} items, the most are {}", where, list->size(), max));
  std::vector<Item> items;
  items.reserve(list->size());
  for (std::size_t i = 0; i < list->size(); ++i) {
    chain::Result<Item> item = read((*list)[i], fmt::format("{}[{}]", where, i));
    if (!item) return passed_on(item);
    items.push_back(std::move(*item));
  }
  return items;
}

chain::Result<chain::SealedHeader> read_block(const boost::json::value& value,
                                              const std::string& where,
                                              const chain::ChainId& chain);
chain::Result<chain::Certificate> read_certificate(const boost::json::value& value,
                                                   const std::string& where);
chain::Result<chain::ShownBody> read_event(const boost::json::value& value,
                                           const std::string& where);
chain::Result<chain::ReceiptEntry> read_entry(const boost::json::value& value,
                                              const std::string& where);
chain::Result<chain::ReceiptRejection> read_rejection(const boost::json::value& value,
                                                      const std::string& where);
chain::Result<chain::NewerBlock> read_newer(const boost::json::value& value,
                                            const std::string& where, const chain::ChainId& chain);
chain::Result<chain::VoterStep> read_voter_step(const boost::json::value& value,
                                                const std::string& where,
                                                const chain::ChainId& chain);
chain::Result<chain::MembersRef> read_member_set(const boost::json::value& value,
                                                 const std::string& where);
chain::Result<chain::LogConsistency> read_consistency(const boost::json::value& value,
                                                      const std::string& where);
// The whole, whatever kind it is of.
chain::Result<chain::Receipt> read_receipt(const boost::json::value& root,
                                           const std::string& where);

}  // namespace eventchain::node::api

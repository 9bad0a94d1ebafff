#include "node/api/work_proof_json.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <utility>

#include "chain/base64.h"
#include "node/api/json_object.h"
#include "node/api/json_text.h"
#include "node/api/receipt_json.h"
#include "node/api/receipt_json_parts.h"

namespace eventchain::node::api {

namespace {

namespace json = boost::json;
using chain::ErrorCode;
using chain::fail;
using chain::Result;

// More than fit into a file of the greatest size.
constexpr std::size_t kItemsMax = kWorkProofBytesMax / 100;

// A canonical encoding in base64, decoded by `decode`.
template <class Decode>
auto read_encoded(const json::value& value, const std::string& where, Decode decode)
    -> decltype(decode(chain::Bytes())) {
  const json::string* text = value.if_string();
  const auto octets =
      text != nullptr ? chain::from_base64({text->data(), text->size()}) : std::nullopt;
  if (!octets) return fail(ErrorCode::kMalformed, where + " must be base64 (RFC 4648, section 4)");
  auto item = decode(*octets);
  if (!item) return fail(ErrorCode::kMalformed, where + ": " + item.error().message);
  return item;
}

Result<chain::WorkSampling> read_sampling(const json::value& value) {
  JsonObject object(value, "work proof.sampling");
  chain::WorkSampling sampling;
  const auto share = chain::work_share_of(object.integer<std::uint16_t>("percent"));
  if (!share) object.refuse("percent must be 50, 75 or 90");
  sampling.share = share.value_or(chain::WorkShare::kHalf);
  sampling.bits = object.integer<std::uint16_t>("bits");
  sampling.last = object.integer<std::uint16_t>("last");
  if (const auto done = object.finish(); !done) return passed_on(done);
  return sampling;
}

}  // namespace

Result<std::string> format_work_proof(const chain::WorkProof& proof) {
  const auto head = format_receipt(proof.head);
  if (!head) return passed_on(head);
  JsonText out;
  out.open_object()
      .text("format", "eventchain-work-proof")
      .number("version", 1)
      .key("head")
      .raw(*head)
      .key("sampling")
      .open_object()
      .number("percent", chain::percent_of(proof.sampling.share))
      .number("bits", proof.sampling.bits)
      .number("last", proof.sampling.last)
      .close_object()
      .key("blocks")
      .open_array();
  for (const chain::SealedHeader& sealed : proof.blocks)
    out.text(chain::to_base64(chain::encode_sealed_header(sealed)));
  out.close_array().key("nodes").open_array();
  for (const chain::HistoryNode& node : proof.nodes)
    out.text(chain::to_base64(chain::encode_history_node(node)));
  out.close_array().close_object();
  // A file may end with a line feed.
  if (out.size() >= kWorkProofBytesMax)
    return fail(ErrorCode::kTooLarge,
                fmt::format("the work proof has {} octets, more than the {} that are read; ask for "
                            "fewer bits, a smaller part of the work, or fewer of the last blocks",
                            out.size(), kWorkProofBytesMax));
  return out.take();
}

Result<chain::WorkProof> parse_work_proof(std::string_view text) {
  if (text.size() > kWorkProofBytesMax)
    return fail(ErrorCode::kTooLarge,
                fmt::format("work proof: it has {} octets, the most are {}; this is no work proof",
                            text.size(), kWorkProofBytesMax));
  const auto root = parse_json(text);
  if (!root) return fail(ErrorCode::kMalformed, "work proof: " + root.error().message);
  JsonObject object(*root, "work proof");
  if (object.text("format") != "eventchain-work-proof")
    object.refuse("format must be eventchain-work-proof; this file is something else");
  if (object.integer<std::uint32_t>("version") != 1)
    object.refuse("version must be 1; read another with a program that knows it");
  const json::value* head = object.member("head");
  const json::value* sampling = object.member("sampling");
  const json::value* blocks = object.member("blocks");
  const json::value* nodes = object.member("nodes");
  if (const auto done = object.finish(); !done) return passed_on(done);

  auto receipt = read_receipt(*head, "work proof.head");
  if (!receipt) return passed_on(receipt);
  const auto parameters = read_sampling(*sampling);
  if (!parameters) return passed_on(parameters);
  auto shown = read_list<chain::SealedHeader>(
      *blocks, "work proof.blocks", kItemsMax,
      [](const json::value& value, const std::string& where) {
        return read_encoded(value, where, chain::decode_sealed_header);
      });
  if (!shown) return passed_on(shown);
  auto cut =
      read_list<chain::HistoryNode>(*nodes, "work proof.nodes", kItemsMax,
                                    [](const json::value& value, const std::string& where) {
                                      return read_encoded(value, where, chain::decode_history_node);
                                    });
  if (!cut) return passed_on(cut);
  return chain::WorkProof{std::move(*receipt), *parameters, std::move(*shown), std::move(*cut)};
}

}  // namespace eventchain::node::api

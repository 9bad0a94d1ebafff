#include "node/api/evidence_json.h"

#include <fmt/format.h>

#include <boost/json.hpp>

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

constexpr const char* kFormat = "eventchain-evidence";

Result<void> append_part(JsonText& out, const char* name, const chain::EvidencePart& part) {
  if (const auto* known = std::get_if<chain::KnownLog>(&part)) {
    EC_ASSERT(known->head.has_value(), "evidence is signed");
    out.text(name, chain::encode_note(known->head->note));
    return {};
  }
  const auto text = format_receipt(std::get<chain::Receipt>(part));
  if (!text) return passed_on(text);
  out.key(name).raw(*text);
  return {};
}

// An object is a receipt, a string the octets of a checkpoint.
Result<chain::EvidencePart> read_part(const json::value& value, const std::string& where) {
  const json::string* text = value.if_string();
  if (text == nullptr) {
    auto receipt = read_receipt(value, where);
    if (!receipt) return passed_on(receipt);
    return std::move(*receipt);
  }
  auto known = chain::parse_checkpoint({text->data(), text->size()});
  if (!known) return fail(ErrorCode::kMalformed, where + ": " + known.error().message);
  if (!known->head)
    return fail(ErrorCode::kMalformed, where + " is a checkpoint that nobody signed");
  return std::move(*known);
}

}  // namespace

Result<std::string> format_evidence(const chain::Evidence& evidence) {
  JsonText out;
  out.open_object().text("format", kFormat).number("version", 1);
  if (const auto done = append_part(out, "first", evidence.first); !done) return passed_on(done);
  if (const auto done = append_part(out, "second", evidence.second); !done) return passed_on(done);
  out.close_object();
  if (out.size() > kEvidenceBytesMax)
    return fail(ErrorCode::kTooLarge,
                fmt::format("the evidence has {} octets, more than the {} that are read",
                            out.size(), kEvidenceBytesMax));
  return out.take();
}

Result<chain::Evidence> parse_evidence(std::string_view text) {
  if (text.size() > kEvidenceBytesMax)
    return fail(ErrorCode::kTooLarge,
                fmt::format("evidence: it has {} octets, the most are {}; this is no evidence",
                            text.size(), kEvidenceBytesMax));
  const auto root = parse_json(text);
  if (!root) return fail(ErrorCode::kMalformed, "evidence: " + root.error().message);
  JsonObject object(*root, "evidence");
  if (object.text("format") != kFormat)
    object.refuse(fmt::format("format must be {}; this file is something else", kFormat));
  if (object.integer<std::uint32_t>("version") != 1)
    object.refuse("version must be 1; read another with a program that knows it");
  const json::value* first = object.member("first");
  const json::value* second = object.member("second");
  if (first != nullptr && second != nullptr && first->is_string() && !second->is_string())
    object.refuse("first must be the receipt, if second is one");
  if (const auto done = object.finish(); !done) return passed_on(done);
  auto one = read_part(*first, "evidence.first");
  if (!one) return passed_on(one);
  auto other = read_part(*second, "evidence.second");
  if (!other) return passed_on(other);
  return chain::Evidence{std::move(*one), std::move(*other)};
}

}  // namespace eventchain::node::api

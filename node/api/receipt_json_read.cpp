#include <fmt/format.h>

#include <boost/json.hpp>
#include <optional>
#include <utility>

#include "node/api/json_object.h"
#include "node/api/receipt_json.h"
#include "node/api/receipt_json_parts.h"

// Reading a receipt that anybody may have written; the first thing that is wrong ends it.
namespace eventchain::node::api {

namespace {

namespace json = boost::json;
using chain::ErrorCode;
using chain::fail;
using chain::Result;

constexpr std::size_t kVoterStepsMax = 4096;
constexpr std::size_t kMemberSetsMax = kVoterStepsMax + 2;

// The members of the whole, as found; those that may be absent are null then.
struct Parts {
  const json::value* event = nullptr;
  const json::value* entry = nullptr;
  const json::value* rejection = nullptr;
  const json::value* block = nullptr;
  const json::value* newer = nullptr;
  const json::value* certificate = nullptr;
  const json::value* voters = nullptr;
  const json::value* member_sets = nullptr;
  const json::value* consistency = nullptr;
};

Result<Parts> find_parts(const json::value& root, const std::string& where,
                         chain::Receipt& receipt) {
  JsonObject object(root, where);
  const std::string format = object.text("format");
  const bool is_of_block = format == kBlockReceiptFormat;
  if (format != kReceiptFormat && !is_of_block)
    object.refuse(fmt::format("format must be {} or {}; this file is something else",
                              kReceiptFormat, kBlockReceiptFormat));
  if (object.integer<std::uint32_t>("version") != 1)
    object.refuse("version must be 1; read another with a program that knows it");
  receipt.chain = object.hex<chain::ChainId>("chain");
  const auto optional = [&object](const char* name) {
    return object.has(name) ? object.member(name) : nullptr;
  };
  Parts parts;
  // A block's has none of these, so that nothing of an event's becomes one by what is left out.
  if (!is_of_block) {
    parts.event = optional("event");
    parts.entry = optional("entry");
    parts.rejection = optional("rejection");
    if ((parts.entry == nullptr) == (parts.rejection == nullptr))
      object.refuse("must have either entry or rejection");
  }
  parts.block = object.member("block");
  parts.newer = optional("newer");
  parts.certificate = object.member("certificate");
  parts.voters = object.member("voters");
  parts.member_sets = object.member("member_sets");
  parts.consistency = optional("consistency");
  if (const auto done = object.finish(); !done) return passed_on(done);
  return parts;
}

// Moves what was read into its place, or hands on why it could not be.
template <class Place, class Read>
bool take(Place& place, Result<Read> read, std::optional<chain::Error>& error) {
  if (read)
    place = std::move(*read);
  else
    error = std::move(read.error());
  return !error.has_value();
}

bool take_what(chain::Receipt& receipt, const Parts& parts, const std::string& where,
               std::optional<chain::Error>& error) {
  receipt.what = chain::ReceiptBlock{};
  if (parts.entry != nullptr)
    return take(receipt.what, read_entry(*parts.entry, where + ".entry"), error);
  return parts.rejection == nullptr ||
         take(receipt.what, read_rejection(*parts.rejection, where + ".rejection"), error);
}

}  // namespace

Result<chain::Receipt> parse_receipt(std::string_view text) {
  if (text.size() > kReceiptBytesMax)
    return fail(ErrorCode::kTooLarge,
                fmt::format("receipt: it has {} octets, the most are {}; this is no receipt",
                            text.size(), kReceiptBytesMax));
  const auto root = parse_json(text);
  if (!root) return fail(ErrorCode::kMalformed, "receipt: " + root.error().message);
  return read_receipt(*root, "receipt");
}

Result<chain::Receipt> read_receipt(const json::value& root, const std::string& where) {
  chain::Receipt receipt;
  const auto parts = find_parts(root, where, receipt);
  if (!parts) return passed_on(parts);
  const chain::ChainId& chain = receipt.chain;
  std::optional<chain::Error> error;
  const bool is_read =
      (parts->event == nullptr ||
       take(receipt.shown, read_event(*parts->event, where + ".event"), error)) &&
      take_what(receipt, *parts, where, error) &&
      take(receipt.block, read_block(*parts->block, where + ".block", chain), error) &&
      (parts->newer == nullptr ||
       take(receipt.newer, read_newer(*parts->newer, where + ".newer", chain), error)) &&
      take(receipt.certificate, read_certificate(*parts->certificate, where + ".certificate"),
           error) &&
      take(
          receipt.voters,
          read_list<chain::VoterStep>(*parts->voters, where + ".voters", kVoterStepsMax,
                                      [&chain](const json::value& value, const std::string& place) {
                                        return read_voter_step(value, place, chain);
                                      }),
          error) &&
      take(receipt.member_sets,
           read_list<chain::MembersRef>(*parts->member_sets, where + ".member_sets", kMemberSetsMax,
                                        read_member_set),
           error) &&
      (parts->consistency == nullptr ||
       take(receipt.consistency, read_consistency(*parts->consistency, where + ".consistency"),
            error));
  if (!is_read) return tl::unexpected<chain::Error>(std::move(*error));
  return receipt;
}

}  // namespace eventchain::node::api

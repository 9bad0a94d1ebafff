#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "net/codec.h"
#include "net/limits.h"

using namespace eventchain;
using namespace eventchain::net;

namespace {

// Protobuf's wire format by hand: it can say what the generated code would not.
class Wire {
 public:
  Wire& number(std::uint64_t field, std::uint64_t value) {
    varint(field << 3);
    return varint(value);
  }
  Wire& bytes(std::uint64_t field, chain::ByteView value) {
    varint(field << 3 | 2);
    varint(value.size());
    text_.append(value);
    return *this;
  }
  operator chain::ByteView() const { return text_; }  // NOLINT: reads as the octets it stands for

 private:
  Wire& varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) text_.push_back(static_cast<char>((value & 0x7f) | 0x80));
    text_.push_back(static_cast<char>(value));
    return *this;
  }
  chain::Bytes text_;
};

std::string refusal(chain::ByteView frame, chain::ErrorCode code = chain::ErrorCode::kMalformed) {
  const chain::Result<Message> message = decode(frame);
  if (message) return "accepted";
  CHECK(message.error().code == code);
  return message.error().message;
}

// The refusal starts with the path of the field it is about.
void check_refused(const Wire& frame, const std::string& field,
                   chain::ErrorCode code = chain::ErrorCode::kMalformed) {
  const std::string message = refusal(frame, code);
  INFO("expected a refusal of ", field, ", got: ", message);
  CHECK(message.rfind(field, 0) == 0);
}

Wire frame(std::uint64_t kind, const Wire& message) {
  return Wire().bytes(kind, message);
}
Wire raft(std::uint64_t kind, const Wire& message) {
  return frame(2, Wire().number(1, 1).number(2, 2).bytes(kind, message));
}

// As in Signatures and BlocksReply.
std::string signed_by(const std::vector<int>& slots) {
  std::string packed;
  for (const int slot : slots)
    packed += std::string(1, '\0') + static_cast<char>(slot) + std::string(64, 's');
  return packed;
}

const std::string k16(16, 'n');
const std::string k31(31, 'x');
const std::string k32(32, 'h');
constexpr auto kTooLarge = chain::ErrorCode::kTooLarge;

}  // namespace

TEST_CASE("what is no message at all is refused") {
  check_refused(Wire(), "frame");
  check_refused(Wire().number(1, 5), "frame");
  check_refused(Wire().bytes(13, "a kind of tomorrow"), "frame");
  check_refused(Wire().bytes(1, "\xff\xff\xff"), "frame");
  CHECK(refusal(std::string(limits::kFrameBytesMax + 1, '\0'), kTooLarge).rfind("frame", 0) == 0);
}

TEST_CASE("each field of a hello is checked") {
  const auto hello = [](std::uint64_t protocol, const std::string& chain, const std::string& node,
                        const std::string& software, const std::string& store = k16) {
    return frame(1, Wire()
                        .number(1, protocol)
                        .bytes(2, chain)
                        .bytes(3, node)
                        .bytes(4, software)
                        .bytes(5, store));
  };
  CHECK(decode(hello(3, k32, k16, "0.1.0")).has_value());
  check_refused(hello(3, k32, k16, "", ""), "hello.store");
  // Whoever speaks an older protocol has no store to tell, and is refused for the protocol.
  CHECK(decode(hello(2, k32, k16, "", "")).has_value());
  check_refused(hello(0, k32, k16, ""), "hello.protocol");
  check_refused(hello(1, k31, k16, ""), "hello.chain");
  check_refused(hello(1, k32, k32, ""), "hello.node");
  check_refused(hello(1, k32, k16, "line\nbreak"), "hello.software");
  check_refused(hello(1, k32, k16, std::string(65, 'v')), "hello.software", kTooLarge);
  const auto of_level = [](std::uint64_t level) {
    return frame(1, Wire().number(1, 3).bytes(2, k32).bytes(3, k16).bytes(5, k16).number(6, level));
  };
  CHECK(decode(of_level(0xffff)).has_value());
  check_refused(of_level(0x10000), "hello.feature_level");
}

TEST_CASE("each field of the messages about events is checked") {
  const Wire good = Wire().bytes(1, k32).bytes(2, "body");
  CHECK(decode(frame(3, Wire().number(1, 1).bytes(2, good))).has_value());
  check_refused(frame(3, Wire().bytes(2, Wire().bytes(1, k31).bytes(2, "body"))), "events.salt");
  check_refused(frame(3, Wire().bytes(2, Wire().bytes(1, k32))), "events.body");
  const std::string large(limits::kEventsBytesMax, 'b');
  check_refused(frame(3, Wire().bytes(2, good).bytes(2, Wire().bytes(1, k32).bytes(2, large))),
                "events.events", kTooLarge);

  CHECK(decode(frame(4, Wire().number(1, 1).bytes(2, "\1\2\3"))).has_value());
  check_refused(frame(4, Wire().bytes(2, "\1")), "events_held.batch");
  check_refused(frame(4, Wire().number(1, 1).bytes(2, "\1\4")), "events_held.results");
  check_refused(frame(4, Wire().number(1, 1).bytes(2, std::string(1, '\0'))),
                "events_held.results");
  check_refused(
      frame(4, Wire().number(1, 1).bytes(2, std::string(limits::kEventsCountMax + 1, '\1'))),
      "events_held.results", kTooLarge);

  CHECK(decode(frame(23, Wire().number(1, 1).bytes(2, good))).has_value());
  check_refused(frame(23, Wire().bytes(2, good)), "events_submit.batch");
  check_refused(frame(23, Wire().number(1, 1)), "events_submit.events");
  check_refused(frame(23, Wire().number(1, 1).bytes(2, Wire().bytes(1, k31).bytes(2, "body"))),
                "events_submit.salt");
  check_refused(frame(23, Wire().number(1, 1).bytes(2, Wire().bytes(1, k32))),
                "events_submit.body");
  check_refused(
      frame(23, Wire().number(1, 1).bytes(2, good).bytes(2, Wire().bytes(1, k32).bytes(2, large))),
      "events_submit.events", kTooLarge);

  CHECK(decode(frame(24, Wire().number(1, 1).bytes(2, std::string("\0\1\2\3", 4)))).has_value());
  check_refused(frame(24, Wire().bytes(2, "\1")), "events_settled.batch");
  check_refused(frame(24, Wire().number(1, 1).bytes(2, "\1\4")), "events_settled.results");
  check_refused(frame(24, Wire().number(1, 1).bytes(2, "\xff")), "events_settled.results");
  check_refused(
      frame(24, Wire().number(1, 1).bytes(2, std::string(limits::kEventsCountMax + 1, '\1'))),
      "events_settled.results", kTooLarge);

  for (const std::uint64_t kind : {5U, 6U}) {
    const std::string field = kind == 5 ? "events_announce.entries" : "events_request.entries";
    CHECK(decode(frame(kind, Wire().bytes(1, k16 + k32))).has_value());
    check_refused(frame(kind, Wire().bytes(1, k16 + k31)), field);
    check_refused(frame(kind, Wire().bytes(1, std::string((limits::kRefsCountMax + 1) * 48, 'r'))),
                  field, kTooLarge);
    const std::string ids = kind == 5 ? "events_announce.ids" : "events_request.ids";
    CHECK(decode(frame(kind, Wire().bytes(2, k16))).has_value());
    check_refused(frame(kind, Wire().bytes(2, k31)), ids);
    check_refused(
        frame(kind, Wire().bytes(2, std::string((limits::kShortIdsCountMax + 1) * 8, 'i'))), ids,
        kTooLarge);
  }
}

TEST_CASE("each field of the messages about blocks is checked") {
  chain::TemplateHeader header;
  header.height = chain::Height{4};
  header.share_target.bits = 0x1cffff00;
  const chain::Bytes head = chain::encode_header(header);
  const chain::Bytes seal = chain::encode_seal({});
  const chain::Bytes content = chain::encode_content({});
  CHECK(decode(frame(7, Wire().bytes(1, head).bytes(2, content))).has_value());
  check_refused(frame(7, Wire().bytes(1, head + "x").bytes(2, content)), "template_push.header");
  check_refused(frame(7, Wire().bytes(1, head)), "template_push.content");
  check_refused(frame(8, Wire().bytes(1, k31)), "template_request.hash");
  check_refused(frame(9, Wire().bytes(1, k31)), "share_push.template_hash");
  check_refused(frame(10, Wire().number(1, 3).bytes(2, k31)), "tip_said.id");
  const auto tip = [] { return Wire().number(1, 3).bytes(2, std::string(32, 'i')); };
  CHECK(decode(frame(10, tip().number(3, 7).bytes(4, k16).number(5, 1))).has_value());
  check_refused(frame(10, tip().number(3, 7).bytes(4, k16 + "x")), "tip_said.leader");
  check_refused(frame(10, tip().bytes(4, k16)), "tip_said.leader");
  check_refused(frame(10, tip().number(5, 1)), "tip_said.age");
  // A clock without a mark, one that says for how long it has had nothing.
  check_refused(frame(10, tip().bytes(6, "")), "tip_said.clock.mark");
  check_refused(frame(10, tip().bytes(6, Wire().number(2, ~std::uint64_t{0}))),
                "tip_said.clock.mark");
  check_refused(frame(10, tip().bytes(6, Wire().number(2, 1).number(3, ~std::uint64_t{0}))),
                "tip_said.clock.echo");
  check_refused(frame(10, tip().bytes(6, Wire().number(2, 1).number(4, 5))),
                "tip_said.clock.echo_held");
  check_refused(frame(10, tip().number(3, 7).number(5, ~std::uint64_t{0})), "tip_said.age",
                kTooLarge);
  check_refused(frame(11, Wire().number(1, 3)), "blocks_request.count");
  check_refused(frame(11, Wire().number(2, 65)), "blocks_request.count", kTooLarge);
  check_refused(frame(11, Wire().number(1, ~std::uint64_t{0}).number(2, 2)), "blocks_request.from");

  const Wire block = Wire().bytes(1, head).bytes(2, seal).bytes(3, content);
  CHECK(decode(frame(12, Wire().number(1, 4).bytes(2, block))).has_value());
  check_refused(frame(12, Wire().number(1, 5).bytes(2, block)), "blocks_reply.blocks");
  check_refused(frame(12, Wire().number(1, 4).bytes(2, block).bytes(2, block)),
                "blocks_reply.blocks");
  check_refused(frame(12, Wire().number(1, 4).bytes(2, Wire().bytes(2, seal).bytes(3, content))),
                "blocks_reply.header");
  check_refused(frame(12, Wire().number(1, 4).bytes(2, Wire().bytes(1, head).bytes(3, content))),
                "blocks_reply.seal");
  check_refused(frame(12, Wire().number(1, 4).bytes(2, Wire().bytes(1, head).bytes(2, seal))),
                "blocks_reply.content");
  const auto certified = [&](const std::string& certificate) {
    return frame(12, Wire().number(1, 4).bytes(2, block).bytes(3, certificate));
  };
  CHECK(decode(certified(signed_by({1, 2}))).has_value());
  check_refused(certified(signed_by({1}) + "x"), "blocks_reply.certificate");
  check_refused(certified(signed_by({2, 1})), "blocks_reply.certificate");
  check_refused(certified(signed_by({1, 2, 3, 4, 5, 6, 7, 8})), "blocks_reply.certificate",
                kTooLarge);
  check_refused(frame(12, Wire().number(1, 4).bytes(3, signed_by({1}))),
                "blocks_reply.certificate");
}

TEST_CASE("each field of the messages for light members is checked") {
  CHECK(decode(frame(25, Wire().number(1, 3).number(2, 512))).has_value());
  check_refused(frame(25, Wire().number(2, 1)), "headers_request.from");
  check_refused(frame(25, Wire().number(1, 3)), "headers_request.count");
  check_refused(frame(25, Wire().number(1, 3).number(2, 513)), "headers_request.count", kTooLarge);
  check_refused(frame(25, Wire().number(1, ~std::uint64_t{0}).number(2, 2)),
                "headers_request.from");

  chain::TemplateHeader header;
  header.height = chain::Height{4};
  header.share_target.bits = 0x1cffff00;
  const chain::Bytes head = chain::encode_header(header);
  const chain::Bytes seal = chain::encode_seal({});
  const chain::Rejection rejection{{}, {}, chain::RejectionReason::kVersionConflict, {5}};
  const chain::Bytes annex = chain::encode_content({{}, {rejection}});
  const auto reply = [&](std::uint64_t from, const Wire& block) {
    return frame(26, Wire().number(1, from).bytes(2, block).bytes(3, signed_by({1, 2})));
  };
  CHECK(decode(reply(4, Wire().bytes(1, head).bytes(2, seal))).has_value());
  CHECK(decode(reply(4, Wire().bytes(1, head).bytes(2, seal).bytes(3, annex))).has_value());
  check_refused(reply(5, Wire().bytes(1, head).bytes(2, seal)), "headers_reply.blocks");
  check_refused(reply(4, Wire().bytes(2, seal)), "headers_reply.header");
  check_refused(reply(4, Wire().bytes(1, head)), "headers_reply.seal");
  const auto with_annex = [&](const chain::BlockContent& content) {
    return reply(4, Wire().bytes(1, head).bytes(2, seal).bytes(3, chain::encode_content(content)));
  };
  check_refused(with_annex({{{}}, {rejection}}), "headers_reply.annex");  // it has an entry
  check_refused(with_annex({}), "headers_reply.annex");
  check_refused(reply(4, Wire().bytes(1, head).bytes(2, seal).bytes(3, annex + "x")),
                "headers_reply.annex");
  // No blocks without a proof of the last, and no proof of nothing.
  check_refused(frame(26, Wire().number(1, 4).bytes(2, Wire().bytes(1, head).bytes(2, seal))),
                "headers_reply.certificate");
  check_refused(frame(26, Wire().number(1, 4).bytes(3, signed_by({1}))),
                "headers_reply.certificate");

  CHECK(decode(frame(27, Wire().bytes(1, head))).has_value());
  check_refused(frame(27, Wire().bytes(1, head + "x")), "template_header_push.header");
  check_refused(frame(27, Wire()), "template_header_push.header");
}

TEST_CASE("each field of the messages about reads is checked") {
  CHECK(decode(frame(13, Wire().number(1, 1))).has_value());
  check_refused(frame(13, Wire()), "read_ask.question");
  for (const std::uint64_t kind : {14U, 15U}) {
    const std::string name = kind == 14 ? "read_round" : "read_round_held";
    CHECK(decode(frame(kind, Wire().number(1, 2).number(2, 3))).has_value());
    check_refused(frame(kind, Wire().number(2, 3)), name + ".term");
    check_refused(frame(kind, Wire().number(1, 2)), name + ".round");
  }
  CHECK(decode(frame(16, Wire().number(1, 2).number(2, 3))).has_value());
  check_refused(frame(16, Wire().number(2, 3)), "read_told.question");
  CHECK(decode(frame(16, Wire().number(1, 2).number(3, 4))).has_value());
}

TEST_CASE("each field of a message of signatures is checked") {
  const auto with = [&](std::uint64_t height, const std::string& block, const std::string& list) {
    return frame(17, Wire().number(1, height).bytes(2, block).bytes(3, list));
  };
  CHECK(decode(with(4, k32, signed_by({1, 2}))).has_value());
  CHECK(decode(with(4, k32, "")).has_value());
  check_refused(with(0, k32, signed_by({1})), "signatures.height");
  check_refused(with(4, k31, signed_by({1})), "signatures.block");
  check_refused(with(4, k32, signed_by({1}) + "x"), "signatures.packed");
  check_refused(with(4, k32, signed_by({2, 1})), "signatures.packed");
  check_refused(with(4, k32, signed_by({1, 1})), "signatures.packed");
  check_refused(with(4, k32, signed_by({1, 2, 3, 4, 5, 6, 7, 8})), "signatures.packed", kTooLarge);
}

TEST_CASE("each field of what was seen of a disk is checked") {
  const auto seen = [](const std::string& store, std::uint64_t term) {
    return frame(22, Wire().bytes(1, store).number(2, term).number(3, 5));
  };
  CHECK(decode(seen(k16, 1)).has_value());
  check_refused(seen(k32, 1), "seen.store");
  check_refused(seen(k16, 0), "seen.term");
}

TEST_CASE("whoever knows nobody says not now and nothing else") {
  const auto told = [](std::uint64_t outcome) {
    return frame(19, Wire().number(1, 5).number(2, outcome).number(5, 1));
  };
  CHECK(decode(told(3)).has_value());
  check_refused(told(1), "order_told.knows_nobody");
  check_refused(told(2), "order_told.knows_nobody");
}

TEST_CASE("what Raft takes for impossible never reaches it") {
  check_refused(frame(2, Wire().number(2, 2)), "raft.from");
  check_refused(frame(2, Wire().number(1, 1)), "raft.to");
  check_refused(frame(2, Wire().number(1, 1).number(2, 1)), "raft.to");
  check_refused(frame(2, Wire().number(1, 1).number(2, 2)), "raft.message");

  check_refused(raft(3, Wire().number(3, 1)), "request_vote.term");
  check_refused(raft(3, Wire().number(2, 1)), "request_vote.candidate");
  check_refused(raft(3, Wire().number(2, 1).number(3, 1).number(4, 1)),
                "request_vote.last_log_term");
  check_refused(raft(3, Wire().number(1, 256).number(2, 1).number(3, 1)), "request_vote.version");
  check_refused(raft(4, Wire().number(5, 65536)), "request_vote_result.features");
  check_refused(raft(4, Wire().number(6, 65536)), "request_vote_result.capacity");
  check_refused(raft(6, Wire()), "append_entries_result.term");
  check_refused(raft(8, Wire()), "timeout_now.term");
  check_refused(raft(8, Wire().number(2, 1).number(4, 1)), "timeout_now.last_log_term");
}

TEST_CASE("entries of the Raft log come in order and none from the future") {
  const auto entry = [](std::uint64_t term, std::uint64_t kind) {
    return Wire().number(1, term).number(2, kind).bytes(3, "payload");
  };
  const auto append = [](std::uint64_t prev_index, std::uint64_t prev_term) {
    return Wire().number(2, 5).number(3, prev_index).number(4, prev_term);
  };
  CHECK(decode(raft(5, append(7, 3).bytes(6, entry(3, 1)).bytes(6, entry(5, 2)))).has_value());
  check_refused(raft(5, Wire().number(3, 1).number(4, 1)), "append_entries.term");
  check_refused(raft(5, append(7, 0)), "append_entries.prev_term");
  check_refused(raft(5, append(0, 7)), "append_entries.prev_term");
  check_refused(raft(5, append(~std::uint64_t{0}, 1).bytes(6, entry(3, 1))),
                "append_entries.prev_index");
  check_refused(raft(5, append(7, 3).bytes(6, entry(2, 1))), "append_entries.entries.term");
  check_refused(raft(5, append(7, 3).bytes(6, entry(6, 1))), "append_entries.entries.term");
  check_refused(raft(5, append(0, 0).bytes(6, entry(0, 1))), "append_entries.entries.term");
  check_refused(raft(5, append(7, 3).bytes(6, entry(3, 0))), "append_entries.entries.kind");
  check_refused(raft(5, append(7, 3).bytes(6, entry(3, 4))), "append_entries.entries.kind");
}

TEST_CASE("a Raft snapshot has a configuration in order") {
  const std::string one("\1\0\0\0\0\0\0\0\0", 9);
  const std::string two("\2\0\0\0\0\0\0\0\2", 9);
  const auto snapshot = [](std::uint64_t index, std::uint64_t term, const std::string& servers,
                           std::uint64_t configuration_index) {
    return raft(7, Wire()
                       .number(2, 5)
                       .number(3, index)
                       .number(4, term)
                       .bytes(5, servers)
                       .number(6, configuration_index));
  };
  CHECK(decode(snapshot(9, 5, one + two, 9)).has_value());
  check_refused(snapshot(0, 5, one, 1), "install_snapshot.last_index");
  check_refused(snapshot(9, 0, one, 1), "install_snapshot.last_term");
  check_refused(snapshot(9, 6, one, 1), "install_snapshot.last_term");
  check_refused(snapshot(9, 5, "", 1), "install_snapshot.configuration");
  check_refused(snapshot(9, 5, one + "x", 1), "install_snapshot.configuration");
  check_refused(snapshot(9, 5, two + one, 1), "install_snapshot.configuration");
  check_refused(snapshot(9, 5, one.substr(0, 8) + "\3", 1), "install_snapshot.configuration");
  check_refused(snapshot(9, 5, one, 0), "install_snapshot.configuration_index");
  check_refused(snapshot(9, 5, one, 10), "install_snapshot.configuration_index");
}

TEST_CASE("items are counted before memory is spent on them, however they are spread") {
  const auto many = [](std::uint64_t field, std::size_t count) {
    Wire items;
    for (std::size_t i = 0; i < count; ++i) items.bytes(field, "");
    return items;
  };
  check_refused(frame(3, many(2, limits::kEventsCountMax + 1)), "frame.events", kTooLarge);
  check_refused(frame(23, many(2, limits::kEventsCountMax + 1)), "frame.events", kTooLarge);
  check_refused(frame(12, many(2, limits::kBlocksPerReplyMax + 1)), "frame.blocks", kTooLarge);
  check_refused(frame(26, many(2, limits::kHeadersPerReplyMax + 1)), "frame.blocks", kTooLarge);
  check_refused(raft(5, many(6, limits::kRaftEntriesMax + 1)), "frame.entries", kTooLarge);
  // Protobuf merges a field that comes twice.
  const Wire half = many(2, limits::kEventsCountMax / 2 + 1);
  check_refused(Wire().bytes(3, half).bytes(3, half), "frame.events", kTooLarge);
}

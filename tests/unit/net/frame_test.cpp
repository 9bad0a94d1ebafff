#include "net/frame.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "chain/rng.h"
#include "net/limits.h"

using namespace eventchain;
using namespace eventchain::net;

namespace {

// Everything that is complete, and "!" if the stream was refused.
std::vector<chain::Bytes> drain(FrameReader& reader) {
  std::vector<chain::Bytes> payloads;
  while (true) {
    chain::Result<std::optional<chain::Bytes>> payload = reader.next();
    if (!payload) {
      CHECK(payload.error().code == chain::ErrorCode::kTooLarge);
      payloads.push_back("!");
      return payloads;
    }
    if (!*payload) return payloads;
    payloads.push_back(std::move(**payload));
  }
}

const chain::Bytes kOversize("\x01\x00\x40\x00", 4);  // 4 MiB + 1

}  // namespace

TEST_CASE("frames come out whole wherever the stream is cut") {
  const std::vector<chain::Bytes> payloads{"first", "", std::string(300, 'x'), "", "last"};
  chain::Bytes stream;
  for (const chain::Bytes& payload : payloads) stream += make_frame(payload);
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    INFO("cut at ", cut);
    FrameReader reader;
    reader.feed(chain::ByteView(stream).substr(0, cut));
    std::vector<chain::Bytes> got = drain(reader);
    reader.feed(chain::ByteView(stream).substr(cut));
    for (chain::Bytes& payload : drain(reader)) got.push_back(std::move(payload));
    CHECK(got == payloads);
  }
}

TEST_CASE("frames come out whole however many pieces they come in") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    INFO("seed ", seed);
    chain::Rng rng(seed);
    std::vector<chain::Bytes> payloads;
    chain::Bytes stream;
    for (int i = 0; i < 20; ++i) {
      payloads.emplace_back(static_cast<std::size_t>(rng.below(2000)), static_cast<char>('a' + i));
      stream += make_frame(payloads.back());
    }
    FrameReader reader;
    std::vector<chain::Bytes> got;
    for (chain::ByteView rest = stream; !rest.empty();) {
      const auto size = std::min<std::size_t>(rest.size(), rng.below(700));
      reader.feed(rest.substr(0, size));
      rest.remove_prefix(size);
      for (chain::Bytes& payload : drain(reader)) got.push_back(std::move(payload));
    }
    CHECK(got == payloads);
  }
}

TEST_CASE("a header is four octets, the smallest first") {
  CHECK(make_frame("") == std::string(4, '\0'));
  CHECK(make_frame(std::string(258, 'x')).substr(0, 5) == std::string("\x02\x01\x00\x00x", 5));
}

TEST_CASE("the largest frame passes and one octet more is refused by its header alone") {
  FrameReader reader;
  reader.feed(make_frame(std::string(limits::kFrameBytesMax, 'x')));
  reader.feed(kOversize);
  const std::vector<chain::Bytes> got = drain(reader);
  REQUIRE(got.size() == 2);
  CHECK(got[0].size() == limits::kFrameBytesMax);
  CHECK(got[1] == "!");
}

TEST_CASE("the first frame has a bound of its own, and those behind it the one of all") {
  FrameReader reader(100);
  const chain::Bytes large(5000, 'x');
  reader.feed(make_frame(chain::Bytes(100, 'y')) + make_frame(large));
  CHECK(drain(reader) == std::vector<chain::Bytes>{chain::Bytes(100, 'y'), large});

  FrameReader strict(100);
  strict.feed(make_frame(chain::Bytes(101, 'y')).substr(0, 4));
  CHECK(drain(strict) == std::vector<chain::Bytes>{"!"});
}

TEST_CASE("after a refusal nothing that follows is taken for a frame") {
  FrameReader reader;
  reader.feed(make_frame("good") + kOversize + make_frame("looks good"));
  CHECK(drain(reader) == std::vector<chain::Bytes>{"good", "!"});
  reader.feed(make_frame("looks good too"));
  CHECK(drain(reader) == std::vector<chain::Bytes>{"!"});
}

#include "chain/encoding.h"

#include <doctest/doctest.h>

#include <functional>
#include <vector>

#include "chain/rng.h"
#include "chain/types.h"

using namespace eventchain::chain;

TEST_CASE("integers are written little-endian at fixed width") {
  Writer writer;
  writer.u8(0x01).u16(0x0203).u32(0x04050607).u64(0x08090a0b0c0d0e0f);
  CHECK(to_hex(writer.take()) ==
        "01"
        "0302"
        "07060504"
        "0f0e0d0c0b0a0908");

  writer = Writer();
  writer.i32(-2).i64(-3).boolean(true).boolean(false);
  CHECK(to_hex(writer.take()) ==
        "feffffff"
        "fdffffffffffffff"
        "01"
        "00");
}

TEST_CASE("a structure starts with the version octet and its tag") {
  Writer writer;
  CHECK(writer.header("ec:x").take() ==
        "\x01"
        "ec:x");

  Reader good(
      "\x01"
      "ec:x");
  good.header("ec:x");
  CHECK(good.finish("thing"));

  Reader other_version(
      "\x02"
      "ec:x");
  other_version.header("ec:x");
  CHECK(other_version.finish("thing").error().message.find("unknown version") != std::string::npos);

  Reader other_tag(
      "\x01"
      "ec:y");
  other_tag.header("ec:x");
  CHECK(other_tag.finish("thing").error().message.find("wrong domain tag") != std::string::npos);
}

TEST_CASE("what was written is read back") {
  const std::uint64_t seed = 11;
  INFO("seed ", seed);
  Rng rng(seed);
  for (int round = 0; round < 1000; ++round) {
    const auto a = static_cast<std::uint8_t>(rng.next());
    const auto b = static_cast<std::uint16_t>(rng.next());
    const auto c = static_cast<std::uint32_t>(rng.next());
    const std::uint64_t d = rng.next();
    const std::size_t text_size = rng.below(300);
    const Bytes text(text_size, static_cast<char>(rng.next()));
    const Bytes short_text = text.substr(0, 255);
    Hash hash;
    for (auto& octet : hash.octets) octet = static_cast<std::uint8_t>(rng.next());
    const U256 number = U256::from_limbs({rng.next(), rng.next(), rng.next(), rng.next()});

    Writer writer;
    writer.u8(a).u16(b).u32(c).u64(d).i32(static_cast<std::int32_t>(c));
    writer.i64(static_cast<std::int64_t>(d)).fixed(hash).u256(number).boolean((a & 1) != 0);
    writer.sized8(short_text).sized16(text).sized32(text).raw("end");
    const Bytes bytes = writer.take();

    Reader reader(bytes);
    CHECK(reader.u8() == a);
    CHECK(reader.u16() == b);
    CHECK(reader.u32() == c);
    CHECK(reader.u64() == d);
    CHECK(reader.i32() == static_cast<std::int32_t>(c));
    CHECK(reader.i64() == static_cast<std::int64_t>(d));
    CHECK(reader.fixed<Hash>() == hash);
    CHECK(reader.u256() == number);
    CHECK(reader.boolean() == ((a & 1) != 0));
    CHECK(reader.sized8() == short_text);
    CHECK(reader.sized16() == text);
    CHECK(reader.sized32(300) == text);
    CHECK(reader.raw(3) == "end");
    CHECK(reader.finish("record"));
  }
}

TEST_CASE("a reader that failed stays failed and gives zeros") {
  Reader reader("\x05\x06\x07");
  CHECK(reader.u32() == 0);
  CHECK_FALSE(reader.ok());
  CHECK(reader.remaining() == 0);
  CHECK(reader.u8() == 0);
  CHECK(reader.sized8().empty());
  CHECK(reader.fixed<Hash>().is_zero());
  CHECK(reader.u256().is_zero());
  CHECK(reader.count16(10, 1) == 0);
  reader.refuse("something later");

  const auto result = reader.finish("node list");
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::kMalformed);
  CHECK(result.error().message ==
        "node list: ends too early (at octet 0 of 3); get the bytes again from a node of this "
        "version");
}

TEST_CASE("octets after the end are refused") {
  Reader reader("\x01\x02");
  CHECK(reader.u8() == 1);
  CHECK_FALSE(reader.finish("record"));
}

TEST_CASE("a boolean has two spellings only") {
  Reader reader("\x02");
  reader.boolean();
  CHECK_FALSE(reader.finish("record"));
}

TEST_CASE("a length is checked against its limit and against what is there") {
  const Bytes long_claim = from_hex("ffffffff00").value();
  Reader over_limit(long_claim);
  CHECK(over_limit.sized32(16).empty());
  CHECK_FALSE(over_limit.ok());

  Reader over_end(long_claim);
  CHECK(over_end.sized32(0xffffffff).empty());
  CHECK_FALSE(over_end.ok());
}

TEST_CASE("a count that the bytes cannot hold is refused before anything is reserved") {
  const Bytes bytes = from_hex(
                          "0300"
                          "000000000000")
                          .value();
  Reader fits(bytes);
  CHECK(fits.count16(3, 2) == 3);
  CHECK(fits.ok());
  Reader cut_off(bytes);
  CHECK(cut_off.count16(3, 3) == 0);
  CHECK_FALSE(cut_off.ok());
  Reader too_many(bytes);
  CHECK(too_many.count16(2, 1) == 0);
  CHECK_FALSE(too_many.ok());

  const Bytes wide = from_hex(
                         "ffffffff"
                         "00")
                         .value();
  Reader huge(wide);
  CHECK(huge.count32(0xffffffff, 1) == 0);
  CHECK_FALSE(huge.ok());
}

TEST_CASE("any order of reads over any bytes ends in an answer") {
  const std::uint64_t seed = 12;
  INFO("seed ", seed);
  Rng rng(seed);
  const std::vector<std::function<void(Reader&)>> reads = {
      [](Reader& reader) { reader.u8(); },
      [](Reader& reader) { reader.u64(); },
      [](Reader& reader) { reader.boolean(); },
      [](Reader& reader) { reader.sized8(); },
      [](Reader& reader) { reader.sized16(40); },
      [](Reader& reader) { reader.sized32(40); },
      [](Reader& reader) { reader.count32(1000, 2); },
      [](Reader& reader) { reader.u256(); },
  };
  for (int round = 0; round < 5000; ++round) {
    Bytes bytes(rng.below(64), '\0');
    for (char& c : bytes) c = static_cast<char>(rng.below(round % 2 == 0 ? 256 : 3));
    Reader reader(bytes);
    std::size_t before = reader.remaining();
    for (int step = 0; step < 12; ++step) {
      reads[rng.below(reads.size())](reader);
      REQUIRE(reader.remaining() <= before);
      before = reader.remaining();
    }
    const bool is_all_read = reader.ok() && before == 0;
    REQUIRE(reader.finish("noise").has_value() == is_all_read);
  }
}

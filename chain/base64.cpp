#include "chain/base64.h"

#include <array>
#include <cstdint>

namespace eventchain::chain {

namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNoDigit = 64;

constexpr std::array<std::uint8_t, 256> make_digits() {
  std::array<std::uint8_t, 256> digits{};
  for (auto& digit : digits) digit = kNoDigit;
  for (std::size_t i = 0; i < kAlphabet.size(); ++i)
    digits[static_cast<std::uint8_t>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  return digits;
}
constexpr std::array<std::uint8_t, 256> kDigits = make_digits();

}  // namespace

std::string to_base64(ByteView bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t left = bytes.size() - at;
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i)
      group = (group << 8) | (i < left ? static_cast<std::uint8_t>(bytes[at + i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i)
      text.push_back(i <= left ? kAlphabet[(group >> (18 - 6 * i)) & 63] : '=');
  }
  return text;
}

std::optional<Bytes> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  const std::size_t digits = text.size() - padding;
  Bytes bytes;
  bytes.reserve(digits * 3 / 4);
  std::uint32_t group = 0;
  for (std::size_t at = 0; at < digits; ++at) {
    const std::uint8_t digit = kDigits[static_cast<std::uint8_t>(text[at])];
    if (digit == kNoDigit) return std::nullopt;
    group = (group << 6) | digit;
    if (at % 4 == 3) {
      for (unsigned shift : {16U, 8U, 0U})
        bytes.push_back(static_cast<char>((group >> shift) & 0xff));
      group = 0;
    }
  }
  // Two digits carry one octet and four bits more, three carry two and two bits: zero, or else the
  // same octets would have several spellings.
  if (padding == 2) {
    if ((group & 0xf) != 0) return std::nullopt;
    bytes.push_back(static_cast<char>((group >> 4) & 0xff));
  } else if (padding == 1) {
    if ((group & 0x3) != 0) return std::nullopt;
    bytes.push_back(static_cast<char>((group >> 10) & 0xff));
    bytes.push_back(static_cast<char>((group >> 2) & 0xff));
  }
  return bytes;
}

}  // namespace eventchain::chain

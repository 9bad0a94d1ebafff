#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <variant>

#include "chain/event.h"

namespace eventchain::chain {

// An attribute wherever it lies: in an Event or in the octets of a body.
struct AttributeView {
  std::string_view name;
  std::variant<bool, std::int32_t, std::string_view> value;
};

// The rules of check_event(), fed attribute by attribute, so that an Event and a body that was
// never decoded go through the same code. One instance checks one event: attribute() for each in
// order, then finish(); stop at the first error. Keeps views into what it was fed.
class EventCheck {
 public:
  Result<void> attribute(const AttributeView& attribute);
  Result<void> finish(DataKind kind, ByteView data) const;

  // What was seen; meaningful after finish() succeeded.
  [[nodiscard]] std::string_view id() const { return texts_[kId]; }
  [[nodiscard]] std::string_view source() const { return texts_[kSource]; }
  [[nodiscard]] std::string_view stream() const;
  [[nodiscard]] std::optional<StreamVersion> expected_version() const { return expected_; }

 private:
  // Attributes that must be strings and not empty; the order is that of the table in the .cpp.
  enum Known : std::size_t {
    kId,
    kSource,
    kType,
    kStream,
    kSubject,
    kDataContentType,
    kDataSchema,
    kTime,
    kKnownCount
  };
  Result<void> known_text(std::size_t known, const AttributeView& attribute);
  Result<void> expected(const AttributeView& attribute);

  std::string_view previous_;
  std::array<std::string_view, kKnownCount> texts_;
  std::optional<StreamVersion> expected_;
};

Result<void> check_body_size(std::size_t size, const EventLimits& limits);
// What encode_body() would give, without giving it.
std::size_t body_size(const Event& event);

}  // namespace eventchain::chain

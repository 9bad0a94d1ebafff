#pragma once

#include <optional>
#include <string>

#include "chain/bytes.h"
#include "chain/result.h"

namespace eventchain::net {

// Collects the first thing wrong with the fields of one message, so that a decoder reads straight
// on and asks once at the end. A value of its caller's stack; the strings handed in are literals.
class FieldCheck {
 public:
  explicit FieldCheck(const char* message) : message_(message) {}

  void require(bool holds, const char* field, const char* rule) {
    if (!holds) refuse(chain::ErrorCode::kMalformed, field, rule);
  }
  void limit(bool holds, const char* field, const char* rule) {
    if (!holds) refuse(chain::ErrorCode::kTooLarge, field, rule);
  }

  template <class Kind>
  Kind fixed(chain::ByteView bytes, const char* field) {
    const std::optional<Kind> value = Kind::from(bytes);
    require(value.has_value(), field, "has the wrong number of octets");
    return value.value_or(Kind{});
  }

  template <class UInt, class Wide>
  UInt narrow(Wide value, const char* field) {
    require(value <= static_cast<Wide>(static_cast<UInt>(-1)), field, "does not fit its type");
    return static_cast<UInt>(value);
  }

  // The value of a nested decoder, whose own message already tells what is wrong and the remedy.
  template <class T>
  T nested(chain::Result<T> result, const char* field) {
    if (result) return std::move(*result);
    if (!error_)
      error_ = chain::Error{result.error().code,
                            std::string(message_) + "." + field + ": " + result.error().message};
    return T{};
  }

  [[nodiscard]] bool ok() const { return !error_; }
  [[nodiscard]] chain::Error take_error() { return std::move(*error_); }

 private:
  void refuse(chain::ErrorCode code, const char* field, const char* rule) {
    if (error_) return;
    error_ = chain::Error{code, std::string(message_) + "." + field + ": " + rule +
                                    "; both nodes must run this protocol version"};
  }

  const char* message_;
  std::optional<chain::Error> error_;
};

}  // namespace eventchain::net

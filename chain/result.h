#pragma once

#include <string>
#include <tl/expected.hpp>

namespace eventchain::chain {

// What went wrong, by consequence rather than by place. `message` names the thing and the remedy.
enum class ErrorCode {
  kMalformed,  // bytes or text that no correct writer produces
  kInvalid,    // well-formed, but breaks a rule
  kTooLarge,   // over a named limit
  kNotFound,
  kConflict,
  kUnavailable,  // may work later
  kCorrupt,      // our own stored bytes do not hash to what they must
  kIo,
};

struct Error {
  ErrorCode code;
  std::string message;
};

// The caller must look: the whole type is nodiscard.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
};

inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}

// A broken promise of our own code. Always on, in release too: a crash beats divergence. Never for
// foreign input.
[[noreturn]] void assertion_failed(const char* condition, const char* text, const char* file,
                                   int line);

}  // namespace eventchain::chain

#define EC_ASSERT(condition, text)    \
  ((condition) ? static_cast<void>(0) \
               : ::eventchain::chain::assertion_failed(#condition, text, __FILE__, __LINE__))

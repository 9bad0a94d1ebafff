#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace eventchain::tools {

// The log that dpkg writes (dpkg(1), "FILES"): a real event stream that every Debian host has.
// Lines of action (install, upgrade, configure, trigproc, disappear, remove, purge) become events;
// lines of state and of startup are none.
//
// The same line of the same file always gives the same id, also after the file was rotated, so
// that converting and submitting again records nothing twice.
struct DpkgLine {
  std::string_view text;     // without the line end
  std::uint64_t number = 0;  // in its file, from 1
  std::string_view source;   // the event's source
};

// One CloudEvent in JSON on one line, without a line end; nullopt for a line that is no action.
std::optional<std::string> dpkg_event(const DpkgLine& line);

// file://HOST/PATH without the suffix that rotation gives a file.
std::string dpkg_source(std::string_view host, std::string_view absolute_path);

}  // namespace eventchain::tools

#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "tools/eventchain/files.h"

namespace eventchain::tools {

inline std::string text_of_file(const std::filesystem::path& path) {
  const auto text = read_file(path, 100'000);
  REQUIRE(text.has_value());
  return *text;
}

}  // namespace eventchain::tools

#include "golden_vectors.h"

#include <doctest/doctest.h>

#include <fstream>

#include "tests/unit/golden_file.h"

std::string golden_vector(std::string_view name) {
  return golden_value("chain/golden_vectors.txt", name);
}

std::string formats_without_spaces() {
  std::ifstream file(EVENTCHAIN_TEST_DATA "/../../chain/FORMATS.md");
  REQUIRE_MESSAGE(file.is_open(), "chain/FORMATS.md cannot be opened");
  std::string text;
  for (char c; file.get(c);)
    if (c != ' ' && c != '\n' && c != '`') text.push_back(c);
  return text;
}

#include "golden_vectors.h"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

std::string golden_vector(std::string_view name) {
  std::ifstream file(EVENTCHAIN_TEST_DATA "/chain/golden_vectors.txt");
  REQUIRE_MESSAGE(file.is_open(), "tests/data/chain/golden_vectors.txt cannot be opened");
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string key;
    std::string value;
    words >> key >> value;
    if (key == name) return value;
  }
  FAIL("no golden vector named ", std::string(name));
  return {};
}

std::string formats_without_spaces() {
  std::ifstream file(EVENTCHAIN_TEST_DATA "/../../chain/FORMATS.md");
  REQUIRE_MESSAGE(file.is_open(), "chain/FORMATS.md cannot be opened");
  std::string text;
  for (char c; file.get(c);)
    if (c != ' ' && c != '\n' && c != '`') text.push_back(c);
  return text;
}

#pragma once

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

// Golden values lie in text files under tests/data: lines of "name value", '#' begins a comment.

struct GoldenLine {
  std::string name;
  std::string value;
};

inline std::vector<GoldenLine> golden_lines(const std::string& file_name) {
  std::ifstream file(EVENTCHAIN_TEST_DATA "/" + file_name);
  REQUIRE_MESSAGE(file.is_open(), "tests/data/", file_name, " cannot be opened");
  std::vector<GoldenLine> lines;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    GoldenLine made;
    words >> made.name >> made.value;
    if (!made.name.empty() && made.name[0] != '#') lines.push_back(made);
  }
  return lines;
}

// Fails the test if there is none.
inline std::string golden_value(const std::string& file_name, std::string_view name) {
  for (const GoldenLine& line : golden_lines(file_name))
    if (line.name == name) return line.value;
  FAIL("no golden value named ", std::string(name), " in ", file_name);
  return {};
}

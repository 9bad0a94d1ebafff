#pragma once

#include <string>
#include <string_view>

// Text under `name` in tests/data/chain/golden_vectors.txt (lines of "name value"; '#' begins a
// comment). Fails the test if there is none.
std::string golden_vector(std::string_view name);

// chain/FORMATS.md without white space and back-ticks, so that a wrapped vector is found in it.
std::string formats_without_spaces();

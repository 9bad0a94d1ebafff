#pragma once

#include <string>
#include <string_view>
#include <vector>

// The manual of the configuration: every key with what it takes, by the table of settings, and what
// it means, by the comments of deploy/eventchaind.example.toml.
namespace eventchain::node {

// The example, as it is in the source. Compiled into the program.
std::string_view example_config();

// eventchaind.toml(5) in man(7)'s language.
std::string settings_page();

// Keys that are not in the example, or without a word about them there. A test has it empty.
std::vector<std::string> undocumented_settings();

}  // namespace eventchain::node

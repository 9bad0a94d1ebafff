#pragma once

#include <string>

namespace eventchain::sim {

// Switches on the mistake of this name (chain/planted.h) for the rest of the process; to be called
// before there are other threads. Throws std::invalid_argument, which says what is wrong: another
// name than there is, or a build that has no mistakes in it.
void plant(const std::string& name);

}  // namespace eventchain::sim

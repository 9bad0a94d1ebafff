#pragma once

#include "store/sqlite/schema.h"

// The tables of a light member. README.md explains each.
namespace eventchain::store {

inline constexpr int kLightApplicationId = 0x45434c31;  // "ECL1"
inline constexpr int kLightSchemaVersion = 1;

extern const Schema kLightSchema;

}  // namespace eventchain::store

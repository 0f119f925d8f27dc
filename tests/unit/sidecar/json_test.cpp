#include "base/json.hpp"

#include <utility>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace tenancy::sidecar {
namespace {

TEST(JsonValue, IsAnEmptyObjectToBeginWith) {
    EXPECT_EQ(*JsonValue(), Json::object());
    EXPECT_EQ(JsonValue(), JsonValue(Json::object()));
}

TEST(JsonValue, LeavesCopiesAsTheyAreWhenItChanges) {
    JsonValue value(Json{{"a", 1}});
    const JsonValue copy = value;
    value.set("b", 2);
    value.set("a", "other");
    EXPECT_EQ(*value, (Json{{"a", "other"}, {"b", 2}}));
    EXPECT_EQ(*copy, (Json{{"a", 1}}));
    EXPECT_FALSE(value == copy);
}

TEST(JsonValue, IsStillThereAfterAMove) {
    JsonValue value(Json{{"a", 1}});
    const JsonValue moved = std::move(value);
    EXPECT_EQ(value, moved); // NOLINT(bugprone-use-after-move): that is what it is about
}

} // namespace
} // namespace tenancy::sidecar

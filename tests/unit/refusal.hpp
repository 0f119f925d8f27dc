// What the tests expect of an error: its SQLSTATE, words of its message, and its silence about
// the values that were refused.
#pragma once

#include "error.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace tenancy::test {

// Every value of the tokens and keys under test carries this word; no error may repeat it.
inline constexpr std::string_view secret_word = "zq7secret";

template <typename Action>
void expect_refused(const char* sqlstate, std::string_view words, Action action) {
    try {
        action();
        ADD_FAILURE() << "not refused; expected: " << words;
    } catch (const Error& error) {
        EXPECT_STREQ(error.sqlstate(), sqlstate) << error.message();
        EXPECT_NE(error.message().find(words), std::string::npos) << error.message();
        const std::string all = error.message() + error.hint() + error.detail();
        EXPECT_EQ(all.find(secret_word), std::string::npos) << all;
    }
}

} // namespace tenancy::test

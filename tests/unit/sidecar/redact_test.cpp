#include "base/log.hpp"

#include <nlohmann/json.hpp>
#include <gtest/gtest.h>

namespace tenancy::sidecar {
namespace {

struct Case {
    const char* text;
    const char* clean;
};

TEST(RedactTest, takes_passwords_out) {
    const Case cases[] = {
        {"mongodb://me:hunter2@db:27017/x", "mongodb://me:***@db:27017/x"},
        {"at mongodb+srv://me:hu@nter2@db/?a=b, then", "at mongodb+srv://me:***@db/?a=b, then"},
        {"redis://:hunter2@db", "redis://:***@db"},
        {"\"postgresql://me:hunter2@db/shop\"", "\"postgresql://me:***@db/shop\""},
        {"host=db password=hunter2 user=me", "host=db password=*** user=me"},
        {"password = 'hun ter2' user=me", "password = '***' user=me"},
        {"password='hun\\'ter2'", "password='***'"},
        {"sslpassword=hunter2", "sslpassword=***"},
        {"PASSWORD=hunter2", "PASSWORD=***"},
        {"?user=me&password=hunter2&x=y", "?user=me&password=***&x=y"},
        {"{\"password\": \"hunter2\"}", "{\"password\": \"***\"}"},
        {"passphrase=hunter2", "passphrase=***"},
        {"a://u:hunter2@b c://u:hunter2@d", "a://u:***@b c://u:***@d"},
    };
    for (const Case& one : cases) {
        EXPECT_EQ(redact(one.text), one.clean);
    }
}

TEST(RedactTest, leaves_the_rest) {
    for (const char* text :
         {"", "host=db user=me", "password authentication failed for user \"me\"",
          "mongodb://db:27017/x", "redis://me@db:6379", "http://[::1]:80/", "password=", "password",
          "mail me@db about a:b"}) {
        EXPECT_EQ(redact(text), text);
    }
}

TEST(RedactTest, survives_cut_text) {
    EXPECT_EQ(redact("password='hun\\"), "password='***");
    EXPECT_EQ(redact("x://"), "x://");
    EXPECT_EQ(redact("x://u:p@"), "x://u:***@");
}

class LogTest : public ::testing::Test {
protected:
    static nlohmann::json logged(std::initializer_list<LogField> fields) {
        ::testing::internal::CaptureStderr();
        log(Level::warning, "something_happened", fields);
        return nlohmann::json::parse(::testing::internal::GetCapturedStderr());
    }
};

TEST_F(LogTest, is_one_object) {
    const auto line = logged({{"store", "cache"}, {"tenants", 3}});
    EXPECT_EQ(line["level"], "warning");
    EXPECT_EQ(line["event"], "something_happened");
    EXPECT_EQ(line["store"], "cache");
    EXPECT_EQ(line["tenants"], 3);
    EXPECT_EQ(line["ts"].get<std::string>().size(), 24U);
}

TEST_F(LogTest, redacts_every_text) {
    EXPECT_EQ(logged({{"tried", "mongodb://me:hunter2@db"}})["tried"], "mongodb://me:***@db");
}

TEST_F(LogTest, keeps_numbers_and_flags) {
    const auto line = logged({{"less", -1}, {"much", 1ULL << 63U}, {"part", 0.5}, {"yes", true}});
    EXPECT_EQ(line["less"], -1);
    EXPECT_EQ(line["much"], 1ULL << 63U);
    EXPECT_EQ(line["part"], 0.5);
    EXPECT_EQ(line["yes"], true);
}

TEST_F(LogTest, cannot_be_given_another_event) {
    EXPECT_EQ(logged({{"event", "forged"}, {"level", "forged"}})["event"], "something_happened");
}

TEST_F(LogTest, stays_one_line_of_valid_utf8) {
    EXPECT_EQ(logged({{"text", "a\nb\xff"}})["text"], "a\nb\xef\xbf\xbd");
}

TEST_F(LogTest, is_bounded) {
    EXPECT_EQ(logged({{"text", std::string(5000, 'x')}})["text"].get<std::string>().size(), 2003U);
    const std::string text(2000, 'x');
    const auto line = logged({{"a", text},
                              {"b", text},
                              {"c", text},
                              {"d", text},
                              {"e", text},
                              {"f", text},
                              {"g", text},
                              {"h", text},
                              {"i", text}});
    EXPECT_GT(line["dropped_bytes"], 16000);
    EXPECT_FALSE(line.contains("a"));
}

TEST_F(LogTest, level) {
    set_log_level(Level::error);
    ::testing::internal::CaptureStderr();
    log(Level::warning, "not_said");
    EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
    set_log_level(Level::info);
}

} // namespace
} // namespace tenancy::sidecar

#include "json.hpp"

#include "refusal.hpp"
#include "sqlstate.hpp"

namespace tenancy {
namespace {

using test::expect_refused;
using Kind = JsonValue::Kind;

JsonValue read(std::string_view text) {
    return read_json(text, sqlstate::invalid_parameter, "text");
}

void expect_text_refused(std::string_view text, std::string_view words) {
    SCOPED_TRACE(std::string(text));
    expect_refused(sqlstate::invalid_parameter, words, [&] { static_cast<void>(read(text)); });
}

TEST(Json, ReadsEachKindOfValue) {
    const JsonValue value = read(R"( {"n":null,"t":true,"f":false,"i":-7,"s":"\u00e4\n",
        "a":[1,[2],{"b":3}],"o":{"x":"y"},"e":{}} )");
    ASSERT_EQ(value.kind, Kind::object);
    EXPECT_EQ(value.members.size(), 8U);
    EXPECT_EQ(value.find("n")->kind, Kind::null);
    EXPECT_TRUE(value.find("t")->boolean);
    EXPECT_FALSE(value.find("f")->boolean);
    EXPECT_EQ(value.find("i")->integer, -7);
    EXPECT_EQ(value.find("s")->string, "\xc3\xa4\n");
    ASSERT_EQ(value.find("a")->elements.size(), 3U);
    EXPECT_EQ(value.find("a")->elements[1].elements[0].integer, 2);
    EXPECT_EQ(value.find("a")->elements[2].find("b")->integer, 3);
    EXPECT_EQ(value.find("o")->find("x")->string, "y");
    EXPECT_EQ(value.find("e")->kind, Kind::object);
    EXPECT_EQ(value.find("missing"), nullptr);
    EXPECT_EQ(value.find("s")->find("x"), nullptr);
}

TEST(Json, PlainIntegersOnlyAreIntegers) {
    EXPECT_EQ(read("0").integer, 0);
    EXPECT_EQ(read("9223372036854775807").integer, INT64_MAX);
    EXPECT_EQ(read("-9223372036854775808").integer, INT64_MIN);
    for (const char* text :
         {"1.0", "1e3", "1E0", "0.0", "-0", "-0.0", "9223372036854775808", "18446744073709551615",
          "18446744073709551616", "-9223372036854775809", "123456789012345678901234567890"})
        EXPECT_EQ(read(text).kind, Kind::number) << text;
}

TEST(Json, NumbersOutsideDoubleAreRefused) {
    expect_text_refused("1e999", "not valid JSON");
}

TEST(Json, DepthOfEightIsAccepted) {
    EXPECT_EQ(read("[[[[[[[[]]]]]]]]").kind, Kind::array);
    EXPECT_EQ(read(R"({"a":[{"a":[{"a":[{"a":[1]}]}]}]})").kind, Kind::object);
}

TEST(Json, DepthOfNineIsRefused) {
    expect_text_refused("[[[[[[[[[]]]]]]]]]", "nested too deeply");
    expect_text_refused(R"([{"a":[{"a":[{"a":[{"a":[]}]}]}]}])", "nested too deeply");
    expect_text_refused(std::string(8000, '['), "nested too deeply");
}

TEST(Json, DuplicateMembersAreRefusedAtAnyLevel) {
    expect_text_refused(R"({"a":1,"a":1})", "duplicate member");
    expect_text_refused(R"({"a":1,"b":2,"a":null})", "duplicate member");
    expect_text_refused(R"({"x":{"a":1,"a":2}})", "duplicate member");
    expect_text_refused(R"({"x":[0,{"y":{"a":1,"a":2}}]})", "duplicate member");
    expect_text_refused(R"({"":1,"":2})", "duplicate member");
}

TEST(Json, DuplicateMembersAreFoundBehindEscapes) {
    expect_text_refused(R"({"exp":1,"\u0065xp":2})", "duplicate member");
}

TEST(Json, SameNameInDifferentObjectsIsNoDuplicate) {
    EXPECT_EQ(read(R"({"a":{"a":1},"b":[{"a":1},{"a":2}]})").kind, Kind::object);
    EXPECT_EQ(read(R"({"a":1,"A":2})").members.size(), 2U);
}

TEST(Json, NulIsRefusedInAnyForm) {
    expect_text_refused(std::string_view("{}\0", 3), "NUL");
    expect_text_refused(std::string_view("{}\0{\"a\":1}", 10), "NUL");
    expect_text_refused(std::string_view("\"a\0b\"", 5), "NUL");
    expect_text_refused(R"("a\u0000b")", "NUL");
    expect_text_refused(R"({"a\u0000b":1})", "NUL");
}

TEST(Json, ByteOrderMarkIsRefused) {
    expect_text_refused("\xEF\xBB\xBF{}", "byte order mark");
}

TEST(Json, InvalidUtf8IsRefused) {
    for (const char* text : {"\"\xff\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"\xe2\x82\"",
                             "\"\xf4\x90\x80\x80\"", "{\"\x80\":1}"})
        expect_text_refused(text, "not valid JSON");
}

TEST(Json, LoneSurrogatesAreRefused) {
    for (const char* text : {R"("\ud800")", R"("\udc00")", R"("\ud800\u0041")", R"("\ud800x")"})
        expect_text_refused(text, "not valid JSON");
    EXPECT_EQ(read(R"("\ud83d\ude00")").string, "\xF0\x9F\x98\x80");
}

TEST(Json, SyntaxErrorsAreRefused) {
    for (const char* text :
         {"",        " ",     "{",     "[1,]", "{\"a\":1,}", "{'a':1}",   "{a:1}", "01",
          "+1",      ".5",    "1.",    "NaN",  "Infinity",   "tru",       "\"a",   "\"a\nb\"",
          "// c\n1", "/**/1", "{} {}", "1 2",  "{}x",        "\xc2\xa0{}"})
        expect_text_refused(text, "not valid JSON");
}

TEST(Json, LongTextsAreRefused) {
    const std::string longest = "\"" + std::string(json_max_bytes - 2, 'a') + "\"";
    EXPECT_EQ(read(longest).string.size(), json_max_bytes - 2);
    expect_text_refused(longest + " ", "too long");
}

TEST(Json, ObjectIsDemanded) {
    for (const char* text : {"[]", "null", "\"zq7secret\"", "1"})
        expect_refused(sqlstate::token_invalid, "text is not a JSON object", [&] {
            static_cast<void>(read_json_object(text, sqlstate::token_invalid, "text"));
        });
}

TEST(Json, MessagesDoNotQuoteTheText) {
    expect_text_refused(R"({"zq7secret":zq7secret})", "text is not valid JSON");
    expect_text_refused(R"({"zq7secret":1,"zq7secret":1})", "duplicate member");
}

} // namespace
} // namespace tenancy

#include "redis/codec.hpp"

#include <gtest/gtest.h>

#include "base/failure.hpp"

namespace tenancy::sidecar::redis {
namespace {

using Type = Reply::Type;

Reply read(std::string_view bytes) {
    ReplyReader reader;
    reader.feed(bytes);
    return reader.next().value();
}

std::string reason_of(ReplyReader& reader, std::string_view bytes) {
    try {
        reader.feed(bytes);
        return reader.next() ? "a reply" : "nothing yet";
    } catch (const Unavailable& error) {
        return error.reason();
    }
}

std::string reason_of(std::string_view bytes) {
    ReplyReader reader;
    return reason_of(reader, bytes);
}

TEST(RedisCodec, CommandsAreBinarySafe) {
    std::string bytes = "before ";
    encode({"SET", std::string("a\0\r\n", 4), ""}, bytes);
    EXPECT_EQ(bytes, std::string("before *3\r\n$3\r\nSET\r\n$4\r\na\0\r\n\r\n$0\r\n\r\n", 36));
}

TEST(RedisCodec, EachTypeOfReply) {
    EXPECT_EQ(read("+OK\r\n").type, Type::status);
    EXPECT_EQ(read("+OK\r\n").text, "OK");
    EXPECT_EQ(read("-ERR no\r\n").text, "ERR no");
    EXPECT_TRUE(read("-ERR no\r\n").is_error());
    EXPECT_EQ(read(":-9223372036854775808\r\n").integer, INT64_MIN);
    EXPECT_EQ(read("$-1\r\n").type, Type::nil);
    EXPECT_EQ(read("*-1\r\n").type, Type::nil);
    EXPECT_EQ(read({"$3\r\na\0b\r\n", 9}).text, std::string("a\0b", 3));
    EXPECT_EQ(read("*0\r\n").type, Type::array);
}

TEST(RedisCodec, ArraysWithinArrays) {
    const Reply reply = read("*3\r\n*2\r\n:1\r\n$-1\r\n+a\r\n*1\r\n*1\r\n-E\r\n");
    ASSERT_EQ(reply.elements.size(), 3U);
    EXPECT_EQ(reply.elements[0].elements[0].integer, 1);
    EXPECT_EQ(reply.elements[0].elements[1].type, Type::nil);
    EXPECT_EQ(reply.elements[1].text, "a");
    EXPECT_EQ(reply.elements[2].elements[0].elements[0].text, "E");
}

TEST(RedisCodec, BytesMayComeOneByOne) {
    ReplyReader reader;
    const std::string_view bytes = "*2\r\n$2\r\nhi\r\n:7\r\n+next\r\n";
    std::vector<Reply> replies;
    for (const char& byte : bytes) {
        reader.feed(std::span(&byte, 1));
        while (auto reply = reader.next()) {
            replies.push_back(std::move(*reply));
        }
    }
    ASSERT_EQ(replies.size(), 2U);
    EXPECT_EQ(replies[0].elements[1].integer, 7);
    EXPECT_EQ(replies[1].text, "next");
}

TEST(RedisCodec, WhatIsNoReplyIsRefused) {
    for (const char* bytes :
         {"hello\r\n", "\r\n", "$x\r\n", ":x\r\n", "$-2\r\n", "%1\r\n+a\r\n+b\r\n", "%0\r\n",
          "~1\r\n+a\r\n", ">1\r\n+a\r\n", ",1.5\r\n", "#t\r\n", "_\r\n", "=5\r\ntxt:a\r\n",
          "(1\r\n", "*2\r\n+a\r\n#t\r\n"}) {
        EXPECT_EQ(reason_of(bytes), "ProtocolError") << bytes;
    }
}

std::string nested(int arrays) {
    std::string bytes;
    for (int i = 0; i < arrays; i++) {
        bytes += "*1\r\n";
    }
    return bytes + ":1\r\n";
}

TEST(RedisCodec, DepthIsLimited) {
    EXPECT_EQ(reason_of(nested(8)), "a reply");
    EXPECT_EQ(reason_of(nested(9)), "ProtocolError");
    EXPECT_EQ(reason_of(nested(100'000)), "ProtocolError");
}

TEST(RedisCodec, AReplyMayNotBeLargerThanTheLimit) {
    ReplyReader reader({.bytes = 100, .elements = 10});
    EXPECT_EQ(reason_of(reader, "$90\r\n" + std::string(90, 'x') + "\r\n"), "a reply");
    EXPECT_EQ(reason_of(reader, "$200\r\n" + std::string(90, 'x')), "nothing yet");
    EXPECT_EQ(reason_of(reader, std::string(20, 'x')), "ReplyTooLarge");
}

TEST(RedisCodec, ManyRepliesAreNotOneLargeOne) {
    ReplyReader reader({.bytes = 100, .elements = 10});
    for (int i = 0; i < 100; i++) {
        EXPECT_EQ(reason_of(reader, "*2\r\n:1\r\n:2\r\n"), "a reply");
    }
}

TEST(RedisCodec, ElementsAreCountedBeforeTheyCome) {
    EXPECT_EQ(reason_of("*2147483647\r\n"), "ReplyTooLarge");
    ReplyReader within({.bytes = 100, .elements = 10});
    EXPECT_EQ(reason_of(within, "*10\r\n"), "nothing yet");
    ReplyReader beyond({.bytes = 100, .elements = 10});
    EXPECT_EQ(reason_of(beyond, "*5\r\n*6\r\n"), "ReplyTooLarge");
}

} // namespace
} // namespace tenancy::sidecar::redis

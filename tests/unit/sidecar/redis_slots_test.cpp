#include "redis/slots.hpp"

#include <gtest/gtest.h>

#include "base/failure.hpp"

namespace tenancy::sidecar::redis {
namespace {

Reply integer(std::int64_t value) {
    Reply reply;
    reply.type = Reply::Type::integer;
    reply.integer = value;
    return reply;
}

Reply text(const std::string& value) {
    Reply reply;
    reply.type = Reply::Type::text;
    reply.text = value;
    return reply;
}

Reply array(std::vector<Reply> elements) {
    Reply reply;
    reply.type = Reply::Type::array;
    reply.elements = std::move(elements);
    return reply;
}

Reply range(std::int64_t first, std::int64_t last, const Reply& host, std::int64_t port) {
    return array({integer(first), integer(last), array({host, integer(port), text("id")})});
}

const Address asked{"asked", 1};

// The check value of CRC-16/XMODEM, which the cluster specification names too, and that of nothing.
TEST(RedisSlots, PublishedCheckValues) {
    EXPECT_EQ(crc16("123456789"), 0x31C3);
    EXPECT_EQ(crc16(""), 0);
}

// As CLUSTER KEYSLOT answers.
TEST(RedisSlots, SlotsOfKeys) {
    EXPECT_EQ(slot_of("foo"), 12182U);
    EXPECT_EQ(slot_of("somekey"), 11058U);
    EXPECT_EQ(slot_of("foo{hash_tag}"), 2515U);
    EXPECT_EQ(slot_of("bar{hash_tag}"), 2515U);
}

TEST(RedisSlots, TheFirstTagThatIsNotEmptyCounts) {
    EXPECT_EQ(slot_of("{user1000}.following"), slot_of("user1000"));
    EXPECT_EQ(slot_of("foo{{bar}}zap"), slot_of("{bar"));
    EXPECT_EQ(slot_of("foo{bar}{zap}"), slot_of("bar"));
    EXPECT_EQ(slot_of("foo{}{bar}"), crc16("foo{}{bar}") % slot_count);
    EXPECT_EQ(slot_of("foo{bar"), crc16("foo{bar") % slot_count);
    EXPECT_EQ(slot_of("}foo{bar}"), slot_of("bar"));
}

TEST(RedisSlots, OwnersFromTheServersReply) {
    const SlotMap map(array({range(0, 99, text("a"), 1), range(100, 200, text("b"), 2),
                             range(16383, 16383, text("a"), 1)}),
                      asked);
    EXPECT_EQ(map.primaries(), (std::vector<Address>{{"a", 1}, {"b", 2}}));
    ASSERT_NE(map.owner(99), nullptr);
    EXPECT_EQ(*map.owner(99), (Address{"a", 1}));
    EXPECT_EQ(*map.owner(100), (Address{"b", 2}));
    EXPECT_EQ(*map.owner(16383), (Address{"a", 1}));
    EXPECT_EQ(map.owner(201), nullptr);
}

TEST(RedisSlots, NoHostMeansTheOneThatWasAsked) {
    const SlotMap map(array({range(0, 0, Reply{}, 7), range(1, 1, text(""), 8)}), asked);
    EXPECT_EQ(*map.owner(0), (Address{"asked", 7}));
    EXPECT_EQ(*map.owner(1), (Address{"asked", 8}));
}

TEST(RedisSlots, AReplyThatCannotBeMeantIsRefused) {
    for (const Reply& reply :
         {text("x"), array({text("x")}), array({array({})}), array({range(-1, 1, text("a"), 1)}),
          array({range(0, 16384, text("a"), 1)}), array({range(2, 1, text("a"), 1)}),
          array({range(0, 1, text("a"), 0)}), array({range(0, 1, text("a"), 65536)}),
          array({range(0, 1, integer(1), 1)})}) {
        EXPECT_THROW(SlotMap(reply, asked), Unavailable);
    }
}

TEST(RedisSlots, OneSlotCanChangeItsOwner) {
    SlotMap map(array({range(0, 99, text("a"), 1)}), asked);
    const SlotMap before = map;
    map.set_owner(5, {"c", 3});
    EXPECT_EQ(*map.owner(5), (Address{"c", 3}));
    EXPECT_EQ(*map.owner(6), (Address{"a", 1}));
    EXPECT_FALSE(map == before);
}

} // namespace
} // namespace tenancy::sidecar::redis

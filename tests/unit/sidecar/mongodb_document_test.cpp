// BSON out of JSON and back.
#include "mongodb/document.hpp"

#include <cstdint>
#include <limits>

#include <nlohmann/json.hpp>
#include <gtest/gtest.h>

#include "base/failure.hpp"

namespace tenancy::sidecar::mongodb {
namespace {

OrderedJson there_and_back(const Json& value, Reading reading) {
    Document document;
    document.json("v", value, reading);
    return to_json(*document.get())["v"];
}

OrderedJson plainly(const Json& value) {
    return there_and_back(value, Reading::plain);
}

OrderedJson extended(const Json& value) {
    return there_and_back(value, Reading::extended);
}

bson_type_t type_of(const Json& value, Reading reading) {
    Document document;
    document.json("v", value, reading);
    bson_iter_t iter;
    return bson_iter_init_find(&iter, document.get(), "v") ? bson_iter_type(&iter) : BSON_TYPE_EOD;
}

TEST(MongodbDocument, KeepsEveryIntegerExactly) {
    for (const std::int64_t value :
         {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1} << 31, (std::int64_t{1} << 53) + 1,
          std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
        EXPECT_EQ(plainly(value).get<std::int64_t>(), value);
        EXPECT_TRUE(plainly(value).is_number_integer());
    }
}

TEST(MongodbDocument, MakesDoublesOfIntegersThatAreTooLarge) {
    EXPECT_EQ(type_of(std::numeric_limits<std::uint64_t>::max(), Reading::plain), BSON_TYPE_DOUBLE);
    EXPECT_EQ(type_of(1.0, Reading::plain), BSON_TYPE_DOUBLE);
    EXPECT_EQ(type_of(1, Reading::plain), BSON_TYPE_INT32);
    EXPECT_EQ(type_of(std::int64_t{1} << 31, Reading::plain), BSON_TYPE_INT64);
}

TEST(MongodbDocument, KeepsSettingsAsTheyAre) {
    const Json settings{{"billing.plan", "gold"},
                        {"", nullptr},
                        {"$where", true},
                        {"dates", {{"$date", "2020-01-01"}, {"a.b", {1, 2.5, Json::object()}}}},
                        {"oid", {{"$oid", "no oid at all"}}},
                        {"text", std::string("a\0b", 3)},
                        {"empty", Json::array()}};
    EXPECT_EQ(Json(plainly(settings)), settings);
    EXPECT_EQ(type_of({{"$date", "2020-01-01T00:00:00Z"}}, Reading::plain), BSON_TYPE_DOCUMENT);
}

TEST(MongodbDocument, ReadsExtendedJsonWhereAsked) {
    EXPECT_EQ(type_of({{"$date", "2020-01-01T00:00:00Z"}}, Reading::extended), BSON_TYPE_DATE_TIME);
    EXPECT_EQ(type_of({{"$oid", "5f5e1000a0a0a0a0a0a0a0a0"}}, Reading::extended), BSON_TYPE_OID);
    EXPECT_EQ(type_of({{"$numberLong", "1"}}, Reading::extended), BSON_TYPE_INT64);
    EXPECT_EQ(extended({{"$numberLong", "9007199254740993"}}).get<std::int64_t>(),
              9007199254740993);
}

TEST(MongodbDocument, LeavesQueryOperatorsDocuments) {
    for (const Json& query : {Json{{"$type", "string"}}, Json{{"$regex", "^a"}},
                              Json{{"$regex", "^a"}, {"$options", "i"}}, Json{{"$gt", 1}},
                              Json{{"$and", {{{"a", {{"$exists", true}}}}}}}}) {
        EXPECT_EQ(Json(extended(query)), query) << query;
    }
}

TEST(MongodbDocument, WritesWhatJsonLacksAsExtendedJson) {
    const Json date{{"$date", {{"$numberLong", "1577836800000"}}}};
    EXPECT_EQ(Json(extended({{"$date", "2020-01-01T00:00:00Z"}})), date);
    EXPECT_EQ(Json(extended(date)), date);
}

TEST(MongodbDocument, RefusesWhatBsonCannotHold) {
    EXPECT_THROW(extended({{"$oid", "short"}}), DocumentError);
    Json deep = 1;
    for (int level = 0; level < 200; ++level) {
        deep = Json::array({deep});
    }
    EXPECT_THROW(plainly(deep), DocumentError);
}

TEST(MongodbDocument, ReadsIntegersOfAnyNumberType) {
    const OrderedJson object{{"i", 7}, {"d", 7.0}, {"half", 7.5}, {"text", "7"}};
    EXPECT_EQ(integer_at(object, "i", 0), 7);
    EXPECT_EQ(integer_at(object, "d", 0), 7);
    EXPECT_EQ(integer_at(object, "half", -1), -1);
    EXPECT_EQ(integer_at(object, "text", -1), -1);
    EXPECT_EQ(integer_at(object, "none", -1), -1);
}

// As a server that lies may send it; MongoDB itself takes no more than 200 levels.
Document nested(int levels) {
    Document document;
    for (int i = 0; i < levels; ++i) {
        Document around;
        around.document("d", document);
        document = std::move(around);
    }
    return document;
}

TEST(MongodbDocument, GoesOnlySoDeep) {
    EXPECT_EQ(to_json(*nested(200).get()).size(), 1U);
    EXPECT_THROW((void)to_json(*nested(2000).get()), Unavailable);
}

} // namespace
} // namespace tenancy::sidecar::mongodb

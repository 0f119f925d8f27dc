// Templates and what a server lists, compared by what they mean.
#include "mongodb/templates.hpp"

#include <nlohmann/json.hpp>
#include <gtest/gtest.h>

namespace tenancy::sidecar::mongodb {
namespace {

IndexTemplate index_of(const std::vector<std::pair<std::string, Json>>& keys) {
    IndexTemplate index;
    index.name = "i";
    index.keys.assign(keys.begin(), keys.end());
    return index;
}

OrderedJson listed(const char* text) {
    return OrderedJson::parse(text);
}

CollectionTemplate with_index(const IndexTemplate& index) {
    CollectionTemplate collection;
    collection.name = "c";
    collection.indexes.emplace(index.name, index);
    return collection;
}

// Whether an index that is listed so would be left as it is.
bool satisfies(const IndexTemplate& wanted, const char* text) {
    const auto found = with_index(read_index(listed(text)));
    return in_words_of(with_index(wanted), found) == with_index(wanted);
}

bool validator_satisfies(const Json& wanted, const char* options) {
    CollectionTemplate collection;
    collection.name = "c";
    collection.validator = wanted;
    OrderedJson found{{"name", "c"}};
    found["options"] = listed(options);
    return in_words_of(collection, read_collection(found)) == collection;
}

TEST(MongodbTemplates, NumbersOfAllTypesAreEqual) {
    EXPECT_EQ(canonical(Json{{"a", 1.0}}), canonical(Json{{"a", 1}}));
    EXPECT_EQ(canonical(Json{{"a", {{"$numberLong", "1"}}}}), canonical(Json{{"a", 1}}));
    EXPECT_TRUE(canonical(Json{{"a", 1.0}})["a"].is_number_integer());
    EXPECT_NE(canonical(Json{{"a", 1.5}}), canonical(Json{{"a", 1}}));
    EXPECT_NE(canonical(Json{{"a", true}}), canonical(Json{{"a", 1}}));
    EXPECT_NE(canonical(Json{{"a", 9007199254740993}}), canonical(Json{{"a", 9007199254740992}}));
}

TEST(MongodbTemplates, DatesAreEqualHoweverWritten) {
    EXPECT_EQ(canonical(Json{{"$gt", {{"$date", "2020-01-01T00:00:00Z"}}}}),
              canonical(Json{{"$gt", {{"$date", {{"$numberLong", "1577836800000"}}}}}}));
}

TEST(MongodbTemplates, MalformedValuesStayAsTheyAre) {
    const Json malformed{{"a", {{"$oid", "x"}}}};
    EXPECT_EQ(canonical(malformed), malformed);
}

TEST(MongodbTemplates, OrderOfKeysMattersInIndexesOnly) {
    EXPECT_TRUE(validator_satisfies({{"a", 1}, {"b", 2}}, R"({"validator": {"b": 2.0, "a": 1}})"));
    const auto wanted = index_of({{"b", 1}, {"a", -1}});
    EXPECT_TRUE(satisfies(wanted, R"({"v": 2, "key": {"b": 1.0, "a": -1}, "name": "i"})"));
    EXPECT_FALSE(satisfies(wanted, R"({"v": 2, "key": {"a": -1, "b": 1}, "name": "i"})"));
    EXPECT_FALSE(satisfies(wanted, R"({"v": 2, "key": {"b": -1, "a": -1}, "name": "i"})"));
}

TEST(MongodbTemplates, WhatTheServerAddsIsIgnored) {
    EXPECT_TRUE(satisfies(index_of({{"a", 1}}), R"({"v": 2, "key": {"a": 1}, "name": "i",
                          "ns": "t.c", "background": true, "unique": false, "sparse": 0})"));
}

TEST(MongodbTemplates, EachOptionOfAnIndexCounts) {
    const auto wanted = index_of({{"a", 1}});
    for (const char* option :
         {R"("unique": true)", R"("sparse": 1)", R"("expireAfterSeconds": 5)",
          R"("partialFilterExpression": {"a": 1})", R"("collation": {"locale": "en"})"}) {
        const std::string text = R"({"key": {"a": 1}, "name": "i", )" + std::string(option) + "}";
        EXPECT_FALSE(satisfies(wanted, text.c_str())) << option;
    }
}

TEST(MongodbTemplates, CollationsAreEqualToThoseWithTheirDefaults) {
    auto wanted = index_of({{"a", 1}});
    wanted.collation = Json{{"locale", "fr_CA"}, {"strength", 2}};
    const auto shown = [](const char* strength) {
        return R"({"key": {"a": 1}, "name": "i", "collation": {"locale": "fr_CA", "caseLevel": false,
            "caseFirst": "off", "numericOrdering": false, "alternate": "non-ignorable",
            "maxVariable": "punct", "normalization": false, "backwards": true, "version": "57.1",
            "strength": )" +
               std::string(strength) + "}}";
    };
    EXPECT_TRUE(satisfies(wanted, shown("2").c_str()));
    EXPECT_FALSE(satisfies(wanted, shown("3").c_str()));
    wanted.collation->set("backwards", false);
    EXPECT_FALSE(satisfies(wanted, shown("2").c_str()));
}

TEST(MongodbTemplates, SimpleCollationIsNone) {
    auto wanted = index_of({{"a", 1}});
    wanted.collation = Json{{"locale", "simple"}};
    EXPECT_TRUE(satisfies(wanted, R"({"key": {"a": 1}, "name": "i"})"));
}

TEST(MongodbTemplates, EmptyValidatorsAndFiltersAreNone) {
    EXPECT_TRUE(validator_satisfies(Json::object(), "{}"));
    auto wanted = index_of({{"a", 1}});
    wanted.partial = Json::object();
    EXPECT_TRUE(satisfies(wanted, R"({"key": {"a": 1}, "name": "i"})"));
}

TEST(MongodbTemplates, ValidatorsCountOnlyWhereEnforced) {
    EXPECT_TRUE(validator_satisfies({{"a", 1}}, R"({"validator": {"a": 1},
                                    "validationLevel": "strict", "validationAction": "error"})"));
    EXPECT_FALSE(
        validator_satisfies({{"a", 1}}, R"({"validator": {"a": 1}, "validationAction": "warn"})"));
    EXPECT_FALSE(
        validator_satisfies({{"a", 1}}, R"({"validator": {"a": 1}, "validationLevel": "off"})"));
}

TEST(MongodbTemplates, ADifferenceInTheTtlAloneIsSeenAsThat) {
    auto wanted = index_of({{"a", 1.0}});
    wanted.ttl_seconds = 60;
    wanted.partial = Json{{"b", {{"$gt", 1.0}}}};
    const auto found = with_index(read_index(listed(R"({"key": {"a": 1}, "name": "i",
        "expireAfterSeconds": 30.0, "partialFilterExpression": {"b": {"$gt": 1}}})")));
    auto expected = wanted;
    expected.ttl_seconds = 30;
    EXPECT_EQ(in_words_of(with_index(wanted), found).indexes.at("i"), expected);
}

TEST(MongodbTemplates, ATtlThatIsNoNumberEqualsNone) {
    auto wanted = index_of({{"a", 1}});
    EXPECT_FALSE(satisfies(wanted, R"({"key": {"a": 1}, "name": "i",
                           "expireAfterSeconds": {"$numberDouble": "NaN"}})"));
}

TEST(MongodbTemplates, TextIndexesAreReadByTheirWeights) {
    EXPECT_TRUE(satisfies(index_of({{"a", "text"}, {"b", 1}}),
                          R"({"key": {"_fts": "text", "_ftsx": 1, "b": 1}, "name": "i",
                          "weights": {"a": 1}})"));
}

TEST(MongodbTemplates, WritesIndexesAsTheServerTakesThem) {
    auto index = index_of({{"b", 1}, {"a", "hashed"}});
    index.unique = true;
    index.ttl_seconds = 5;
    index.partial = Json{{"b", {{"$gt", {{"$date", {{"$numberLong", "0"}}}}}}}};
    const auto written = to_json(*index_document(index).get());
    EXPECT_EQ(written.dump(),
              R"({"key":{"b":1,"a":"hashed"},"name":"i","unique":true,"expireAfterSeconds":5,)"
              R"("partialFilterExpression":{"b":{"$gt":{"$date":{"$numberLong":"0"}}}}})");
}

} // namespace
} // namespace tenancy::sidecar::mongodb

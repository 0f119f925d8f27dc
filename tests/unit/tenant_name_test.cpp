#include "tenant_name.hpp"

#include "refusal.hpp"
#include "sqlstate.hpp"

namespace tenancy {
namespace {

using test::expect_refused;

constexpr const char* id_text = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";

void expect_malformed(std::string_view text) {
    SCOPED_TRACE(std::string(text));
    expect_refused(sqlstate::name_malformed, "malformed name of a tenant",
                   [&] { static_cast<void>(classify_designator(text)); });
}

TEST(TenantName, Slugs) {
    for (const char* slug : {"a", "7", "acme", "acme-eu-1", "a-", "a--b", "42"})
        EXPECT_TRUE(is_slug(slug)) << slug;
    EXPECT_TRUE(is_slug(std::string(39, 'a')));
    EXPECT_FALSE(is_slug(std::string(40, 'a')));
    for (const char* slug : {"", "-a", "Acme", "acme_eu", "acme.eu", "acme eu", " acme", "acme ",
                             "\xc3\xa4rzte", "acme\n", "a:b", "*"})
        EXPECT_FALSE(is_slug(slug)) << slug;
}

TEST(TenantName, NoSlugReadsAsUuid) {
    EXPECT_FALSE(is_slug(id_text));
    EXPECT_FALSE(is_slug("a0eebc999c0b4ef8bb6d6bb9bd380a11"));
    EXPECT_FALSE(is_slug("a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11"));
    EXPECT_TRUE(is_slug("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1x"));
}

TEST(TenantName, AliasKinds) {
    EXPECT_TRUE(is_alias_kind("host"));
    EXPECT_TRUE(is_alias_kind("old_slug2"));
    EXPECT_TRUE(is_alias_kind(std::string(31, 'k')));
    EXPECT_FALSE(is_alias_kind(std::string(32, 'k')));
    for (const char* kind : {"", "Host", "2nd", "_k", "a-b", "a b"})
        EXPECT_FALSE(is_alias_kind(kind)) << kind;
    for (const char* kind : {"slug", "id", "external", "token"})
        EXPECT_TRUE(is_reserved_alias_kind(kind)) << kind;
    EXPECT_FALSE(is_reserved_alias_kind("host"));
}

TEST(TenantName, AliasValues) {
    EXPECT_TRUE(is_alias_value("chat.example.com"));
    EXPECT_TRUE(is_alias_value("a b"));
    EXPECT_TRUE(is_alias_value("urn:x:y"));
    EXPECT_TRUE(is_alias_value(std::string(255, 'v')));
    EXPECT_FALSE(is_alias_value(std::string(256, 'v')));
    for (const char* value : {"", " a", "a ", "a\tb", "a\n", "\x7f"})
        EXPECT_FALSE(is_alias_value(value)) << value;
    EXPECT_FALSE(is_alias_value(std::string_view("a\0b", 3)));
}

TEST(Designator, SlugIsTheRest) {
    const Designator acme = classify_designator("acme");
    EXPECT_EQ(acme.kind, Designator::Kind::slug);
    EXPECT_EQ(acme.value, "acme");
    EXPECT_EQ(classify_designator("42").kind, Designator::Kind::slug);
}

TEST(Designator, UuidOfAnyCaseIsTheId) {
    for (const char* text : {id_text, "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"}) {
        const Designator designator = classify_designator(text);
        EXPECT_EQ(designator.kind, Designator::Kind::id);
        EXPECT_EQ(print_uuid(designator.id), id_text);
    }
}

TEST(Designator, AliasIsSplitAtTheFirstColon) {
    const Designator host = classify_designator("host:chat.example.com");
    EXPECT_EQ(host.kind, Designator::Kind::alias);
    EXPECT_EQ(host.alias_kind, "host");
    EXPECT_EQ(host.value, "chat.example.com");
    EXPECT_EQ(classify_designator("urn:a:b").value, "a:b");
}

TEST(Designator, ExternalId) {
    const Designator external = classify_designator("external:42");
    EXPECT_EQ(external.kind, Designator::Kind::external_id);
    EXPECT_EQ(external.value, "42");
}

TEST(Designator, TwoDotsMakeAToken) {
    EXPECT_EQ(classify_designator("e30.e30.AA").kind, Designator::Kind::token);
    EXPECT_EQ(classify_designator("..").kind, Designator::Kind::token);
    EXPECT_EQ(classify_designator("host:a.b.c").kind, Designator::Kind::alias);
}

TEST(Designator, AnythingElseIsRefusedWithoutQuotingIt) {
    for (const char* text :
         {"", "zq7secret.part", "zq7secret.a.b.c", "Zq7secret", " zq7secret", "Host:zq7secret",
          ":zq7secret", "host:", "host: zq7secret", "slug:zq7secret", "id:zq7secret",
          "token:zq7secret", "external:", "a0eebc999c0b4ef8bb6d6bb9bd380a11"})
        expect_malformed(text);
}

TEST(TenantName, ChannelPrefix) {
    EXPECT_EQ(channel_prefix(parse_uuid(id_text).value_or(Uuid{})),
              "t_a0eebc999c0b4ef8bb6d6bb9bd380a11_");
}

} // namespace
} // namespace tenancy

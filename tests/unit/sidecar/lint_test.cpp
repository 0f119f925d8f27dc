// The linter's report and manifest, without a database.
#include "lint/report.hpp"
#include "lint/rules.hpp"

#include <filesystem>
#include <fstream>

#include <unistd.h>

#include <nlohmann/json.hpp>
#include <gtest/gtest.h>

namespace tenancy::sidecar::lint {
namespace {

using nlohmann::json;

Finding finding(const std::string& rule, Severity severity, const std::string& object) {
    return {rule,     severity,   "table",           object,        "message on " + object,
            "reason", "SELECT 1", "ALTER " + object, rule + object, std::nullopt};
}

Report report() {
    Report made;
    made.database = "shop";
    made.extension = true;
    made.findings = {finding("C02_owner_without_force", Severity::error, "a.t"),
                     finding("C02_owner_without_force", Severity::error, "a.u"),
                     finding("K23_global_key", Severity::warning, "a.k"),
                     finding("P30_totals", Severity::info, "shop")};
    made.rules = {{"C02_owner_without_force", Severity::error, "m", "w", "f"},
                  {"K23_global_key", Severity::warning, "m", "w", "f"},
                  {"P30_totals", Severity::info, "m", "w", "f"}};
    made.protected_tables = {{"a.t", "tenant_id"}};
    made.exempt_tables = {{"a.q", "a queue"}};
    return made;
}

std::vector<std::string> differing(const Manifest& manifest, const Report& found) {
    std::vector<std::string> lines;
    for (const Difference& one : differences(manifest, found)) {
        lines.push_back(one.subject + " " + one.what + " " + one.message);
    }
    return lines;
}

class ManifestFile : public testing::Test {
protected:
    void TearDown() override { std::filesystem::remove(file_); }

    Manifest read(const std::string& text) {
        std::ofstream(file_) << text;
        return read_manifest(file_);
    }

    std::string error(const std::string& text) {
        try {
            (void)read(text);
        } catch (const ManifestError& problem) {
            return problem.what();
        }
        return "";
    }

    std::filesystem::path file_ =
        std::filesystem::temp_directory_path() / ("tenancy-manifest-" + std::to_string(::getpid()));
};

TEST_F(ManifestFile, is_read_as_it_was_written) {
    const Manifest made = manifest_of(report());
    const Manifest back = read(manifest_text(made));
    EXPECT_EQ(manifest_text(back), manifest_text(made));
    EXPECT_TRUE(differing(back, report()).empty());
    EXPECT_EQ(back.findings.size(), 3U) << "infos are no part of it";
}

TEST_F(ManifestFile, that_is_none_says_what_to_do) {
    EXPECT_NE(error("{").find("--write-manifest"), std::string::npos);
    EXPECT_NE(error("{\"version\": 2}").find("another version"), std::string::npos);
    EXPECT_NE(error("{\"version\": 1}").find("is no manifest"), std::string::npos);
    EXPECT_THROW((void)read_manifest("/nowhere/at/all"), ManifestError);
}

TEST(ManifestTest, tells_what_is_new_and_what_is_gone) {
    const Manifest before = manifest_of(report());
    Report now = report();
    now.protected_tables = {{"a.t", "account"}, {"a.v", "tenant_id"}};
    now.exempt_tables.clear();
    now.findings.erase(now.findings.begin());
    now.findings.push_back(finding("O12_materialized_view", Severity::error, "a.m"));
    EXPECT_EQ(differing(before, now),
              (std::vector<std::string>{"protected a.t was \"tenant_id\", is \"account\"",
                                        "protected a.v is protected now",
                                        "exempt a.q is no longer exempt",
                                        "finding O12_materialized_view a.m is new",
                                        "finding C02_owner_without_force a.t is gone"}));
}

TEST(ManifestTest, has_nothing_that_is_accepted) {
    Report found = report();
    found.findings[0].accepted = "known";
    EXPECT_EQ(manifest_of(found).findings.size(), 2U);
    EXPECT_EQ(differing(manifest_of(report()), found),
              std::vector<std::string>{"finding C02_owner_without_force a.t is gone"});
}

TEST(LintTextTest, groups_by_rule_and_counts) {
    const std::string text = as_text({report(), std::nullopt, false});
    EXPECT_NE(text.find("ERROR  C02_owner_without_force  (2)\n  reason\n  Shown by: SELECT 1\n"
                        "  * message on a.t\n    -> ALTER a.t\n  * message on a.u\n"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("shop: 2 errors, 1 warning, 1 info (--all shows them all).\n"),
              std::string::npos)
        << text;
    EXPECT_EQ(text.find("P30"), std::string::npos);
    EXPECT_NE(as_text({report(), std::nullopt, true}).find("INFO  P30_totals\n"),
              std::string::npos);
}

TEST(LintTextTest, shows_some_objects_of_many) {
    Report many;
    many.findings.resize(9, finding("K23_global_key", Severity::warning, "a.k"));
    EXPECT_NE(as_text({many, std::nullopt, false}).find("  and 4 more (--all shows them)\n"),
              std::string::npos);
    EXPECT_EQ(as_text({many, std::nullopt, true}).find("more (--all"), std::string::npos);
}

TEST(LintTextTest, has_no_control_characters_and_no_long_lines_of_prose) {
    Report found;
    found.findings = {finding("K23_global_key", Severity::warning, "a\x1b[2J.k")};
    found.findings[0].why = std::string(60, 'a') + ' ' + std::string(60, 'b');
    const std::string text = as_text({found, std::nullopt, false});
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_NE(text.find(std::string(60, 'a') + "\n  " + std::string(60, 'b')), std::string::npos);
}

TEST(LintTextTest, leaves_out_what_the_manifest_knows) {
    const Manifest known = manifest_of(report());
    Report found = report();
    found.findings.push_back(finding("O12_materialized_view", Severity::error, "a.m"));
    const Compared compared{"manifest.json", known, differences(known, found)};
    const std::string text = as_text({found, compared, false});
    EXPECT_EQ(text.find("C02_owner_without_force  (2)"), std::string::npos);
    EXPECT_NE(text.find("ERROR  O12_materialized_view\n"), std::string::npos);
    EXPECT_NE(text.find("3 of them in the manifest"), std::string::npos);
    EXPECT_NE(text.find("tenancyd lint --write-manifest manifest.json"), std::string::npos);
}

TEST(LintJsonTest, counts_what_is_not_accepted) {
    Report found = report();
    found.findings[0].accepted = "known";
    const auto shown = json::parse(as_json({found, std::nullopt, false}));
    EXPECT_EQ(shown["errors"], 1);
    EXPECT_EQ(shown["accepted"], 1);
    EXPECT_EQ(shown["findings"][0]["accepted"], "known");
    EXPECT_TRUE(shown["differences"].is_null());
}

TEST(LintSarifTest, names_rule_object_and_state) {
    Report found = report();
    found.findings[2].accepted = "known";
    const Compared compared{"manifest.json", Manifest{}, {}};
    const auto run = json::parse(as_sarif({found, compared, false}))["runs"][0];
    const auto result = run["results"][2];
    EXPECT_EQ(run["tool"]["driver"]["rules"][result["ruleIndex"].get<std::size_t>()]["id"],
              "K23_global_key");
    EXPECT_EQ(run["tool"]["driver"]["rules"][1]["name"], "GlobalKey");
    EXPECT_EQ(result["level"], "warning");
    EXPECT_EQ(result["suppressions"][0]["justification"], "known");
    EXPECT_EQ(result["baselineState"], "new");
    const auto location = result["locations"][0];
    EXPECT_EQ(location["logicalLocations"][0]["fullyQualifiedName"], "a.k");
    EXPECT_EQ(location["physicalLocation"]["artifactLocation"]["uri"], "manifest.json");
}

TEST(LintRulesTest, have_their_two_lists_as_parameters) {
    EXPECT_NE(plain_rules.find("unnest($1::text[])"), std::string_view::npos);
    EXPECT_NE(plain_rules.find("ANY ($2::text[])"), std::string_view::npos);
    EXPECT_EQ(plain_rules.find("SET jit"), std::string_view::npos);
    EXPECT_NE(plain_rules.find("'C02_owner_without_force'"), std::string_view::npos);
}

} // namespace
} // namespace tenancy::sidecar::lint

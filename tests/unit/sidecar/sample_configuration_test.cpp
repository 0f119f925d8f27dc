// The sample shows what the keys are when they are left out; so does the code.
#include "config/config.hpp"

#include <cctype>
#include <fstream>

#include <gtest/gtest.h>

namespace tenancy::sidecar {
namespace {

// A user name goes with a password, which is in a file.
bool needs_a_file(const std::string& line) {
    return line.find("_file = ") != std::string::npos ||
           line.find("username = ") != std::string::npos;
}

// Every key uncommented, but for those that need files.
std::filesystem::path uncommented() {
    auto file = std::filesystem::path(::testing::TempDir()) / "sample_configuration_test.toml";
    std::ifstream sample(TENANCY_SAMPLE);
    std::ofstream copy(file);
    for (std::string line; std::getline(sample, line);) {
        const bool is_key = line.size() > 1 && line[0] == '#' &&
                            (line[1] == '[' || std::islower(static_cast<unsigned char>(line[1])));
        if (!needs_a_file(line)) {
            copy << (is_key ? line.substr(1) : line) << '\n';
        }
    }
    return file;
}

class SampleTest : public ::testing::Test {
protected:
    Config sample = read_config(uncommented());
};

TEST_F(SampleTest, postgres) {
    const PostgresConfig given;
    EXPECT_EQ(sample.postgres.connect_timeout, given.connect_timeout);
    EXPECT_EQ(sample.postgres.statement_timeout, given.statement_timeout);
    EXPECT_EQ(sample.state_directory, "/var/lib/tenancyd");
}

TEST_F(SampleTest, stores) {
    const StoreConfig given;
    ASSERT_EQ(sample.stores.size(), 2U);
    const StoreConfig& cache = sample.stores[0];
    EXPECT_EQ(cache.kind, "redis");
    EXPECT_EQ(cache.cluster, given.cluster);
    EXPECT_EQ(cache.database, given.database);
    EXPECT_EQ(cache.users, given.users);
    EXPECT_EQ(cache.connect_timeout, given.connect_timeout);
    EXPECT_EQ(cache.operation_timeout, given.operation_timeout);
    EXPECT_EQ(cache.workers, given.workers);
    EXPECT_EQ(cache.batch, given.batch);
    EXPECT_EQ(cache.scan_rate, given.scan_rate);
    EXPECT_TRUE(cache.tls.enabled);
    EXPECT_EQ(sample.stores[1].kind, "mongodb");
    EXPECT_EQ(sample.stores[1].layout, given.layout);
}

TEST_F(SampleTest, reconcile) {
    const ReconcileConfig given;
    EXPECT_EQ(sample.reconcile.lease, given.lease);
    EXPECT_EQ(sample.reconcile.poll, given.poll);
    EXPECT_EQ(sample.reconcile.tick, given.tick);
    EXPECT_EQ(sample.reconcile.schedule, given.schedule);
    EXPECT_EQ(sample.reconcile.scan, given.scan);
    EXPECT_EQ(sample.reconcile.backoff_first, given.backoff_first);
    EXPECT_EQ(sample.reconcile.backoff_most, given.backoff_most);
    EXPECT_EQ(sample.reconcile.attempts, given.attempts);
}

TEST_F(SampleTest, service) {
    EXPECT_EQ(sample.http.listen, HttpConfig().listen);
    EXPECT_EQ(sample.log.level, LogConfig().level);
    EXPECT_FALSE(sample.check.backup_conninfo.empty());
}

} // namespace
} // namespace tenancy::sidecar

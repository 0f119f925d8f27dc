#include "config/config.hpp"

#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenancy::sidecar {
namespace {

using namespace std::chrono_literals;

constexpr const char* smallest = "[postgres]\nconninfo = 'dbname=shop'\n";

class ConfigTest : public ::testing::Test {
protected:
    void SetUp() override {
        std::string pattern = ::testing::TempDir() + "config_test.XXXXXX";
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        directory = pattern;
        unsetenv("CREDENTIALS_DIRECTORY");
        unsetenv("STATE_DIRECTORY");
    }
    void TearDown() override { std::filesystem::remove_all(directory); }

    std::filesystem::path write(const std::string& name, const std::string& text,
                                mode_t mode = 0600) const {
        const auto file = directory / name;
        std::ofstream(file) << text;
        chmod(file.c_str(), mode);
        return file;
    }

    Config read(const std::string& text) const { return read_config(write("tenancyd.toml", text)); }

    // The message without the file's name: "line:column: what".
    std::string error(const std::string& text) const {
        const auto file = write("tenancyd.toml", text);
        try {
            (void)read_config(file);
        } catch (const ConfigError& caught) {
            const std::string message = caught.what();
            EXPECT_TRUE(message.starts_with(file.string() + ':')) << message;
            return message.substr(file.string().size() + 1);
        }
        return "no error";
    }

    std::filesystem::path directory;
};

std::string store(const std::string& kind, const std::string& lines) {
    return std::string(smallest) + "[stores.one]\nkind = \"" + kind + "\"\n" + lines;
}

TEST_F(ConfigTest, defaults) {
    const Config config = read(smallest);
    EXPECT_EQ(config.postgres.conninfo, "dbname=shop");
    EXPECT_EQ(config.postgres.password, "");
    EXPECT_TRUE(config.stores.empty());
    EXPECT_EQ(config.reconcile.lease, 30s);
    EXPECT_EQ(config.http.listen, "127.0.0.1:9187");
    EXPECT_EQ(config.log.level, "info");
    EXPECT_EQ(config.state_directory, "/var/lib/tenancyd");
    EXPECT_FALSE(config.daemon.empty());
}

TEST_F(ConfigTest, state_directory_of_systemd) {
    setenv("STATE_DIRECTORY", "/var/lib/private/tenancyd", 1);
    EXPECT_EQ(read(smallest).state_directory, "/var/lib/private/tenancyd");
}

TEST_F(ConfigTest, everything) {
    write("secret", "of the store\n");
    const Config config = read(R"(daemon = "blue"
state_directory = "state"
[postgres]
conninfo = "postgresql://tenancyd@db/shop"
nodes = ["host=a dbname=shop", "host=b dbname=shop"]
connect_timeout = "500ms"
[stores.cache]
kind = "redis"
addresses = ["[::1]:6379", "cache.example:6380"]
username = "tenancyd"
password_file = "secret"
database = 3
workers = 5
[stores.cache.tls]
server_name = "cache"
[stores.docs]
kind = "mongodb"
uri = "mongodb://one:27017,two:27017/?replicaSet=rs"
operation_timeout = "2m"
[reconcile]
lease = "1h"
attempts = 3
[http]
listen = ""
[log]
level = "debug"
)");
    EXPECT_EQ(config.daemon, "blue");
    EXPECT_EQ(config.state_directory, directory / "state");
    EXPECT_EQ(config.postgres.nodes.size(), 2U);
    EXPECT_EQ(config.postgres.connect_timeout, 500ms);
    ASSERT_EQ(config.stores.size(), 2U);
    EXPECT_EQ(config.stores[0].name, "cache");
    EXPECT_EQ(config.find_store("docs"), &config.stores[1]);
    EXPECT_EQ(config.find_store("doc"), nullptr);
    EXPECT_EQ(config.stores[0].password, "of the store");
    EXPECT_EQ(config.stores[0].database, 3);
    EXPECT_EQ(config.stores[0].workers, 5U);
    EXPECT_TRUE(config.stores[0].tls.enabled);
    EXPECT_EQ(config.stores[1].kind, "mongodb");
    EXPECT_FALSE(config.stores[1].tls.enabled);
    EXPECT_EQ(config.stores[1].operation_timeout, 120s);
    EXPECT_EQ(config.reconcile.lease, 1h);
    EXPECT_EQ(config.reconcile.attempts, 3U);
    EXPECT_EQ(config.http.listen, "");
    EXPECT_EQ(config.log.level, "debug");
}

TEST_F(ConfigTest, file_is_missing) {
    try {
        (void)read_config(directory / "none.toml");
        FAIL();
    } catch (const ConfigError& caught) {
        EXPECT_EQ(caught.what(), (directory / "none.toml").string() +
                                     ": cannot be read; name another file with --config");
    }
}

struct Wrong {
    const char* name;
    std::string text;
    const char* message;

    // What a list of tests shows of it.
    friend std::ostream& operator<<(std::ostream& out, const Wrong& wrong) {
        return out << wrong.name;
    }
};

class WrongConfigTest : public ConfigTest, public ::testing::WithParamInterface<Wrong> {};

TEST_P(WrongConfigTest, is_told_with_its_place) {
    const std::string found = error(GetParam().text);
    EXPECT_EQ(found.substr(0, std::string_view(GetParam().message).size()), GetParam().message)
        << found;
}

const std::string two_stores = store("redis", "addresses = ['h:1', 'h:2']\n") +
                               "[stores.two]\nkind = 'redis'\naddresses = ['h:2']\ndatabase = 1\n";

INSTANTIATE_TEST_SUITE_P(
    keys, WrongConfigTest,
    ::testing::Values(
        Wrong{"syntax", "[postgres]\nconninfo = \n", "2:12: "},
        Wrong{"twice", "[postgres]\nconninfo = 'dbname=a'\nconninfo = 'dbname=b'\n", "3:"},
        Wrong{"table_twice", "[log]\n[log]\n", "2:"},
        Wrong{"no_postgres", "", " conninfo is missing in [postgres]"},
        Wrong{"no_conninfo", "\n[postgres]\n", "2:1: conninfo is missing in [postgres]"},
        Wrong{"empty", "[postgres]\nconninfo = ''\n", "2:12: conninfo is empty in [postgres]"},
        Wrong{"unknown", "[postgres]\nconinfo = 'a'\n",
              "2:1: unknown key \"coninfo\" in [postgres]; did you mean \"conninfo\"?"},
        Wrong{"unknown_first_of_two", "[log]\nlevel = 'info'\nzz = 1\naa = 2\n",
              "3:1: unknown key \"zz\" in [log]; known are level"},
        Wrong{"unknown_table", "[store.one]\n",
              "1:2: unknown key \"store\"; did you mean \"stores\"?"},
        Wrong{"table_as_value", "stores = 3\n[postgres]\nconninfo = 'dbname=a'\n",
              "1:10: stores must be a table: write [stores]"},
        Wrong{"number_for_text", "[postgres]\nconninfo = 1\n",
              "2:12: conninfo must be a text in quotes, not a number"},
        Wrong{"long_daemon", "daemon = '" + std::string(64, 'x') + "'\n",
              "1:10: daemon is longer than 63 bytes"}),
    [](const auto& tested) { return tested.param.name; });

INSTANTIATE_TEST_SUITE_P(
    values, WrongConfigTest,
    ::testing::Values(
        Wrong{"duration_as_number", std::string(smallest) + "[reconcile]\nlease = 30\n",
              "4:9: lease must be a duration: a whole number with ms, s, m or h, in quotes, as "
              "\"30s\""},
        Wrong{"duration_without_unit", std::string(smallest) + "[reconcile]\nlease = '30'\n",
              "4:9: lease must be a duration"},
        Wrong{"duration_negative", std::string(smallest) + "[reconcile]\nlease = '-3s'\n",
              "4:9: lease must be a duration"},
        Wrong{"duration_huge",
              std::string(smallest) + "[reconcile]\nlease = '9223372036854775807h'\n",
              "4:9: lease must be a duration"},
        Wrong{"duration_range", std::string(smallest) + "[reconcile]\nlease = '1ms'\n",
              "4:9: lease is 1ms; it must be from 500ms to 1h"},
        Wrong{"backoff_order",
              std::string(smallest) + "[reconcile]\nbackoff_first = '2s'\nbackoff_most = '1s'\n",
              "5:16: backoff_most must not be shorter than backoff_first"},
        Wrong{"level", std::string(smallest) + "[log]\nlevel = 'warn'\n",
              "4:9: level is \"warn\"; it must be one of info, debug, warning, error"},
        Wrong{"listen", std::string(smallest) + "[http]\nlisten = '127.0.0.1'\n",
              "4:10: listen is not host:port"},
        Wrong{"listen_port", std::string(smallest) + "[http]\nlisten = 'a:65536'\n",
              "4:10: listen is not host:port"},
        Wrong{"conninfo_unreadable", "[postgres]\nconninfo = 'host'\n",
              "2:12: conninfo is not a connection string of libpq"},
        Wrong{"conninfo_options", "[postgres]\nconninfo = 'options=-cwork_mem=1'\n",
              "2:12: conninfo has options in it"},
        Wrong{"node_twice", std::string(smallest) + "nodes = ['host=a', 'host=a']\n",
              "3:20: nodes names the same one twice"},
        Wrong{"node_is_no_text", std::string(smallest) + "nodes = [1]\n",
              "3:10: nodes must have texts in quotes"}),
    [](const auto& tested) { return tested.param.name; });

INSTANTIATE_TEST_SUITE_P(
    stores, WrongConfigTest,
    ::testing::Values(
        Wrong{"no_kind", std::string(smallest) + "[stores.one]\n",
              "3:1: kind is missing in [stores.one]; it is mongodb or redis"},
        Wrong{
            "kind", store("mongdb", ""),
            "4:8: kind is \"mongdb\"; it must be one of mongodb, redis; did you mean \"mongodb\"?"},
        Wrong{"name", std::string(smallest) + "[stores.One]\nkind = 'redis'\n",
              "3:1: \"One\" is no name of a store"},
        Wrong{"users", store("redis", "users = 'managed'\naddresses = ['a:1']\n"),
              "5:9: users = \"managed\" is reserved"},
        Wrong{"layout", store("mongodb", "layout = 'shared'\nuri = 'mongodb://a'\n"),
              "5:10: layout = \"shared\" is reserved"},
        Wrong{"username_alone", store("mongodb", "uri = 'mongodb://a'\nusername = 'u'\n"),
              "6:12: username is there without a password"},
        Wrong{"no_addresses", store("redis", ""), "3:1: addresses must name at least one node"},
        Wrong{"address", store("redis", "addresses = ['a']\n"), "5:13: \"a\" is not host:port"},
        Wrong{"address_secret", store("redis", "addresses = ['ann:secret@h:6379']\n"),
              "5:13: an address with @ in it is not host:port"},
        Wrong{"address_ipv6", store("redis", "addresses = ['::1:6379']\n"),
              "5:13: \"::1:6379\" is not host:port"},
        Wrong{"uri_of_redis", store("redis", "addresses = ['a:1']\nuri = 'x'\n"),
              "6:7: uri is for stores of kind mongodb"},
        Wrong{"cluster_of_mongodb", store("mongodb", "cluster = true\n"),
              "5:11: cluster is for stores of kind redis"},
        Wrong{"database_of_cluster",
              store("redis", "addresses = ['a:1']\ncluster = true\ndatabase = 1\n"),
              "7:12: database must be 0 in a cluster"},
        Wrong{"flag", store("redis", "addresses = ['a:1']\ncluster = 'yes'\n"),
              "6:11: cluster must be true or false, not a text"},
        Wrong{"no_uri", store("mongodb", ""), "3:1: uri is missing in [stores.one]"},
        Wrong{"uri_mechanism", store("mongodb", "uri = 'mongodb://a/?authMechanism=MONGODB-AWS'\n"),
              "5:7: uri has an authMechanism; take it out: tenancyd authenticates by SCRAM"},
        Wrong{"uri_scheme", store("mongodb", "uri = 'http://a'\n"),
              "5:7: uri must begin with mongodb:// or mongodb+srv://"},
        Wrong{"workers", store("redis", "addresses = ['a:1']\nworkers = 0\n"),
              "6:11: workers is 0; it must be from 1 to 64"},
        Wrong{"fraction", store("redis", "addresses = ['a:1']\nworkers = 1.5\n"),
              "6:11: workers must be a whole number"},
        Wrong{"same_place", two_stores, "8:13: this is where store one is already"},
        Wrong{"certificate_alone",
              store("redis", "addresses = ['a:1']\ntls.cert_file = '/etc/hostname'\n"),
              "6:17: cert_file and key_file go together"},
        Wrong{"authority", store("redis", "addresses = ['a:1']\ntls.ca_file = '/none'\n"),
              "6:15: ca_file: /none is not a file"}),
    [](const auto& tested) { return tested.param.name; });

INSTANTIATE_TEST_SUITE_P(
    secrets, WrongConfigTest,
    ::testing::Values(
        Wrong{
            "password", std::string(smallest) + "password = 'hunter2'\n",
            "3:12: password must not stand in this file; write it to a file of mode 0600 and name "
            "that with password_file, or use credential"},
        Wrong{"store_password", store("redis", "password = 'hunter2'\n"),
              "5:12: password must not stand in this file"},
        Wrong{"backup_password", std::string(smallest) + "[check]\nbackup_password = 'hunter2'\n",
              "4:19: backup_password must not stand in this file"},
        Wrong{"in_conninfo", "[postgres]\nconninfo = 'dbname=shop password=hunter2'\n",
              "2:12: conninfo has a password in it"},
        Wrong{"in_uri", "[postgres]\nconninfo = 'postgresql://me:hunter2@db/shop'\n",
              "2:12: conninfo has a password in it"},
        Wrong{"of_key", "[postgres]\nconninfo = 'sslpassword=hunter2'\n",
              "2:12: conninfo has a password in it"},
        Wrong{"in_node", std::string(smallest) + "nodes = ['password=hunter2']\n",
              "3:9: nodes has a password in it"},
        Wrong{"in_mongodb_uri", store("mongodb", "uri = 'mongodb://me:hunter2@db/'\n"),
              "5:7: uri has a user or a password in it"},
        Wrong{"in_mongodb_options",
              store("mongodb", "uri = 'mongodb://db/?tlsCertificateKeyFilePassword=hunter2'\n"),
              "5:7: uri has a secret among its options"},
        Wrong{"both_ways", std::string(smallest) + "password_file = 'a'\ncredential = 'b'\n",
              "4:14: password_file and credential are both there"},
        Wrong{"missing_file", std::string(smallest) + "password_file = '/none'\n",
              "3:17: password_file: cannot read /none: No such file or directory"},
        Wrong{"device", std::string(smallest) + "password_file = '/dev/null'\n",
              "3:17: password_file: /dev/null is not a regular file"},
        Wrong{"no_credentials", std::string(smallest) + "credential = 'db'\n",
              "3:14: credential: there is no $CREDENTIALS_DIRECTORY"},
        Wrong{"credential_path", std::string(smallest) + "credential = '../db'\n",
              "3:14: credential: a credential's name is a file name"}),
    [](const auto& tested) { return tested.param.name; });

TEST_P(WrongConfigTest, does_not_show_secrets) {
    EXPECT_EQ(error(GetParam().text).find("hunter2"), std::string::npos);
}

class SecretTest : public ConfigTest {
protected:
    std::string with_password_file() const {
        return std::string(smallest) + "password_file = 'secret'\n";
    }
};

TEST_F(SecretTest, loses_one_newline) {
    write("secret", "with space \n");
    EXPECT_EQ(read(with_password_file()).postgres.password, "with space ");
}

TEST_F(SecretTest, open_to_group_or_others) {
    for (const mode_t mode : {0640, 0604, 0620, 0601}) {
        write("secret", "x", mode);
        EXPECT_EQ(error(with_password_file()),
                  "3:17: password_file: " + (directory / "secret").string() +
                      " is open to group or others; chmod 0600 it");
        std::filesystem::remove(directory / "secret");
    }
}

TEST_F(SecretTest, link_counts_as_what_it_leads_to) {
    std::filesystem::create_symlink(write("elsewhere", "linked\n"), directory / "secret");
    EXPECT_EQ(read(with_password_file()).postgres.password, "linked");
    write("elsewhere", "linked\n", 0644);
    EXPECT_NE(error(with_password_file()).find("is open to group"), std::string::npos);
}

TEST_F(SecretTest, size) {
    write("secret", std::string(4096, 'x') + "\n");
    EXPECT_EQ(read(with_password_file()).postgres.password.size(), 4096U);
    write("secret", std::string(4097, 'x'));
    EXPECT_NE(error(with_password_file()).find("more than 4096 bytes"), std::string::npos);
    write("secret", std::string(100000, 'x'));
    EXPECT_NE(error(with_password_file()).find("more than 4096 bytes"), std::string::npos);
}

TEST_F(SecretTest, contents) {
    write("secret", "\n");
    EXPECT_NE(error(with_password_file()).find("is empty"), std::string::npos);
    write("secret", "one\ntwo\n");
    EXPECT_NE(error(with_password_file()).find("a second line"), std::string::npos);
}

TEST_F(SecretTest, pipe_does_not_hold_up) {
    ASSERT_EQ(mkfifo((directory / "secret").c_str(), 0600), 0);
    EXPECT_NE(error(with_password_file()).find("is not a regular file"), std::string::npos);
}

TEST_F(SecretTest, credential) {
    write("db", "from systemd\n", 0440);
    setenv("CREDENTIALS_DIRECTORY", directory.c_str(), 1);
    EXPECT_EQ(read(std::string(smallest) + "credential = 'db'\n").postgres.password,
              "from systemd");
}

TEST_F(SecretTest, private_key_from_systemd) {
    write("cert", "c", 0644);
    write("key", "k", 0440); // as systemd leaves it, with an access list
    const std::string text =
        store("redis", "addresses = ['a:1']\ntls.cert_file = 'cert'\ntls.key_credential = 'key'\n");
    EXPECT_NE(error(text).find("7:22: key_credential: there is no $CREDENTIALS_DIRECTORY"),
              std::string::npos)
        << error(text);
    setenv("CREDENTIALS_DIRECTORY", directory.c_str(), 1);
    EXPECT_EQ(read(text).stores[0].tls.key_file, (directory / "key").string());
    EXPECT_TRUE(read(text).stores[0].tls.enabled);
    EXPECT_NE(error(text + "tls.key_file = 'key'\n").find("both there"), std::string::npos);
    EXPECT_NE(error(store("redis", "addresses = ['a:1']\ntls.key_credential = 'key'\n"))
                  .find("cert_file and key_credential"),
              std::string::npos);
}

TEST_F(SecretTest, private_key_open_to_others) {
    write("cert", "c", 0644);
    write("key", "k", 0644);
    const std::string text =
        store("redis", "addresses = ['a:1']\ntls.cert_file = 'cert'\ntls.key_file = 'key'\n");
    EXPECT_NE(error(text).find("7:16: key_file: "), std::string::npos);
    write("key", "k", 0600);
    EXPECT_EQ(read(text).stores[0].tls.key_file, (directory / "key").string());
}

} // namespace
} // namespace tenancy::sidecar

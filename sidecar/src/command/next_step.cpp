#include "command/next_step.hpp"

#include "config/conninfo.hpp"

namespace tenancy::sidecar {
namespace {

std::string word_of(AdoptAs role) {
    return role == AdoptAs::member ? "member" : role == AdoptAs::clone ? "clone" : "replacement";
}

std::string table_of(const StoreConfig& store) {
    return "[stores." + store.name + "]";
}

std::string replace_or_clone(const Config& config) {
    return "where the original is gone for good: " + adopt_line(config, AdoptAs::replacement) +
           "; where it goes on: " + adopt_line(config, AdoptAs::clone);
}

} // namespace

std::string adopt_line(const Config& config, AdoptAs role, const std::string& store) {
    std::string line = "tenancyd adopt --as " + word_of(role);
    if (!store.empty()) {
        line += " --store " + store;
    }
    if (role != AdoptAs::member) {
        line += " --conninfo '" + place_of_conninfo(config.postgres.conninfo) + "user=ADMIN'";
    }
    if (!config.file.empty() && config.file != default_config_file) {
        line += " --config " + config.file.string();
    }
    return line;
}

std::string step_for_instance(const Config& config, std::string_view reason) {
    const std::string join = adopt_line(config, AdoptAs::member);
    if (reason == "NotMember" || reason == "EpochAhead" || reason == "InstanceFenced") {
        return "if this host belongs to it: " + join;
    }
    if (reason == "OtherInstance" || reason == "OtherServer") {
        return "correct [postgres] conninfo; if this database is meant: " + join;
    }
    if (reason == "DatabaseUnbound") {
        return "correct [postgres] conninfo; for a further database, another state_directory; if "
               "it "
               "was made anew: " +
               adopt_line(config, AdoptAs::replacement);
    }
    if (reason == "InRecovery") {
        return "name the primary in [postgres] conninfo, or all hosts";
    }
    if (reason == "StateFileUnusable") {
        return "see whose " + (config.state_directory / "instance.json").string() +
               " is and what is in it; if it is damaged, remove it, then: " + join;
    }
    if (reason == "Starting") {
        return "wait a moment";
    }
    if (reason == "IdentityMismatch" || reason == "EpochBehind" || reason == "StampMismatch") {
        return replace_or_clone(config);
    }
    return "see tenancyd's log: journalctl -u tenancyd -o cat";
}

std::string step_for_stamped(const Config& config, const std::string& store) {
    return "correct the address of store " + store +
           "; if this database was made anew for it: " + adopt_line(config, AdoptAs::replacement) +
           ", then: " + adopt_line(config, AdoptAs::member, store);
}

std::string step_for_stamp(const Config& config, const std::string& store,
                           const std::optional<Stamp>& found, const Uuid& ours) {
    const bool its_own = found && found->instance == ours && found->store == store;
    if (found && found->elsewhere) {
        return its_own ? "set database in [stores." + store + "] to the one with the stamp"
                       : "correct the address of store " + store;
    }
    if (its_own) {
        return replace_or_clone(config);
    }
    return (found ? "correct the address of store " + store + "; if it is to change hands: "
                  : "see that it is the right server; if it was emptied: ") +
           adopt_line(config, AdoptAs::member, store);
}

std::string step_for_store(const Config& config, const StoreConfig& store,
                           std::string_view reason) {
    if (reason == "AuthenticationFailed") {
        return "correct username, and password_file or credential, in " + table_of(store);
    }
    if (reason == "PermissionDenied") {
        return "give the user of " + table_of(store) +
               " the rights that docs/how-to/add-a-store.md names";
    }
    if (reason == "TlsFailed") {
        return "correct ca_file, server_name and the certificate in [stores." + store.name +
               ".tls]";
    }
    if (reason == "StampUnreadable") {
        return "see what wrote it, remove it from the store, then: " +
               adopt_line(config, AdoptAs::member, store.name);
    }
    if (reason == "DatabaseRefused") {
        return "correct database in " + table_of(store);
    }
    return "see that the server runs and lets this host in, and that " + table_of(store) +
           " is right; under systemd, that IPAddressAllow= has its address";
}

std::string step_for_sql(const SqlError& error, const std::string& kind) {
    if (!error.hint().empty()) {
        return error.hint();
    }
    const std::string& state = error.sqlstate();
    if (state == "3F000") {
        return "The extension is not in this database: connect to the right one, or, as superuser, "
               "CREATE EXTENSION tenancy.";
    }
    if (state == "42883" || state == "42P01" || state == "42703") {
        return "The extension is of another version than tenancyd: as superuser, ALTER EXTENSION "
               "tenancy UPDATE.";
    }
    if (state == "42501" && !kind.empty()) {
        return "This takes the login of an operator of kind " + kind +
               ". An admin makes one: GRANT tenancy_" + kind +
               " TO the role; SELECT tenancy.add_operator('ROLE', '" + kind + "').";
    }
    return "See the server's log.";
}

std::string step_for_login(const Unavailable& error, const std::string& login) {
    if (std::string_view(error.what()).find("read-only") != std::string_view::npos) {
        return "That server is a standby: name the primary in " + login + ", or all hosts.";
    }
    return "See that the server runs, that " + login +
           " is right (host, port, dbname, user), and that pg_hba.conf lets this host and user in.";
}

} // namespace tenancy::sidecar

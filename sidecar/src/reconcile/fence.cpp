#include "reconcile/fence.hpp"

namespace tenancy::sidecar {
namespace {

Verdict observe(std::string reason, std::string message) {
    return {Verdict::Step::observe, std::move(reason), std::move(message)};
}

bool same_place(const InstanceIdentity& identity, const StateFile& memory) {
    return identity.live_system_identifier == memory.system_identifier &&
           identity.live_database_oid == memory.database_oid &&
           identity.live_timeline == memory.timeline;
}

Verdict judge_unbound(const std::optional<StateFile>& memory) {
    if (!memory || memory->binding) {
        return {Verdict::Step::bind, "Ready", ""};
    }
    return observe("DatabaseUnbound",
                   "this host belongs to instance " + print_uuid(memory->id) +
                       ", but the database belongs to none; if it takes the place of that "
                       "instance's database, run tenancyd adopt --as replacement");
}

// What differs between the database that was bound and the one that answers.
std::string moved_where(const InstanceIdentity& identity) {
    if (identity.bound_system_identifier != identity.live_system_identifier) {
        return "another server than the one that was bound (system identifier " +
               identity.live_system_identifier + " instead of " + identity.bound_system_identifier +
               ")";
    }
    if (identity.bound_database_oid != identity.live_database_oid) {
        return "another database of the server than the one that was bound (oid " +
               identity.live_database_oid + " instead of " + identity.bound_database_oid + ")";
    }
    return "a promoted or restored server (timeline " + std::to_string(identity.live_timeline) +
           " instead of " + std::to_string(identity.bound_timeline) + ")";
}

Verdict judge_memory(const InstanceIdentity& identity, const StateFile& memory) {
    if (memory.binding) {
        return same_place(identity, memory) && identity.epoch == 1
                   ? Verdict{Verdict::Step::complete, "Ready", ""}
                   : observe("NotMember", "the database was bound from elsewhere; if this host "
                                          "belongs to it, run tenancyd adopt --as member");
    }
    if (memory.id != identity.id) {
        return observe("OtherInstance", "this host belongs to instance " + print_uuid(memory.id) +
                                            ", the database is instance " +
                                            print_uuid(identity.id) +
                                            "; if that is meant, run tenancyd adopt --as member");
    }
    if (memory.epoch < identity.epoch) {
        return observe("EpochAhead", "the instance was adopted anew from another host; if this "
                                     "host still belongs to it, run tenancyd adopt --as member");
    }
    if (memory.epoch > identity.epoch) {
        return observe("EpochBehind", "the database is older than the last adoption; if it takes "
                                      "the place of the newer one, run tenancyd adopt --as "
                                      "replacement");
    }
    if (!same_place(identity, memory)) {
        return observe("OtherServer", "this host remembers another server for the instance; if "
                                      "that is meant, run tenancyd adopt --as member");
    }
    return {Verdict::Step::write, "Ready", ""};
}

StampVerdict refuse(std::string reason, std::string message) {
    return {StampVerdict::Step::refuse, false, false, std::move(reason), std::move(message)};
}

StampVerdict contest(std::string message) {
    return {StampVerdict::Step::refuse, true, false, "StampMismatch", std::move(message)};
}

StampVerdict allow(StampVerdict::Step step, bool went_back = false) {
    return {step, false, went_back, "Ready", ""};
}

StampVerdict judge_missing(const StampKnowledge& known) {
    if (!known.stamped_before) {
        return allow(StampVerdict::Step::stamp_first);
    }
    if (known.on_missing_stamp == "stamp") {
        return allow(StampVerdict::Step::stamp, true);
    }
    return refuse("MissingStamp", "the store has lost its stamp: it was emptied, or another server "
                                  "answers in its place; if that is meant, run tenancyd adopt "
                                  "--as member --store NAME");
}

// Looked at before which of the instance's stores it is: a tick that the database has not reached
// tells of a copy, wherever it was written.
std::optional<StampVerdict> judge_lead(const Stamp& found, const StampKnowledge& known) {
    if (!is_ahead(found, known.instance, known.epoch, known.database_tick)) {
        return std::nullopt;
    }
    return contest("the store has seen tick " + std::to_string(found.tick) +
                   " of the instance, the database only tick " +
                   std::to_string(known.database_tick) +
                   ": another copy of the database writes to it, or the database was put back; "
                   "run tenancyd adopt --as replacement or --as clone");
}

StampVerdict judge_tick(std::int64_t found, const StampKnowledge& known) {
    if (found == known.tick && !known.tick_written) {
        return contest("another copy of the database has stamped the store with the same tick " +
                       std::to_string(found) +
                       "; run tenancyd adopt --as replacement or --as clone");
    }
    return allow(found < known.tick ? StampVerdict::Step::stamp : StampVerdict::Step::accept,
                 found < known.last_seen);
}

} // namespace

Verdict judge_identity(const InstanceIdentity& identity, const std::optional<StateFile>& memory) {
    if (identity.in_recovery) {
        return observe("InRecovery", "the server is a standby; name the primary, or all nodes, in "
                                     "postgres.conninfo");
    }
    if (!identity.bound) {
        return judge_unbound(memory);
    }
    if (!identity.matches()) {
        return observe("IdentityMismatch", "the database says it is instance " +
                                               print_uuid(identity.id) + ", but this is " +
                                               moved_where(identity) +
                                               "; run tenancyd adopt --as replacement if it takes "
                                               "that one's place, --as clone if it is a copy");
    }
    if (!memory) {
        return observe("NotMember", "this host does not belong to the instance yet; if it does, "
                                    "run tenancyd adopt --as member");
    }
    return judge_memory(identity, *memory);
}

StateFile memory_of(const InstanceIdentity& identity) {
    StateFile memory;
    memory.id = identity.id;
    memory.epoch = identity.epoch;
    memory.system_identifier = identity.live_system_identifier;
    memory.database_oid = identity.live_database_oid;
    memory.timeline = identity.live_timeline;
    return memory;
}

StampVerdict judge_stamp(const std::optional<Stamp>& found, const StampKnowledge& known) {
    if (!found) {
        return judge_missing(known);
    }
    if (found->instance != known.instance && found->elsewhere) {
        return refuse("StampElsewhere", stamp_elsewhere(*found, known.instance, known.store));
    }
    if (found->instance != known.instance) {
        return refuse("StampMismatch", "the store belongs to instance " +
                                           print_uuid(found->instance) + ", not to " +
                                           print_uuid(known.instance) +
                                           "; check the address; if the store is to change hands, "
                                           "run tenancyd adopt --as member --store NAME");
    }
    if (found->epoch > known.epoch) {
        return refuse("StampMismatch",
                      "the store belongs to epoch " + std::to_string(found->epoch) +
                          " of the instance, this database is of epoch " +
                          std::to_string(known.epoch) + "; another database took its place");
    }
    if (auto contested = judge_lead(*found, known)) {
        return *contested;
    }
    if (found->elsewhere) {
        return refuse("StampElsewhere", stamp_elsewhere(*found, known.instance, known.store));
    }
    if (found->store != known.store) {
        return refuse("OtherStore", "this server is store " + found->store +
                                        " of the instance, not store " + std::string(known.store) +
                                        "; check the addresses of both; if the server is to be "
                                        "this store from now on, run tenancyd adopt --as member "
                                        "--store " +
                                        std::string(known.store));
    }
    if (found->epoch < known.epoch) {
        return allow(StampVerdict::Step::stamp);
    }
    return judge_tick(found->tick, known);
}

std::string stamp_elsewhere(const Stamp& stamp, const Uuid& ours, std::string_view store) {
    if (stamp.instance != ours) {
        return "another database of the Redis server belongs to instance " +
               print_uuid(stamp.instance) +
               ", and a server is a store of one instance, with all its databases; check the "
               "address";
    }
    if (stamp.store != store) {
        return "another database of the Redis server is store " + stamp.store +
               " of the instance, and a server is one store, with all its databases; check the "
               "address";
    }
    return "the stamp is in another database of the Redis server, of which one database is the "
           "store; set `database` in tenancyd.toml to that one, or empty it and remove its "
           "tenancy:instance";
}

bool is_ahead(const std::optional<Stamp>& found, const Uuid& instance, std::int64_t epoch,
              std::int64_t database_tick) {
    return found && found->instance == instance && found->epoch == epoch &&
           found->tick > database_tick;
}

} // namespace tenancy::sidecar

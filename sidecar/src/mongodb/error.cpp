#include "mongodb/error.hpp"

#include <algorithm>
#include <array>

namespace tenancy::sidecar::mongodb {
namespace {

struct Meaning {
    int code;
    const char* reason;
};

constexpr std::array store_wide{
    Meaning{6, "Unreachable"}, // HostUnreachable, of mongos
    Meaning{7, "Unreachable"}, // HostNotFound
    Meaning{code::unauthorized, "PermissionDenied"},
    Meaning{18, "AuthenticationFailed"},  //
    Meaning{64, "NotDurable"},            // WriteConcernTimeout
    Meaning{89, "Unreachable"},           // NetworkTimeout
    Meaning{91, "ShuttingDown"},          // ShutdownInProgress
    Meaning{100, "NotDurable"},           // UnsatisfiableWriteConcern
    Meaning{189, "NotPrimary"},           // PrimarySteppedDown
    Meaning{391, "AuthenticationFailed"}, // ReauthenticationRequired
    Meaning{9001, "Unreachable"},         // SocketException
    Meaning{10058, "NotPrimary"},         // LegacyNotPrimary
    Meaning{10107, "NotPrimary"},         // NotWritablePrimary
    Meaning{11600, "ShuttingDown"},       // InterruptedAtShutdown
    Meaning{11602, "NotPrimary"},         // InterruptedDueToReplStateChange
    Meaning{13435, "NotPrimary"},         // NotPrimaryNoSecondaryOk
    Meaning{13436, "NotPrimary"},         // NotPrimaryOrSecondary
    Meaning{14031, "StoreFull"},          // OutOfDiskSpace
};

// What a person has to change: the template, the settings, or what the tenant's data contradicts.
constexpr std::array permanent{
    Meaning{code::bad_value, "Refused"},
    Meaning{9, "Refused"},  // FailedToParse
    Meaning{14, "Refused"}, // TypeMismatch
    Meaning{20, "Refused"}, // IllegalOperation
    Meaning{40, "Refused"}, // ConflictingUpdateOperators
    Meaning{52, "Refused"}, // DollarPrefixedFieldName
    Meaning{56, "Refused"}, // EmptyFieldName
    Meaning{57, "Refused"}, // DottedFieldName
    Meaning{67, "Refused"}, // CannotCreateIndex
    Meaning{code::invalid_options, "Refused"},
    Meaning{73, "Refused"}, // InvalidNamespace
    Meaning{code::index_options_conflict, "IndexConflict"},
    Meaning{code::index_key_conflict, "IndexConflict"},
    Meaning{code::validation_failed, "Refused"},
    Meaning{166, "Refused"}, // CommandNotSupportedOnView
    Meaning{168, "Refused"}, // InvalidPipelineOperator
    Meaning{197, "Refused"}, // InvalidIndexSpecificationOption
    Meaning{code::too_large, "TooLarge"},
    Meaning{code::duplicate_key, "DuplicateKeys"},
    Meaning{17280, "TooLarge"}, // KeyTooLong
    Meaning{17419, "TooLarge"}, // a document grown too large
    Meaning{17420, "TooLarge"},
    Meaning{40324, "Refused"}, // an unknown pipeline stage
};

template <std::size_t n>
const Meaning* find(const std::array<Meaning, n>& table, int code) {
    const auto* found = std::ranges::find(table, code, &Meaning::code);
    return found == table.end() ? nullptr : found;
}

std::string with_code(const std::string& message, int code) {
    return message + " (code " + std::to_string(code) + ")";
}

// Errors whose text quotes documents of a tenant, which belong neither into the registry nor into
// the log.
constexpr std::array quoting{
    code::validation_failed,
    code::duplicate_key,
    11001, // LegacyDuplicateKey
    12582, // DuplicateKeyCapped
    16755, // a document without usable coordinates
    17261, // a language that text indexes do not know, in a document
    17262,
    17280, // KeyTooLong
};

// Of duplicate keys MongoDB names collection and index first, then the values.
std::string without_documents(int code, const std::string& message) {
    if (std::ranges::find(quoting, code) == quoting.end()) {
        return message;
    }
    const auto values = message.find(" dup key");
    return values != std::string::npos && message.starts_with("E1100")
               ? message.substr(0, values)
               : "refused because of what documents hold; the server's log has the details";
}

std::string hint_for(std::string_view reason) {
    if (reason == "IndexConflict") {
        return "; drop the index that is in the way, or change the template";
    }
    if (reason == "DuplicateKeys") {
        return "; remove the duplicates, or change the template";
    }
    return "";
}

std::string told_by_driver(const bson_error_t& error) {
    return "MongoDB: " + std::string(error.message);
}

} // namespace

std::optional<std::string> store_wide_reason(int code) {
    const Meaning* found = find(store_wide, code);
    return found != nullptr ? std::optional<std::string>(found->reason) : std::nullopt;
}

bool is_missing_capability(int code) {
    return code == code::command_not_found || code == code::command_not_supported ||
           code == code::not_implemented;
}

Failure failure_of(const CommandError& error) {
    const std::string message = with_code(error.what(), error.code());
    if (is_missing_capability(error.code())) {
        return {FailureKind::permanent, "CapabilityMissing", message};
    }
    if (const Meaning* found = find(permanent, error.code())) {
        return {FailureKind::permanent, found->reason, message + hint_for(found->reason)};
    }
    if (error.code() == MONGOC_ERROR_MAX_TIME_MS_EXPIRED || error.code() == code::exceeded_limit ||
        error.code() == code::shard_timed_out) {
        return {FailureKind::transient, "TimedOut", message};
    }
    if (error.code() == code::no_shard_member) { // of others all may be well
        return {FailureKind::transient, "ShardUnavailable", message};
    }
    return {FailureKind::transient, "StoreError", message};
}

void throw_server_error(int code, const std::string& said) {
    const std::string message = without_documents(code, said);
    if (const auto reason = store_wide_reason(code)) {
        throw Unavailable(*reason, "MongoDB: " + with_code(message, code));
    }
    throw CommandError(code, message);
}

void throw_error(const bson_error_t& error, bool timed_out) {
    switch (error.domain) {
    case MONGOC_ERROR_SERVER:
    case MONGOC_ERROR_WRITE_CONCERN:
        throw_server_error(static_cast<int>(error.code), error.message);
    case MONGOC_ERROR_CLIENT:
    case MONGOC_ERROR_SASL:
    case MONGOC_ERROR_SCRAM:
        if (!timed_out) {
            throw Unavailable(error.code == MONGOC_ERROR_CLIENT_AUTHENTICATE ||
                                      error.domain != MONGOC_ERROR_CLIENT
                                  ? "AuthenticationFailed"
                                  : "ProtocolError",
                              told_by_driver(error));
        }
        break;
    case MONGOC_ERROR_PROTOCOL:
    case MONGOC_ERROR_BSON:
        throw Unavailable("ProtocolError", told_by_driver(error));
    case MONGOC_ERROR_COMMAND: // the driver found the command itself malformed
        throw CommandError(code::bad_value, error.message);
    default:
        break;
    }
    throw Unavailable(timed_out ? "TimedOut" : "Unreachable", told_by_driver(error));
}

} // namespace tenancy::sidecar::mongodb

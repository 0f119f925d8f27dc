#include "redis/scan.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <thread>

#include "base/failure.hpp"
#include "redis/refusal.hpp"

namespace tenancy::sidecar::redis {
namespace {

// Keys looked at in one command: others wait for it some tenths of a millisecond.
constexpr unsigned most_at_once = 1000;
constexpr unsigned least_at_once = 10;
constexpr Milliseconds longest_pause{500};

unsigned at_once(unsigned rate) {
    return rate == 0 ? most_at_once : std::clamp(rate / 10, least_at_once, most_at_once);
}

// The pause that `looked_at` keys cost at this rate. False when the walk is to stop.
bool wait(const Pace& pace, unsigned looked_at, Deadline deadline) {
    if (pace.rate == 0) {
        return true;
    }
    auto left = Milliseconds(looked_at * 1000ULL / pace.rate);
    do {
        if (pace.pause && !pace.pause()) {
            return false;
        }
        const auto part = std::min({left, longest_pause, deadline.left()});
        std::this_thread::sleep_for(part);
        left -= part;
    } while (left > Milliseconds::zero() && !deadline.passed());
    return true;
}

bool walk_database(Nodes& nodes, const Place& place, const std::string& pattern, const Pace& pace,
                   const Visit& visit, Deadline deadline) {
    const unsigned count = at_once(pace.rate);
    std::string cursor = "0";
    do {
        const Words words = {"SCAN", cursor, "MATCH", pattern, "COUNT", std::to_string(count)};
        const auto replies =
            nodes.run_at(place.node, place.database, std::span(&words, 1), deadline);
        const auto& parts = array_of("SCAN", replies.front(), 2);
        cursor = text_of("SCAN", parts[0]);
        const auto& keys = array_of("SCAN", parts[1]);
        for (const Reply& key : keys) {
            if (key.type != Reply::Type::text) {
                throw_unexpected("SCAN", key);
            }
        }
        if (!visit(place, keys) || (cursor != "0" && !wait(pace, count, deadline))) {
            return false;
        }
    } while (cursor != "0");
    return true;
}

} // namespace

// "db3:keys=1,expires=0,..."; empty databases are not listed.
std::vector<std::int64_t> databases_at(Nodes& nodes, const Address& node, Deadline deadline) {
    const Words words = {"INFO", "keyspace"};
    const auto replies = nodes.run_at(node, 0, std::span(&words, 1), deadline);
    std::istringstream lines(text_of("INFO", replies.front()));
    std::vector<std::int64_t> databases;
    for (std::string line; std::getline(lines, line);) {
        std::int64_t number = 0;
        if (line.starts_with("db")) {
            const auto [end, error] =
                std::from_chars(line.data() + 2, line.data() + line.size(), number);
            if (error != std::errc() || *end != ':') {
                throw_unexpected("INFO keyspace", replies.front());
            }
            databases.push_back(number);
        }
    }
    return databases;
}

bool walk(Nodes& nodes, const std::vector<Address>& primaries, const std::string& pattern,
          const Pace& pace, const Visit& visit, Deadline deadline) {
    for (const Address& node : primaries) {
        for (const std::int64_t database : databases_at(nodes, node, deadline)) {
            if (!walk_database(nodes, {node, database}, pattern, pace, visit, deadline)) {
                return false;
            }
        }
    }
    return true;
}

} // namespace tenancy::sidecar::redis

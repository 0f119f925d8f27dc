#include "redis/slots.hpp"

#include <algorithm>

#include "base/failure.hpp"
#include "redis/refusal.hpp"

namespace tenancy::sidecar::redis {
namespace {

constexpr auto crc_table = [] {
    std::array<std::uint16_t, 256> table{};
    for (unsigned byte = 0; byte < table.size(); byte++) {
        unsigned crc = byte << 8;
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc << 1) ^ ((crc & 0x8000U) != 0 ? 0x1021U : 0U);
        }
        table[byte] = static_cast<std::uint16_t>(crc);
    }
    return table;
}();

} // namespace

std::uint16_t crc16(std::string_view bytes) {
    std::uint16_t crc = 0;
    for (const char byte : bytes) {
        const unsigned index = (crc >> 8) ^ static_cast<unsigned char>(byte);
        crc = static_cast<std::uint16_t>((crc << 8) ^ crc_table[index]);
    }
    return crc;
}

unsigned slot_of(std::string_view key) {
    const auto open = key.find('{');
    if (open != std::string_view::npos) {
        const auto close = key.find('}', open + 1);
        if (close != std::string_view::npos && close != open + 1) {
            key = key.substr(open + 1, close - open - 1);
        }
    }
    return crc16(key) % slot_count;
}

SlotMap::SlotMap(const Reply& reply, const Address& asked) : SlotMap() {
    for (const Reply& range : array_of("CLUSTER SLOTS", reply)) {
        add_range(range, asked);
    }
}

// [first, last, [host, port, ...], replicas...]; no host, or "", means the one that was asked.
void SlotMap::add_range(const Reply& range, const Address& asked) {
    constexpr auto command = "CLUSTER SLOTS";
    const auto& parts = array_of(command, range, 3);
    const auto first = integer_of(command, parts[0]);
    const auto last = integer_of(command, parts[1]);
    const auto& primary = array_of(command, parts[2], 2);
    const auto port = integer_of(command, primary[1]);
    if (first < 0 || last >= slot_count || first > last || port <= 0 || port > 0xffff) {
        throw_unexpected(command, range);
    }
    Address address{asked.host, static_cast<std::uint16_t>(port)};
    if (primary[0].type != Reply::Type::nil && !text_of(command, primary[0]).empty()) {
        address.host = primary[0].text;
    }
    std::fill(owners_.begin() + first, owners_.begin() + last + 1, index_of(address));
}

std::uint16_t SlotMap::index_of(const Address& address) {
    const auto found = std::find(nodes_.begin(), nodes_.end(), address);
    if (found != nodes_.end()) {
        return static_cast<std::uint16_t>(found - nodes_.begin());
    }
    nodes_.push_back(address);
    return static_cast<std::uint16_t>(nodes_.size() - 1);
}

const Address* SlotMap::owner(unsigned slot) const {
    const std::uint16_t index = owners_.at(slot);
    return index == none ? nullptr : &nodes_[index];
}

void SlotMap::set_owner(unsigned slot, const Address& address) {
    owners_.at(slot) = index_of(address);
}

} // namespace tenancy::sidecar::redis

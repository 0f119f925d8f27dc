// Which slot of a cluster a key lies in, and which node has the slot.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "redis/address.hpp"
#include "redis/codec.hpp"

namespace tenancy::sidecar::redis {

constexpr unsigned slot_count = 16384;

// CRC-16/XMODEM, as the cluster specification has it.
[[nodiscard]] std::uint16_t crc16(std::string_view bytes);

// Of the part between the first { and the next }, if there is one and it is not empty.
[[nodiscard]] unsigned slot_of(std::string_view key);

// The primary of each slot.
class SlotMap {
public:
    SlotMap() { owners_.fill(none); }
    // From the reply to CLUSTER SLOTS by `asked`. Throws Unavailable (UnexpectedReply).
    SlotMap(const Reply& reply, const Address& asked);

    // Null when no node has the slot.
    [[nodiscard]] const Address* owner(unsigned slot) const;
    void set_owner(unsigned slot, const Address& address);
    [[nodiscard]] const std::vector<Address>& primaries() const { return nodes_; }

    friend bool operator==(const SlotMap&, const SlotMap&) = default;

private:
    static constexpr std::uint16_t none = 0xffff;

    std::uint16_t index_of(const Address& address);
    void add_range(const Reply& range, const Address& asked);

    std::vector<Address> nodes_;
    std::array<std::uint16_t, slot_count> owners_{}; // indexes of nodes_
};

} // namespace tenancy::sidecar::redis

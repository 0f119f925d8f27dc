#!lua name=chat
-- What the application asks Redis before a bot answers: is the tenant active, and has it turns left
-- in this hour? The marker is read in the same atomic step in which the turn is counted.
--
-- KEYS: the tenant's marker and settings, which tenancyd writes, and the counter of turns.
local function take_turn(keys)
    local marker, settings, counter = keys[1], keys[2], keys[3]
    local state = redis.call('HGET', marker, 'state') or 'unknown'
    if state ~= 'active' then
        return redis.error_reply('TENANT is ' .. state)
    end
    local most = tonumber(redis.call('HGET', settings, 'turns_an_hour')) or 0
    if tonumber(redis.call('GET', counter) or '0') >= most then
        return redis.error_reply('LIMIT of ' .. most .. ' turns an hour is reached')
    end
    local turns = redis.call('INCR', counter)
    if turns == 1 then
        redis.call('EXPIRE', counter, 3600)
    end
    return turns
end

redis.register_function('take_turn', take_turn)

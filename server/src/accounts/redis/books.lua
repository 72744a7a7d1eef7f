-- What the scripts share: it stands before each of them.

local function key_of(uid, name)
    return 'user:' .. uid .. ':' .. name
end

-- Included credits that were used in a period.
local function used(uid, period)
    local apps = redis.call('GET', key_of(uid, 'app_usage:' .. period)) or 0
    local keys = redis.call('GET', key_of(uid, 'api_usage:' .. period)) or 0
    return tonumber(apps) + tonumber(keys)
end

-- Moves a billing period.
local function set_period(uid, first, last)
    redis.call('SET', key_of(uid, 'billing_period_start'), first)
    redis.call('SET', key_of(uid, 'billing_period_end'), last)
end

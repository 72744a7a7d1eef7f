-- Does what an event of Stripe says: of the subscriptions that have not ended, the one made last counts.
-- ARGV: delivery, seconds to remember it for, event or '', name of the user or '', customer or '', when it was made,
-- subscription, when that was made, 'moved' or 'ended', plan or '', included credits or '', first and last second of the
-- period or '', now.
-- Gives 'replayed', 'nothing', 'no user' or 'moved'.
local delivery, remembered, event, name, customer, created, subscription, since, what = unpack(ARGV, 1, 9)
local plan, included, first, last, now = unpack(ARGV, 10, 14)
local seen = 'remrembg:stripe:'
if redis.call('EXISTS', seen .. delivery) == 1 then
    return 'replayed'
end
local uid
if event ~= '' and redis.call('EXISTS', seen .. event) == 0 then
    if name ~= '' then
        uid = redis.call('HGET', 'remrembg:users', name)
    elseif customer ~= '' then
        uid = redis.call('HGET', 'remrembg:customers', customer)
    end
    -- Sent again once the user is there, it is not one that was done.
    if not uid then
        return 'no user'
    end
    redis.call('SET', seen .. event, 1, 'EX', remembered)
end
redis.call('SET', seen .. delivery, 1, 'EX', remembered)
if not uid then
    return 'nothing'
end
local user, kept, subscriptions = 'user:' .. uid, key_of(uid, 'subscriptions'), {}
local fields = redis.call('HGETALL', kept)
for at = 1, #fields, 2 do
    subscriptions[fields[at]] = cjson.decode(fields[at + 1])
end

local function counting()
    local newest
    for id, one in pairs(subscriptions) do
        local other = newest and subscriptions[newest]
        if one.live and (not other or one.since > other.since or one.since == other.since
                and (one.at > other.at or one.at == other.at and id > newest)) then
            newest = id
        end
    end
    return newest
end

created, since = tonumber(created), tonumber(since)
local known, former = subscriptions[subscription], counting()
if known and (known.at > created or known.at == created and not known.live) then
    return 'nothing'
end
local told = {since = since, at = created, live = what == 'moved', plan = plan, included = included, first = first, last = last}
-- What the event does not say stays.
for _, field in ipairs({'plan', 'included', 'first', 'last'}) do
    if known and told[field] == '' then
        told[field] = known[field]
    end
end
subscriptions[subscription] = told
redis.call('HSET', kept, subscription, cjson.encode(told))
for id, one in pairs(subscriptions) do
    if not one.live and one.at < now - remembered then
        redis.call('HDEL', kept, id)
    end
end
local current = counting()
if what == 'ended' then
    -- One that nothing was told of may be what the plan was set for.
    if former ~= subscription and (former or known) then
        return 'nothing'
    end
    redis.call('HSET', user, 'plan', 'Free', 'included', 0)
    redis.call('DEL', key_of(uid, 'billing_period_start'), key_of(uid, 'billing_period_end'))
elseif current ~= subscription then
    return 'nothing'
end
told = current and subscriptions[current] or {plan = '', included = '', first = ''}
if told.plan ~= '' then
    redis.call('HSET', user, 'plan', told.plan)
end
if told.included ~= '' then
    redis.call('HSET', user, 'included', told.included)
end
if told.first ~= '' then
    set_period(uid, told.first, told.last)
end
if customer ~= '' and not redis.call('HGET', user, 'customer')
        and redis.call('HEXISTS', 'remrembg:customers', customer) == 0 then
    redis.call('HSET', user, 'customer', customer)
    redis.call('HSET', 'remrembg:customers', customer, uid)
end
return 'moved'

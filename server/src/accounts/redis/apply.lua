-- Does what an event of Stripe says. ARGV: delivery, seconds to remember it for, event or '', name of the user or '',
-- customer or '', when it was made, subscription, when that was made, 'moved' or 'ended', plan or '', included credits
-- or '', first and last second of the period or ''.
-- Gives 'replayed', 'nothing', 'no user' or 'moved'.
local delivery, remembered, event, name, customer, created, subscription, since, what = unpack(ARGV, 1, 9)
local plan, included, first, last = unpack(ARGV, 10, 13)
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
local user = 'user:' .. uid
local last_event, current, subscribed, ended =
    unpack(redis.call('HMGET', user, 'last_event', 'subscription', 'subscribed', 'ended'))
last_event, created, since = tonumber(last_event or 0), tonumber(created), tonumber(since)
if last_event > created then
    return 'nothing'
end
if what == 'ended' then
    -- Another subscription may have taken its place.
    if current and current ~= subscription then
        return 'nothing'
    end
    redis.call('HSET', user, 'last_event', created, 'plan', 'Free', 'included', 0, 'ended', subscription)
    redis.call('HDEL', user, 'subscription', 'subscribed')
    redis.call('DEL', key_of(uid, 'billing_period_start'), key_of(uid, 'billing_period_end'))
    return 'moved'
end
-- An older one does not take the place of a newer one, nor does one come back that ended in the same second.
if current and current ~= subscription and tonumber(subscribed or since) > since then
    return 'nothing'
end
if last_event == created and ended == subscription then
    return 'nothing'
end
redis.call('HSET', user, 'last_event', created, 'subscription', subscription, 'subscribed', since)
redis.call('HDEL', user, 'ended')
if plan ~= '' then
    redis.call('HSET', user, 'plan', plan)
end
if included ~= '' then
    redis.call('HSET', user, 'included', included)
end
if first ~= '' then
    set_period(uid, first, last)
end
local known = redis.call('HGET', user, 'customer')
if customer ~= '' and not known and redis.call('HEXISTS', 'remrembg:customers', customer) == 0 then
    redis.call('HSET', user, 'customer', customer)
    redis.call('HSET', 'remrembg:customers', customer, uid)
end
return 'moved'

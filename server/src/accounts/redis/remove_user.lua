-- Removes a user with all that it has. ARGV: name. Gives how many there were of that name.
local uid = redis.call('HGET', 'remrembg:users', ARGV[1])
if not uid then
    return 0
end
for _, counter in ipairs(redis.call('SMEMBERS', key_of(uid, 'counters'))) do
    redis.call('DEL', key_of(uid, counter))
end
for _, credential in ipairs(redis.call('SMEMBERS', key_of(uid, 'credentials'))) do
    redis.call('DEL', 'remrembg:credential:' .. credential)
end
local customer = redis.call('HGET', 'user:' .. uid, 'customer')
if customer then
    redis.call('HDEL', 'remrembg:customers', customer)
end
for _, name in ipairs({'counters', 'credentials', 'reservations', 'subscriptions', 'billing_period_start', 'billing_period_end'}) do
    redis.call('DEL', key_of(uid, name))
end
redis.call('DEL', 'user:' .. uid)
return redis.call('HDEL', 'remrembg:users', ARGV[1])

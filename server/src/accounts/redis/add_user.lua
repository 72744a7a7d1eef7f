-- Adds a user. ARGV: name, customer or '', first and last second of the period or '', then its fields and values.
-- Gives {'taken'}, {'customer', whose it is}, or {'added'}.
local name, customer, first, last = unpack(ARGV, 1, 4)
if redis.call('HEXISTS', 'remrembg:users', name) == 1 then
    return {'taken'}
end
if customer ~= '' then
    local other = redis.call('HGET', 'remrembg:customers', customer)
    if other then
        return {'customer', redis.call('HGET', 'user:' .. other, 'name')}
    end
end
local uid = redis.call('INCR', 'remrembg:last_user')
redis.call('HSET', 'remrembg:users', name, uid)
redis.call('HSET', 'user:' .. uid, 'name', name, unpack(ARGV, 5))
if customer ~= '' then
    redis.call('HSET', 'remrembg:customers', customer, uid)
    redis.call('HSET', 'user:' .. uid, 'customer', customer)
end
if first ~= '' then
    set_period(uid, first, last)
end
return {'added'}

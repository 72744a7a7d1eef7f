-- Changes a user. ARGV: number, customer or '', first and last second of the period or '', prepaid credits to add,
-- then the fields and values that change.
-- Gives {'unknown'}, {'customer', whose it is}, or {'changed'}.
local uid, customer, first, last, more = unpack(ARGV, 1, 5)
local user = 'user:' .. uid
if redis.call('EXISTS', user) == 0 then
    return {'unknown'}
end
if customer ~= '' then
    local other = redis.call('HGET', 'remrembg:customers', customer)
    if other and other ~= uid then
        return {'customer', redis.call('HGET', 'user:' .. other, 'name')}
    end
    local former = redis.call('HGET', user, 'customer')
    if former then
        redis.call('HDEL', 'remrembg:customers', former)
    end
    redis.call('HSET', 'remrembg:customers', customer, uid)
    redis.call('HSET', user, 'customer', customer)
end
if ARGV[6] then
    redis.call('HSET', user, unpack(ARGV, 6))
end
redis.call('HINCRBY', user, 'prepaid', more)
if first ~= '' then
    set_period(uid, first, last)
end
return {'changed'}

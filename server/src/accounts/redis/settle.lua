-- Charges what was reserved, once. ARGV: user, reservation, kind, month, cycle or '', seconds to remember it for.
-- Gives 'included' or 'prepaid'.
local uid, id, via, month, cycle, remembered = unpack(ARGV)
redis.call('ZREM', key_of(uid, 'reservations'), id)
local done = 'remrembg:settled:' .. id
local charged = redis.call('GET', done)
if charged then
    return charged
end
local user = 'user:' .. uid
local included, prepaid = unpack(redis.call('HMGET', user, 'included', 'prepaid'))
-- A user that was removed meanwhile has no counters.
if not included then
    return 'included'
end
charged = 'included'
if tonumber(included) <= used(uid, cycle ~= '' and cycle or month) and tonumber(prepaid) > 0 then
    charged = 'prepaid'
    redis.call('HINCRBY', user, 'prepaid', -1)
else
    for _, period in ipairs({month, cycle ~= '' and cycle or nil}) do
        local counter = via .. '_usage:' .. period
        redis.call('INCR', key_of(uid, counter))
        redis.call('SADD', key_of(uid, 'counters'), counter)
    end
end
redis.call('SET', done, charged, 'EX', remembered)
return charged

-- Holds a credit. ARGV: user, reservation, now, until when, month, for how long a period counts after its end.
-- Gives {'unknown'}, {'none', included credits, credits left, end of the period or ''}, or {'held', cycle or ''}.
local uid, id, now, expires, month, late = unpack(ARGV)
local included, prepaid = unpack(redis.call('HMGET', 'user:' .. uid, 'included', 'prepaid'))
if not included then
    return {'unknown'}
end
local first, last = unpack(redis.call('MGET', key_of(uid, 'billing_period_start'), key_of(uid, 'billing_period_end')))
local cycle = ''
if first and last and tonumber(now) <= tonumber(last) + tonumber(late) then
    cycle = 'cycle:' .. first
end
local reservations = key_of(uid, 'reservations')
redis.call('ZREMRANGEBYSCORE', reservations, '-inf', '(' .. now)
local unused = math.max(0, tonumber(included) - used(uid, cycle ~= '' and cycle or month))
local left = unused + tonumber(prepaid)
-- One that is held already was asked for again, since the answer was lost.
if not redis.call('ZSCORE', reservations, id) and redis.call('ZCARD', reservations) >= left then
    return {'none', included, string.format('%.0f', left), cycle ~= '' and last or ''}
end
redis.call('ZADD', reservations, expires, id)
return {'held', cycle}

-- Takes back what was charged, once; what was not charged is not charged any more. ARGV: as settle.lua has them.
local uid, id, via, month, cycle, remembered = unpack(ARGV)
local done = 'remrembg:settled:' .. id
local charged = redis.call('GET', done)
redis.call('SET', done, 'refunded', 'EX', remembered)
redis.call('ZREM', key_of(uid, 'reservations'), id)
if redis.call('EXISTS', 'user:' .. uid) == 0 then
    return 0
end
if charged == 'prepaid' then
    redis.call('HINCRBY', 'user:' .. uid, 'prepaid', 1)
elseif charged == 'included' then
    for _, period in ipairs({month, cycle ~= '' and cycle or nil}) do
        redis.call('DECR', key_of(uid, via .. '_usage:' .. period))
    end
end
return 1

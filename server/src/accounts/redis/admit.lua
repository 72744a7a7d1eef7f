-- Counts a picture of an address. ARGV: day, address, turn, how many it may have, seconds to remember them for.
-- Gives whether it may have one more.
local day, address, turn, most, remembered = unpack(ARGV)
local turns = 'remrembg:anonymous:' .. day .. ':' .. address
if redis.call('SISMEMBER', turns, turn) == 0 and redis.call('SCARD', turns) >= tonumber(most) then
    return 0
end
redis.call('SADD', turns, turn)
redis.call('EXPIRE', turns, remembered)
return 1

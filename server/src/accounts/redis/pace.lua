-- Lets a request through unless there were too many of late: the generic cell rate algorithm, as governor has it.
-- ARGV: who, requests a minute. Gives {1, how many may follow at once} or {0, milliseconds until the next one}.
local pace, most = 'remrembg:pace:' .. ARGV[1], tonumber(ARGV[2])
local seconds, micros = unpack(redis.call('TIME'))
local now = tonumber(seconds) * 1000 + tonumber(micros) / 1000
local step = 60000 / most
-- When all that came would be over at an even pace.
-- No more than a minute is ever kept; a clock that was put back would make it more.
local kept = math.min(tonumber(redis.call('GET', pace) or 0), now + 60000)
local over = math.max(kept, now) + step
-- A thousandth of a millisecond for what is lost in rounding.
local room = 60000 - (over - now) + 0.001
if room < 0 then
    return {0, math.ceil(-room)}
end
redis.call('SET', pace, string.format('%.6f', over), 'PX', math.ceil(over - now))
return {1, math.floor(room / step)}

-- Notes when a key or a token was used last. ARGV: kind, id, seconds.
local credential = 'remrembg:credential:' .. ARGV[1] .. ':' .. ARGV[2]
if redis.call('EXISTS', credential) == 1 then
    redis.call('HSET', credential, 'last_used', ARGV[3])
end
return 1

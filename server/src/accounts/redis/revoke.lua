-- Ends a key or a token. ARGV: kind, id. Gives whether there was one.
local credential = ARGV[1] .. ':' .. ARGV[2]
local uid = redis.call('HGET', 'remrembg:credential:' .. credential, 'user')
if not uid then
    return 0
end
redis.call('SREM', key_of(uid, 'credentials'), credential)
return redis.call('DEL', 'remrembg:credential:' .. credential)

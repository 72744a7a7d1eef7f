-- Makes a key or a token. ARGV: name of the user, kind, id, then its fields and values. Gives whether there is such a user.
local name, via, id = unpack(ARGV, 1, 3)
local uid = redis.call('HGET', 'remrembg:users', name)
if not uid then
    return 0
end
redis.call('HSET', 'remrembg:credential:' .. via .. ':' .. id, 'user', uid, unpack(ARGV, 4))
redis.call('SADD', key_of(uid, 'credentials'), via .. ':' .. id)
return 1

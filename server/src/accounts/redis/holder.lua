-- Who holds a key or a token. ARGV: kind, id. Gives its digest, its user, when it was used last, and whether the user
-- is verified; or nothing.
local digest, uid, last_used = unpack(redis.call('HMGET', 'remrembg:credential:' .. ARGV[1] .. ':' .. ARGV[2], 'digest', 'user', 'last_used'))
if not uid then
    return false
end
return {digest, uid, last_used, redis.call('HGET', 'user:' .. uid, 'verified')}

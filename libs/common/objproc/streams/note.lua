#!lua flags=allow-oom
-- Replace fields of a hash. Signs of life are told to a full server, too: who is silent loses its tasks.
-- KEYS: hash   ARGV: (field value)*
return redis.call('HSET', KEYS[1], unpack(ARGV))

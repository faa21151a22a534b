#!lua flags=allow-oom
-- Write something after what was read, to wait for.   KEYS: meta   ARGV: id of the last log entry that was read
-- Answers 0 where the log ends before it: it went back since.
local seq = tonumber(string.match(ARGV[1], '^%d+'))
redis.call('HSET', KEYS[1], 'marked', seq)
return tonumber(redis.call('HGET', KEYS[1], 'seq') or '0') >= seq and 1 or 0

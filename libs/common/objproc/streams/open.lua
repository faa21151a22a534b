#!lua flags=allow-oom
-- Begin to work on a partition: a new epoch fences whoever committed before.
-- KEYS: meta   ARGV: genesis   Answers {epoch, commands_cursor, results_cursor, seq, hash, projected, reissue}.
local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
local m = redis.call('HMGET', KEYS[1], 'commands_cursor', 'results_cursor', 'seq', 'hash', 'projected', 'reissue')
return {epoch, m[1] or '0-0', m[2] or '0-0', tonumber(m[3] or '0'), m[4] or ARGV[1], tonumber(m[5] or '0'), tonumber(m[6] or '0')}

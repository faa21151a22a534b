#!lua flags=allow-oom
-- Set a partition's log back to what is projected: its entries and its tasks go, numbers and hash go on from there.
-- KEYS: meta events commands pending feed tasks*
-- ARGV: epoch seq hash feed_gap_max resubmitted (mode object_id command_id body)*
-- Until the next commit `reissue` says that live tasks have no entries.
-- Answers {epoch, commands_cursor, results_cursor, seq, hash, projected, 1}, or {} under another epoch.
local m = redis.call('HMGET', KEYS[1], 'epoch', 'commands_cursor', 'results_cursor', 'projected')
if m[1] ~= ARGV[1] then return {} end
redis.call('DEL', KEYS[2])
for i = 6, #KEYS do redis.call('DEL', KEYS[i]) end
local projected = tonumber(m[4] or '0')
-- a feed that is a little behind is completed from the archive; one that lost everything begins anew
if projected > tonumber(ARGV[2]) or tonumber(ARGV[2]) - projected > tonumber(ARGV[4]) then
  projected = tonumber(ARGV[2])
end
redis.call('HSET', KEYS[1], 'seq', ARGV[2], 'hash', ARGV[3], 'projected', projected, 'reissue', 1)
local at = 5
for _ = 1, tonumber(ARGV[at]) do
  if ARGV[at + 1] ~= 'plain' then redis.call('HSET', KEYS[4], ARGV[at + 2], ARGV[at + 3] .. ARGV[at + 4]) end
  redis.call('XADD', KEYS[3], '*', 'b', ARGV[at + 4])
  at = at + 4
end
return {tonumber(m[1]), m[2] or '0-0', m[3] or '0-0', tonumber(ARGV[2]), ARGV[3], projected, 1}

#!lua flags=allow-oom
-- Give up tasks and append their reports, together.
-- KEYS: results tasks*   ARGV: (key entry_id body)*; an empty entry_id is a report on a task that goes on.
-- A task that was taken over is no longer pending: its report is appended all the same, and rejected as stale.
for i = 1, #ARGV, 3 do
  local key, entry_id = KEYS[tonumber(ARGV[i])], ARGV[i + 1]
  if entry_id ~= '' then
    redis.call('XACK', key, 'workers', entry_id)
    redis.call('XDEL', key, entry_id)
  end
  redis.call('XADD', KEYS[1], '*', 'b', ARGV[i + 2])
end
return 1

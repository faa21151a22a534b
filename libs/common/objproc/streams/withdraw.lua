#!lua flags=allow-oom
-- Cancel tasks: one that nobody claimed goes, and its report stands at once; for one that is held, its holder is told.
-- Without a group (no worker ever came) nothing is held.
-- KEYS: results control tasks*   ARGV: control_max (key entry_id report)*
for i = 2, #ARGV, 3 do
  local key, entry_id, report = KEYS[tonumber(ARGV[i])], ARGV[i + 1], ARGV[i + 2]
  local held = redis.pcall('XPENDING', key, 'workers', entry_id, entry_id, 1)
  if not held.err and #held > 0 then
    redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[1], '*', 'b', report)
  elseif redis.call('XDEL', key, entry_id) == 1 then
    redis.call('XADD', KEYS[1], '*', 'b', report)
  end
end
return 1

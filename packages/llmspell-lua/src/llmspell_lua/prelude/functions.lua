-- Handles of the script's functions: what the host holds instead of a function.
--
-- A function has one handle while it lives. It is kept alive while the host holds it: each time
-- it is sent counts, and `release` names a handle once for each time it arrived. Without the
-- count, a release on its way could cross the same function being sent again.
local json = import("json")
local setmetatable = setmetatable

local by_id, sent = {}, {}
local ids = setmetatable({}, { __mode = "k" })
local last, held = 0, 0

local M = {}

function json.function_id(fn)
  local id = ids[fn]
  if not id then
    last = last + 1
    id = last
    ids[fn] = id
  end
  if not by_id[id] then
    by_id[id], sent[id] = fn, 0
    held = held + 1
  end
  sent[id] = sent[id] + 1
  return id
end

function M.get(id) return by_id[id] end

function M.release(id, times)
  local left = sent[id]
  if not left then return end
  left = left - times
  if left <= 0 then
    by_id[id], sent[id] = nil, nil
    held = held - 1
  else
    sent[id] = left
  end
end

-- Whether the host could still call into the script.
function M.any_held() return held > 0 end

return M

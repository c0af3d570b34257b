-- checks.lua: functions that sums.yaml names as FILE#NAME; each says whether an answer will do
return {
  is_short = function(answer, case)
    local words = select(2, answer.text:gsub("%S+", ""))
    return { passed = words < 15, score = 1 / words, reason = words .. " words for " .. case.expected }
  end,
}

-- expect: script.cpu_limit | script.wall_limit
-- limits: cpu_s = 0.2
Async.retry(function() error("again") end, { max_attempts = 1e9, backoff_ms = 0 })

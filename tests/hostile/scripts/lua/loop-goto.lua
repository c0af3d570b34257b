-- expect: script.cpu_limit
-- limits: cpu_s = 0.3
::again::
goto again

-- expect: script.cpu_limit
-- limits: cpu_s = 0.2
::again::
goto again

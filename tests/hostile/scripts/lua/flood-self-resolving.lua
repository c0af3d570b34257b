-- expect: async.deadlock
local give_a, give_b
local a = Async.promise(function(done) give_a = done end)
local b = Async.promise(function(done) give_b = done end)
give_a(b)
give_b(a)
a:await()

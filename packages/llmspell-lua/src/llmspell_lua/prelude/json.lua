-- The JSON codec: both directions in one table.
import("json_encode")
return import("json_decode")

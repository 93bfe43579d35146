-- What a commit that learns nothing has in place of learns.lua.
local function learn_all()
  return {}
end

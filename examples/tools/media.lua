#!/usr/bin/env llmspell
-- media.lua: what a picture is, and copies of it for a web page; a chart where none is given
--   llmspell examples/tools/media.lua [photo.jpg]
-- Needs: pip install 'llmspell-tools[media,charts]'
local picture = args[1]
if not picture then
  picture = "output/chart.png"
  Tool.execute("data-visualizer", {
    input = { Lua = 3, JavaScript = 2, Python = 4 },
    kind = "bar", title = "Spells", target_path = picture, width = 300, height = 200,
  })
end

local about = Tool.execute("image-processor", { operation = "metadata", file_path = picture }).result
print(about.format, about.width .. " x " .. about.height, about.mode)

-- Several at once: each is a call of its own. The target's extension says the format.
local made = Tool.parallel{
  small = {
    tool = "image-processor",
    params = { operation = "thumbnail", target_path = "output/small.webp", max_width = 32, max_height = 32 },
  },
  turned = {
    tool = "image-processor",
    params = { operation = "rotate", target_path = "output/turned.png", degrees = 90 },
  },
  square = {
    tool = "image-processor",
    params = { operation = "crop", target_path = "output/square.jpg", width = 32, height = 32 },
  },
}:execute{ source_path = picture }

local names = { "small", "turned", "square" }
for _, name in ipairs(names) do
  local one = made.output[name]
  print(name, one.format, one.width .. " x " .. one.height)
end

-- Sound and video need the extra `av`: Tool.try tells what is missing, and goes on.
local clip = args[2]
if clip then
  local tried = Tool.try("video-processor", {
    operation = "thumbnail", source_path = clip, target_path = "output/clip.jpg",
  })
  print("video", tried.success, tried.success and tried.text or tried.error.message)
end

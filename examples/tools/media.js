#!/usr/bin/env llmspell
// media.js: what a picture is, and copies of it for a web page; a chart where none is given
//   llmspell examples/tools/media.js [photo.jpg]
// Needs: pip install 'llmspell-tools[media,charts]'
const images = Tool["image-processor"];
let picture = args[1];
if (!picture) {
  picture = "output/chart.png";
  await Tool.execute("data-visualizer", {
    input: { Lua: 3, JavaScript: 2, Python: 4 },
    kind: "bar", title: "Spells", targetPath: picture, width: 300, height: 200,
  });
}

const about = await images.execute({ operation: "metadata", filePath: picture });
console.log(about.format, `${about.width} x ${about.height}`, about.mode);

// Several at once: each is a call of its own. The target's extension says the format.
const wanted = {
  small: { operation: "thumbnail", targetPath: "output/small.webp", maxWidth: 32, maxHeight: 32 },
  turned: { operation: "rotate", targetPath: "output/turned.png", degrees: 90 },
  square: { operation: "crop", targetPath: "output/square.jpg", width: 32, height: 32 },
};
const made = await Promise.all(Object.values(wanted).map((params) =>
  images.execute({ ...params, sourcePath: picture })));
Object.keys(wanted).forEach((name, index) => {
  const { format, width, height } = made[index];
  console.log(name, format, `${width} x ${height}`);
});

// Sound and video need the extra `av`: Tool.try tells what is missing, and goes on.
const clip = args[2];
if (clip) {
  const tried = await Tool.try("video-processor", {
    operation: "thumbnail", sourcePath: clip, targetPath: "output/clip.jpg",
  });
  console.log("video", tried.success, tried.success ? tried.text : tried.error.message);
}

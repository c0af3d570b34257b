#!/usr/bin/env llmspell
// web.js: look over a web site: its pages, what changed on the first one, how fast it answers
//   llmspell examples/tools/web.js --site https://example.com/
// The profile medium lets tools reach public hosts only. Needs: pip install 'llmspell-tools[web]'
const site = args.site ?? "https://example.com/";
const about = await Tool.execute("url-analyzer", { input: site });
console.log("host", about.host, about.isSecure ? "encrypted" : "not encrypted");

// What robots.txt and the sitemaps name; where there are none, the first page has to do.
const listed = await Tool.try("sitemap-crawler", { input: site, maxUrls: 5 });
const urls = listed.success ? listed.output.map(({ url }) => url) : [];
const pages = await Promise.all((urls.length ? urls : [site]).map((url) =>
  Tool.execute("web-scraper", {
    input: url, selectors: { headings: "h1, h2" }, extractLinks: true,
  })));
for (const { title, links, fields } of pages) {
  console.log(title, `${links.length} links`, fields.headings.join(", "));
}

// The last version is kept in State: run it again tomorrow.
const watched = await Tool.execute("webpage-monitor", { input: site });
console.log("changed", watched.first ? "first visit" : watched.changed);

const checked = await Tool.execute("api-tester", {
  input: site, repeat: 3, expectedStatus: 200, assertions: ["elapsed_ms < 5000"],
});
console.log("answers", `${checked.succeeded} of ${checked.requests}`, checked.latencyMs.p95 < 5000);

// Tell somebody, signed, where there is somebody to tell.
if (args.hook) {
  const told = await Tool.execute("webhook-caller", {
    input: args.hook, payload: { site, pages: pages.length }, secret: args.secret,
  });
  console.log("told", told.delivered, told.body);
}

#!/usr/bin/env llmspell
// search.js: what is written about something: papers with references, and the web
//   llmspell examples/tools/search.js "tea polyphenols" --since 2020
// arXiv, Crossref, PubMed and OpenAlex need no key. The web needs one, TAVILY_API_KEY or
// another, or a SearXNG of your own: [tools.web-searcher.searxng] base_url = "..."
const question = args[1] ?? "tea polyphenols";
const found = await Tool.execute("academic-searcher", {
  input: question, dateRange: `${args.since ?? "2020"}..`, sortBy: "citations", maxResults: 5,
});
// A source that did not answer is named; the others count.
for (const { source, message } of found.failed) console.error(`${source}: ${message}`);

const entries = found.output.map((work, index) => ({
  id: `w${index + 1}`, type: "article", title: work.title, author: work.authors,
  year: work.year, journal: work.venue, doi: work.doi,
}));
if (entries.length) {
  const made = await Tool.execute("citation-formatter", { input: entries, style: "apa" });
  console.log(made.output);
}

// Providers are asked in turn until one answers.
const web = await Tool.try("web-searcher", { input: question, maxResults: 3, safeSearch: "strict" });
if (web.success) {
  console.log("web", web.provider, web.count);
  for (const { title, url } of web.output) console.log(title, url);
} else {
  console.log("web", web.error.code);
}

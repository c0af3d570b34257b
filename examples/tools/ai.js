#!/usr/bin/env llmspell
// ai.js: letters of customers: what they are about, how they sound, who writes, in one line
//   llmspell examples/tools/ai.js
// These tools ask the configured model ([default] model; without one the model on this machine)
// and give checked data, never free text: an answer that does not fit is asked for again.
const letters = [
  "My invoice of March 3 has the kettle twice. Please correct it. Ada Lovelace, London",
  "The app closes whenever I open my basket! This is the third time. Bob Stone",
];
const labels = {
  billing: "invoices, prices, payments",
  technical: "errors, crashes, slowness",
  other: "everything else",
};

for (const [index, input] of letters.entries()) {
  // Four questions at once, each with a schema of its own.
  const [about, mood, names, short] = await Promise.all([
    Tool.execute("text-classifier", { input, labels }),
    Tool.execute("sentiment-analyzer", { input }),
    Tool.execute("entity-recognizer", { input, labels: ["person", "date"] }),
    Tool.execute("text-summarizer", { input, style: "headline", maxLength: 8 }),
  ]);
  const people = names.output.filter(({ type }) => type === "person").map(({ text }) => text);
  console.log(index + 1, about.label, mood.sentiment, people.join(", "), short.output);
}

// Vectors whose dot product is the similarity of the texts, where there is a model of embeddings.
const tried = await Tool.try("embedding-generator", { input: letters });
if (tried.success) {
  const [a, b] = tried.output;
  const product = a.reduce((sum, value, index) => sum + value * b[index], 0);
  console.log(`alike ${product.toFixed(2)}`);
} else {
  console.log("alike", tried.error.code);
}

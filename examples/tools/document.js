#!/usr/bin/env llmspell
// document.js: a spreadsheet, a bibliography, and what a PDF says
//   llmspell examples/tools/document.js [report.pdf]
// Spreadsheets and PDF files need: pip install 'llmspell-tools[document]'
const spreadsheets = Tool["spreadsheet-processor"];
const sheet = "output/expenses.xlsx";
const { sheets } = await spreadsheets.execute({
  targetPath: sheet,
  rows: {
    March: [["item", "amount"], ["tea", 12.5], ["cups", 40]],
    April: [["item", "amount"], ["kettle", 99.9]],
  },
});
console.log("sheets", sheets.join(" "));

let total = 0;
for (const name of sheets) {
  const { output } = await spreadsheets.execute({ input: sheet, sheet: name });
  for (const { amount } of output) total += amount;
}
console.log("in all", total);
const csv = await spreadsheets.execute({ operation: "to_csv", input: sheet, sheet: "April", delimiter: ";" });
print(csv.output.trimEnd());

// BibTeX, YAML or tables in, a list of references out.
const works = `
@book{knuth, author={Donald Knuth}, title={The Art of Computer Programming}, year=1968,
  publisher={Addison-Wesley}, address={Reading}}
@article{turing, author={Alan M. Turing}, title={On Computable Numbers}, year=1936}
`;
const citations = Tool["citation-formatter"];
console.log((await citations.execute({ operation: "validate_bibliography", input: works })).text);
for (const style of ["apa", "ieee"]) {
  const made = await citations.execute({ input: works, style, citeKeys: ["knuth"] });
  console.log(style, made.citations[0].citation, made.output);
}

const report = args[1];
if (report) {
  const pdf = Tool["pdf-processor"];
  const { pageCount, pages } = await pdf.execute({ input: report });
  console.log(`${pageCount} pages`, pages[0].text);
  await pdf.execute({
    operation: "extract_pages", input: report, startPage: 1, endPage: 1,
    targetPath: "output/first-page.pdf",
  });
}

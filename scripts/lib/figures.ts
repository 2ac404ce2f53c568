const begin = "<!-- figures: begin -->";
const end = "<!-- figures: end -->";

/** The README with the machine and the table of bench/RESULTS.md between its two marks, so that no figure is ever typed by hand. */
export function withFigures(readme: string, results: string | null): string {
  const from = readme.indexOf(begin);
  const to = readme.indexOf(end);
  if (from < 0 || to < from) throw new Error(`README.md has lost its marks "${begin}" and "${end}".`);
  const figures = results === null ? [] : figuresOf(results);
  const body = figures.length === 0 ? "" : `\n${figures.join("\n")}\n`;
  return `${readme.slice(0, from)}${begin}\n${body}${body === "" ? "" : "\n"}${readme.slice(to)}`;
}

function figuresOf(results: string): string[] {
  const lines = results.split("\n");
  const machine = lines.filter((line) => line.startsWith("- "));
  const table = lines.filter((line) => line.startsWith("|"));
  return [...machine, "", ...table];
}

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";

const path = fileURLToPath(new URL("../docs/performance.md", import.meta.url));

const preamble = `# Performance

Every table here is written by a command, on the machine that it names. Run them again to see your own:
\`pnpm bench:models --write\`, \`pnpm bench:kernels --write\`, \`pnpm bench:coldstart --write\`, \`pnpm bench:llm --write\`.
All contestants of a row run in turns in one process, after their results were found equal.
`;

/** Puts a section of the page in place of the one of the same name, or at the end. */
export function writeSection(name: string, title: string, body: string): void {
  const page = existsSync(path) ? readFileSync(path, "utf8") : preamble;
  writeFileSync(path, replaceSection(page, name, `## ${title}\n\n${machine()}\n\n${body}`));
}

/** A page with the section between its two marks replaced; at the end of the page if it is not there yet. */
export function replaceSection(page: string, name: string, text: string): string {
  const [from, to] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const section = `${from}\n\n${text.trim()}\n\n${to}`;
  const start = page.indexOf(from);
  const end = page.indexOf(to);
  if (start < 0 || end < start) return `${page.trimEnd()}\n\n${section}\n`;
  return page.slice(0, start) + section + page.slice(end + to.length);
}

function machine(): string {
  const list = cpus();
  return `Node ${process.versions.node}, ${list.length} × ${list[0]?.model.trim() ?? "unknown processor"}.`;
}

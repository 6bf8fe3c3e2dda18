// Fits and compiles the model, writes it as an artifact into a folder (`model` unless told) and tells new sounds apart.
import { writeArtifact } from "@verticil/compiler/node";
import { keywordSpotter } from "./keyword-spotter.ts";
import { keywords, makeSound } from "./sounds.ts";

const perKeyword = 20;
const spotter = await keywordSpotter();
await writeArtifact(spotter.executable, process.argv[2] ?? "model");
const say = (line: string): void => void process.stdout.write(`${line}\n`);

say(`${"heard:".padEnd(10)}${keywords.map((k) => k.padStart(9)).join("")}`);
let right = 0;
for (const [k, kind] of keywords.entries()) {
  const counts = keywords.map(() => 0);
  for (let i = 0; i < perKeyword; i++) {
    const heard = keywords.indexOf(spotter.listen(makeSound(kind, 100_000 + i * keywords.length + k)).keyword);
    counts[heard] = (counts[heard] ?? 0) + 1;
  }
  right += counts[k] ?? 0;
  say(`${kind.padEnd(10)}${counts.map((n) => String(n).padStart(9)).join("")}`);
}
say(`${right} of ${perKeyword * keywords.length} right`);
spotter.dispose();

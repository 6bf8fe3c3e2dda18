// `pnpm fuzz:tvmscript [--seed S] [--runs N] [--kind edits|bytes|words]… [--seconds T]`: looks for texts that the script
// reader does not bear, N of each kind.
import { parseArgs } from "node:util";
import { fuzzKinds, fuzzScript } from "./script-fuzzer.ts";

const { values } = parseArgs({
  args: process.argv.slice(2).filter((a) => a !== "--"),
  options: { seed: { type: "string", default: "1" }, runs: { type: "string", default: "100000" }, seconds: { type: "string" }, kind: { type: "string", multiple: true } },
});
const seconds = values.seconds === undefined ? {} : { seconds: Number(values.seconds) };
const kinds = values.kind === undefined ? fuzzKinds : fuzzKinds.filter((k) => values.kind?.includes(k));
if (kinds.length !== (values.kind ?? fuzzKinds).length) throw new RangeError(`Kinds of texts are ${fuzzKinds.join(", ")}.`);
const started = performance.now();
const result = fuzzScript({ seed: Number(values.seed), runs: Number(values.runs), kinds, ...seconds });
for (const f of result.findings.slice(0, 10)) process.stdout.write(`${f.problem}\n${JSON.stringify(f.text)}\n\n`);
const took = ((performance.now() - started) / 1000).toFixed(1);
process.stdout.write(
  `seed ${values.seed}, ${kinds.join(" and ")}: ${result.runs} texts in ${took} s, ${result.accepted} of them programs, the slowest took ${result.slowestMs.toFixed(0)} ms, ${result.findings.length} findings\n`,
);
process.exitCode = result.findings.length > 0 ? 1 : 0;

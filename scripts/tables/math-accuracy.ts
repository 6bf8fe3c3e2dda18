import { mathAccuracy } from "../../packages/target-wasm/src/intrin/accuracy.ts";

/** The page on the accuracy of math functions. */
export function mathAccuracyPage(): string {
  const number = (x: number): string => (x >= 1 && x < 1e4 ? String(x) : x.toExponential()).replace(/e\+?/, " · 10^").replace("1 · ", "");
  const rows = mathAccuracy.map(({ name, ulp, range, nearZero, note = "" }) => {
    const [least, most] = range ?? [0, Infinity];
    const where = range === undefined ? "all" : most === Infinity ? `from ${number(least)}` : `to ${number(most)}`;
    const beside = nearZero === undefined ? note : `nearer to 0 up to ${nearZero} ulp, of numbers that are next to subnormal`;
    return `| \`${name}\` | ${ulp} | ${where} | ${beside} |`;
  });
  return [
    "# Accuracy of math functions",
    "",
    "WebAssembly has no instructions for these functions: they are computed with vector arithmetic. The largest error of float32,",
    "in units of the last place of the exact result, with and without relaxed SIMD, for arguments of the magnitudes that are named.",
    "A [test](../packages/target-wasm/src/intrin/accuracy.test.ts) holds them to it at a million floats of all signs and exponents.",
    "16-bit floats are computed as float32. `sqrt` and the roundings are instructions, and exact; `pow` is within 2 ulp where",
    "its result is a normal number.",
    "",
    "Written by `pnpm check:tables --write`.",
    "",
    "| function | ulp | magnitudes | beside that |",
    "|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

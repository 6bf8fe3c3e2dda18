/**
 * The lines that differ between two texts, `-` before those of the first and `+` before those of the second, with
 * `context` lines around each run of them; `…` stands for what is left out. Empty if the texts are the same.
 */
export function lineDiff(before: string, after: string, context = 2): readonly string[] {
  const [a, b] = [before.split("\n"), after.split("\n")];
  const marked = mark(a, b);
  const keep = new Set<number>();
  marked.forEach(({ sign }, i) => {
    if (sign !== " ") for (let j = i - context; j <= i + context; j++) keep.add(j);
  });
  const out: string[] = [];
  for (const [i, { sign, line }] of marked.entries()) {
    if (keep.has(i)) out.push(`${sign} ${line}`);
    else if (keep.has(i - 1) || (i === 0 && keep.size > 0)) out.push("…");
  }
  if (out.at(-1) === "…" ) out.pop();
  if (out[0] === "…") out.shift();
  return out;
}

interface Marked {
  readonly sign: " " | "-" | "+";
  readonly line: string;
}

/** Beyond this many pairs of lines, what lies between the common start and end counts as replaced. */
const MAX_PAIRS = 4_000_000;

/** Each line of both texts once, by the longest common subsequence. */
function mark(a: readonly string[], b: readonly string[]): readonly Marked[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const same = (lines: readonly string[]): Marked[] => lines.map((line) => ({ sign: " ", line }));
  const middle = markMiddle(a.slice(start, a.length - end), b.slice(start, b.length - end));
  return [...same(a.slice(0, start)), ...middle, ...same(a.slice(a.length - end))];
}

function markMiddle(a: readonly string[], b: readonly string[]): readonly Marked[] {
  const removed = (line: string): Marked => ({ sign: "-", line });
  const added = (line: string): Marked => ({ sign: "+", line });
  if (a.length * b.length > MAX_PAIRS) return [...a.map(removed), ...b.map(added)];
  const width = b.length + 1;
  // common[i * width + j]: the length of the longest common subsequence of a from i and b from j.
  const common = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number): number => common[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) common[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  }
  const out: Marked[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const [x, y] = [a[i], b[j]];
    if (x !== undefined && x === y) {
      out.push({ sign: " ", line: x });
      i++;
      j++;
    } else if (x !== undefined && (y === undefined || at(i + 1, j) >= at(i, j + 1))) {
      out.push(removed(x));
      i++;
    } else if (y !== undefined) {
      out.push(added(y));
      j++;
    }
  }
  return out;
}

import type { Random } from "./random.ts";

/** A program of one to three stages over small shapes, in TVMScript; each stage reads earlier ones. */
export function randomProgram(random: Random): string {
  const n = random.int(1, 3);
  const shapes: (readonly number[])[] = [[random.int(2, 6), random.int(2, 8)]];
  const names = ["A"];
  const stages: string[] = [];
  for (let s = 0; s < n; s++) {
    const from = random.int(Math.max(0, s - 1), s);
    const shape = shapes[from] ?? [4, 4];
    const name = `S${s}`;
    const made = random.pick(stageMakers)(random, name, names[from] ?? "A", shape);
    names.push(name);
    shapes.push(made.shape);
    stages.push(made.text);
  }
  const params = names.flatMap((name, i) => (i === 0 || i === n ? [`${name}: T.Buffer((${shapes[i]?.join(", ") ?? ""},), "float32")`] : []));
  const allocs = names.slice(1, -1).map((name, i) => `    ${name} = T.alloc_buffer((${shapes[i + 1]?.join(", ") ?? ""},))`);
  return ["@T.prim_func", `def main(${params.join(", ")}):`, ...allocs, ...stages].join("\n");
}

interface Stage {
  readonly text: string;
  readonly shape: readonly number[];
}

type StageMaker = (random: Random, name: string, from: string, shape: readonly number[]) => Stage;

const axes = ["i", "j", "k", "l"];

function nest(name: string, shape: readonly number[], reduction: readonly number[], body: readonly string[]): string {
  const all = [...shape, ...reduction];
  const loops = axes.slice(0, all.length);
  const vars = loops.map((a) => `v${a}`);
  const kinds = `${"S".repeat(shape.length)}${"R".repeat(reduction.length)}`;
  const head = all.length === 1 ? `    for ${loops[0] ?? ""} in range(${all[0] ?? 1}):` : `    for ${loops.join(", ")} in T.grid(${all.join(", ")}):`;
  const bind = all.length === 1 ? `            ${vars[0] ?? ""} = T.axis.remap("${kinds}", [${loops.join(", ")}])` : `            ${vars.join(", ")} = T.axis.remap("${kinds}", [${loops.join(", ")}])`;
  return [head, `        with T.block("${name}"):`, bind, ...body.map((l) => `            ${l}`)].join("\n");
}

function indices(n: number): readonly string[] {
  return axes.slice(0, n).map((a) => `v${a}`);
}

const elementwise: StageMaker = (random, name, from, shape) => {
  const at = indices(shape.length).join(", ");
  const op = random.pick([`${from}[${at}] * T.float32(2)`, `${from}[${at}] + T.float32(1)`, `T.max(${from}[${at}], T.float32(0))`, `${from}[${at}] - ${from}[${at}] * T.float32(3)`]);
  return { shape, text: nest(name, shape, [], [`${name}[${at}] = ${op}`]) };
};

const transpose: StageMaker = (_, name, from, shape) => {
  const at = indices(shape.length);
  return { shape: [...shape].reverse(), text: nest(name, [...shape].reverse(), [], [`${name}[${at.join(", ")}] = ${from}[${[...at].reverse().join(", ")}]`]) };
};

const reshape: StageMaker = (_, name, from, shape) => {
  const size = shape.reduce((a, b) => a * b, 1);
  if (shape.length < 2) return { shape: [1, size], text: nest(name, [1, size], [], [`${name}[vi, vj] = ${from}[vj]`]) };
  return { shape: [size], text: nest(name, [size], [], [`${name}[vi] = ${from}[vi // ${shape[1] ?? 1}, vi % ${shape[1] ?? 1}]`]) };
};

const sum: StageMaker = (random, name, from, shape) => {
  const kept = shape.slice(0, -1);
  if (kept.length === 0) return elementwise(random, name, from, shape);
  const at = indices(kept.length).join(", ");
  const all = indices(shape.length).join(", ");
  const [zero, next] = random.pick([["0", `${name}[${at}] + ${from}[${all}]`], ["-100", `T.max(${name}[${at}], ${from}[${all}])`]] as const);
  return { shape: kept, text: nest(name, kept, shape.slice(-1), ["with T.init():", `    ${name}[${at}] = T.float32(${zero})`, `${name}[${at}] = ${next}`]) };
};

const product: StageMaker = (random, name, from, shape) => {
  const [m, k] = shape;
  if (m === undefined || k === undefined) return elementwise(random, name, from, shape);
  return { shape: [m, m], text: nest(name, [m, m], [k], ["with T.init():", `    ${name}[vi, vj] = T.float32(0)`, `${name}[vi, vj] = ${name}[vi, vj] + ${from}[vi, vk] * ${from}[vj, vk]`]) };
};

const window: StageMaker = (random, name, from, shape) => {
  const [first = 1, ...rest] = shape;
  if (first < 3) return elementwise(random, name, from, shape);
  const out = [first - 2, ...rest];
  const at = indices(out.length);
  const moved = [`vi + v${axes[out.length] ?? "k"}`, ...at.slice(1)].join(", ");
  return { shape: out, text: nest(name, out, [3], ["with T.init():", `    ${name}[${at.join(", ")}] = T.float32(0)`, `${name}[${at.join(", ")}] = ${name}[${at.join(", ")}] + ${from}[${moved}]`]) };
};

const pad: StageMaker = (_, name, from, shape) => {
  const [first = 1, ...rest] = shape;
  const at = indices(shape.length);
  const inner = ["vi - 1", ...at.slice(1)].join(", ");
  const out = [first + 2, ...rest];
  return { shape: out, text: nest(name, out, [], [`${name}[${at.join(", ")}] = T.if_then_else(1 <= vi and vi < ${first + 1}, ${from}[${inner}], T.float32(0), dtype="float32")`]) };
};

const stageMakers: readonly StageMaker[] = [elementwise, elementwise, transpose, reshape, sum, product, window, pad];

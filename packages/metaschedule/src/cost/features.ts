import { asInt, usesVar, visitExpr, visitStmt, type BlockRealize, type BufferLoad, type For, type PrimExpr, type PrimFunc, type Var } from "@verticil/tir";
import { reduces } from "../space/block-kind.ts";

/** Accesses of the innermost statement that are looked at, and how many steps outward from it. */
const ACCESSES = 3;
const STEPS = 8;

/** How many numbers `featuresOf` gives. */
export const FEATURES: number = 10 + STEPS * (1 + ACCESSES);

interface Nest {
  readonly realize: BlockRealize;
  /** Outermost first. */
  readonly loops: readonly For[];
}

/**
 * Numbers that tell how fast a scheduled program may be: the register tile, what is written out, and, from the innermost
 * statement outward, how often each loop runs and how many elements of each operand it goes over. Logarithms of base 2,
 * except for shares. Loops that run once are left out.
 */
export function featuresOf(func: PrimFunc): Float64Array {
  const out = new Float64Array(FEATURES);
  const nests = nestsOf(func);
  const main = nests.filter((n) => n.realize.block.init === undefined && reduces(n.realize.block)).toSorted((a, b) => runs(b) - runs(a))[0];
  if (main === undefined) return out;
  const { loops } = main;
  const unrolled = loops.filter((l) => l.forKind === "unrolled");
  const spatial = unrolled.filter((l) => drives(main.realize, l.loopVar, "kDataPar"));
  const rows = spatial[0];
  const rest = nests.filter((n) => n !== main);
  out[0] = log(product(spatial));
  out[1] = log(rows === undefined || spatial.length < 2 ? 1 : extent(rows));
  out[2] = log(product(spatial.slice(1)));
  out[3] = log(product(unrolled));
  out[4] = log(runs(main));
  // What tiles that stick out and copies that are made anew cost, beside the work itself.
  out[5] = log(rest.reduce((sum, n) => sum + runs(n), 1) / runs(main));
  out[6] = rest.length;
  out[7] = log(loops.filter((l) => l.forKind === "serial" && drives(main.realize, l.loopVar, "kCommReduce")).reduce((n, l) => n * extent(l), 1));
  out[8] = main.realize.predicate.kind === "ir.IntImm" ? 0 : 1;
  out[9] = product(loops) / Math.max(1, domainOf(main.realize));
  outward(main, loops.toReversed().filter((l) => extent(l) > 1), out.subarray(10));
  return out;
}

/** For each loop from the inside out: its extent, and the elements of each operand that it and those inside go over. */
function outward({ realize }: Nest, loops: readonly For[], out: Float64Array): void {
  const accesses = accessesOf(realize);
  const touched = accesses.map(() => 1);
  for (const [k, loop] of loops.slice(0, STEPS).entries()) {
    out[k * (1 + ACCESSES)] = log(extent(loop));
    accesses.forEach((indices, a) => {
      if (indices.some((i) => usesVar(i, (v) => movesWith(realize, v, loop.loopVar)))) touched[a] = (touched[a] ?? 1) * extent(loop);
      out[k * (1 + ACCESSES) + 1 + a] = log(touched[a] ?? 1);
    });
  }
}

function movesWith(realize: BlockRealize, v: unknown, loopVar: Var): boolean {
  const value = realize.iterValues[realize.block.iterVars.findIndex((iv) => iv.var === v)];
  return value !== undefined && usesVar(value, loopVar);
}

function accessesOf(realize: BlockRealize): readonly (readonly PrimExpr[])[] {
  const { body } = realize.block;
  if (body.kind !== "tir.BufferStore") return [];
  const loads: BufferLoad[] = [];
  visitExpr(body.value, (e) => {
    if (e.kind === "tir.BufferLoad" && e.buffer !== body.buffer) loads.push(e);
    return undefined;
  });
  return [body.indices, ...loads.map((l) => l.indices)].slice(0, ACCESSES);
}

function drives(realize: BlockRealize, loopVar: Var, type: string): boolean {
  return realize.block.iterVars.some((iv, i) => {
    const value = realize.iterValues[i];
    return iv.iterType === type && value !== undefined && usesVar(value, loopVar);
  });
}

function nestsOf(func: PrimFunc): readonly Nest[] {
  const out: Nest[] = [];
  const walk = (root: PrimFunc["body"], loops: readonly For[]): void =>
    visitStmt(root, {
      stmt(s) {
        if (s.kind === "tir.For") {
          walk(s.body, [...loops, s]);
          return "skip";
        }
        if (s.kind === "tir.BlockRealize" && s.block.body.kind === "tir.BufferStore") out.push({ realize: s, loops });
        return undefined;
      },
    });
  walk(func.body, []);
  return out;
}

function domainOf(realize: BlockRealize): number {
  return realize.block.iterVars.reduce((n, iv) => n * ((iv.dom && asInt(iv.dom.extent)) ?? 1), 1);
}

function runs({ loops }: Nest): number {
  return product(loops);
}

function product(loops: readonly For[]): number {
  return loops.reduce((n, l) => n * extent(l), 1);
}

function extent(loop: For): number {
  return asInt(loop.extent) ?? 1;
}

function log(x: number): number {
  return Math.log2(Math.max(x, 2 ** -20));
}

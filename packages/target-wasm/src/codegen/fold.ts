import type { Graph } from "./graph.ts";
import type { Value } from "./value.ts";

/** The number of an i32 constant, or undefined. */
export function i32Of(value: Value | undefined): number | undefined {
  return value?.kind === "const" && value.type === "i32" ? Number(value.value) : undefined;
}

function foldConstants(op: string, a: number, b: number): number | undefined {
  switch (op) {
    case "i32.add":
      return (a + b) | 0;
    case "i32.sub":
      return (a - b) | 0;
    case "i32.mul":
      return Math.imul(a, b);
    case "i32.and":
      return a & b;
    case "i32.or":
      return a | b;
    case "i32.xor":
      return a ^ b;
    case "i32.shl":
      return a << b;
    case "i32.shr_s":
      return a >> b;
    case "i32.shr_u":
      return (a >>> b) | 0;
    case "i32.eq":
      return a === b ? 1 : 0;
    case "i32.ne":
      return a !== b ? 1 : 0;
    case "i32.lt_s":
      return a < b ? 1 : 0;
    case "i32.le_s":
      return a <= b ? 1 : 0;
    case "i32.gt_s":
      return a > b ? 1 : 0;
    case "i32.ge_s":
      return a >= b ? 1 : 0;
    default:
      return undefined;
  }
}

/** Where the result of a comparison follows from what the operands lie in. */
function foldByRange(op: string, a: Value, b: Value): number | undefined {
  if (a.range === undefined || b.range === undefined) return undefined;
  const { lo: al, hi: ah } = a.range;
  const { lo: bl, hi: bh } = b.range;
  const decide = (yes: boolean, no: boolean): number | undefined => (yes ? 1 : no ? 0 : undefined);
  switch (op) {
    case "i32.lt_s":
      return decide(ah < bl, al >= bh);
    case "i32.le_s":
      return decide(ah <= bl, al > bh);
    case "i32.gt_s":
      return decide(al > bh, ah <= bl);
    case "i32.ge_s":
      return decide(al >= bh, ah < bl);
    default:
      return undefined;
  }
}

/** A simpler value for an instruction: constants, neutral operands, shifts for products. Undefined if there is none. */
export function foldOp(graph: Graph, op: string, args: readonly Value[]): Value | undefined {
  const [a, b] = args;
  if (a === undefined) return undefined;
  const x = i32Of(a);
  const y = i32Of(b);
  if (op === "i32.eqz") return x === undefined ? undefined : graph.i32(x === 0 ? 1 : 0);
  if (op === "i64.extend_i32_s") return x === undefined ? undefined : graph.i64(BigInt(x));
  if (op === "i32.wrap_i64") return foldWrap(graph, a);
  if (b === undefined || !op.startsWith("i32.")) return undefined;
  if (x !== undefined && y !== undefined) {
    const folded = foldConstants(op, x, y);
    return folded === undefined ? undefined : graph.i32(folded);
  }
  const decided = foldByRange(op, a, b);
  if (decided !== undefined) return graph.i32(decided);
  switch (op) {
    case "i32.add":
      return x === 0 ? b : y === 0 ? a : undefined;
    case "i32.sub":
    case "i32.shl":
    case "i32.shr_s":
    case "i32.shr_u":
      return y === 0 ? a : undefined;
    case "i32.or":
    case "i32.xor":
      return x === 0 ? b : y === 0 ? a : undefined;
    case "i32.and":
      return foldAnd(graph, a, b);
    case "i32.mul":
      return foldMul(graph, a, b);
    default:
      return undefined;
  }
}

function foldWrap(graph: Graph, a: Value): Value | undefined {
  if (a.kind === "const" && typeof a.value === "bigint") return graph.i32(Number(BigInt.asIntN(32, a.value)));
  return a.kind === "op" && a.op.startsWith("i64.extend_i32_") ? a.args[0] : undefined;
}

function foldAnd(graph: Graph, a: Value, b: Value): Value | undefined {
  const x = i32Of(a);
  const y = i32Of(b);
  if (x === 0 || y === 0) return graph.i32(0);
  if (x === -1) return b;
  if (y === -1) return a;
  // A mask of low ones over a value that already fits.
  const isMask = y !== undefined && y > 0 && (y & (y + 1)) === 0;
  return isMask && a.range !== undefined && a.range.lo >= 0 && a.range.hi <= y ? a : undefined;
}

function foldMul(graph: Graph, a: Value, b: Value): Value | undefined {
  const x = i32Of(a);
  if (x !== undefined) return foldMul(graph, b, a) ?? graph.op("i32.mul", [b, a]);
  const y = i32Of(b);
  if (y === undefined) return undefined;
  if (y === 0) return graph.i32(0);
  if (y === 1) return a;
  return y > 0 && (y & (y - 1)) === 0 ? graph.op("i32.shl", [a, graph.i32(31 - Math.clz32(y))]) : undefined;
}

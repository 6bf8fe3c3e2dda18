import { asInt, constant, floorDiv, isVectorizable, mapExpr, mapSubStmts, type Block, type PrimExpr, type Stmt, type Var } from "@verticil/tir";
import { choiceOf } from "./restrict-nest.ts";
import { lanes } from "./schedule-injective.ts";

/**
 * Conditions on the last index of what is stored, compared with multiples of a vector's lanes, said of its quotient:
 * `v < 36` as `v // 4 < 9`, the same for all lanes of a vector that begins at a multiple of 4. So what adds a tensor of
 * fewer channels (a residual padded with zeros) is computed in vectors.
 */
export function alignConditions(nest: Stmt): Stmt {
  if (nest.kind !== "tir.BlockRealize") return mapSubStmts(nest, alignConditions);
  const { body } = nest.block;
  const last = body.kind === "tir.BufferStore" ? body.indices.at(-1) : undefined;
  if (body.kind !== "tir.BufferStore" || last?.kind !== "tir.Var") return nest;
  const value = mapExpr(body.value, (e) => {
    const choice = choiceOf(e);
    if (choice === undefined || e.kind !== "tir.Call") return e;
    const condition = mapExpr(choice.condition, (c) => aligned(c, last));
    return condition === choice.condition ? e : { ...e, args: [condition, choice.value, choice.otherwise] };
  });
  return value === body.value ? nest : { ...nest, block: { ...nest.block, body: { ...body, value } } };
}

/** `isVectorizable` of a block whose vectors begin at multiples of their lanes: `v // 4` is the same for all lanes. */
export function isVectorizableAligned(block: Block, v: Var): boolean {
  const { body } = block;
  if (body.kind !== "tir.BufferStore") return false;
  const value = mapExpr(body.value, (e) => (e.kind === "tir.FloorDiv" && e.a === v && (asInt(e.b) ?? 1) % lanes === 0 ? constant(0, e.dtype) : e));
  return isVectorizable({ ...block, body: { ...body, value } }, v);
}

/** `v < c` and `v >= c`, with `c` on either side, for a multiple `c` of the lanes; other expressions as they are. */
function aligned(e: PrimExpr, v: Var): PrimExpr {
  if (e.kind !== "tir.LT" && e.kind !== "tir.GE" && e.kind !== "tir.LE" && e.kind !== "tir.GT") return e;
  const below = e.kind === "tir.LT" || e.kind === "tir.GE";
  const bound = asInt(below ? e.b : e.a);
  if ((below ? e.a : e.b) !== v || bound === undefined || bound % lanes !== 0) return e;
  const [quotient, limit] = [floorDiv(v, constant(lanes, v.dtype)), constant(bound / lanes, v.dtype)];
  return below ? { ...e, a: quotient, b: limit } : { ...e, a: limit, b: quotient };
}

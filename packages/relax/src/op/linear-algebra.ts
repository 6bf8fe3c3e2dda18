import { at } from "@verticil/ir-core";
import { asInt, isConstInt, type PrimExpr } from "@verticil/tir";
import { makeTensorStructInfo, shapeOf } from "../ir/make.ts";
import type { InferStructInfo, OpDef } from "../ir/op-def.ts";
import { dtypeAttr, stringAttr } from "./attrs-of.ts";
import { attr, defineOp, optDType } from "./define.ts";
import { broadcastDims, dimAt, dimsOfRank, provablyDiffer, sameDType, tensorArg, tensorLike, tensorTupleArg } from "./infer.ts";

const matmul: InferStructInfo = (call, ctx) => {
  const a = tensorArg(call, 0);
  const b = tensorArg(call, 1);
  const dtype = dtypeAttr(call, "out_dtype") ?? sameDType(call, [a, b]);
  if (a.ndim === 0 || b.ndim === 0) throw new RangeError("`relax.matmul` takes tensors of at least one dimension.");
  const ndim = a.ndim < 0 || b.ndim < 0 ? -1 : a.ndim === 1 || b.ndim === 1 ? a.ndim + b.ndim - 2 : Math.max(a.ndim, b.ndim);
  const x = shapeOf(a);
  const y = shapeOf(b);
  if (x === undefined || y === undefined) return tensorLike(a, ndim === -1 ? -1 : Math.max(ndim, 0), dtype);
  const inner = [dimAt(x, -1), y.length === 1 ? at(y, 0) : dimAt(y, -2)] as const;
  if (provablyDiffer(inner[0], inner[1])) {
    throw new RangeError(`\`relax.matmul\` cannot contract dimensions ${asInt(inner[0])} and ${asInt(inner[1])}.`);
  }
  const batch = broadcastDims(call, x.slice(0, -2), y.slice(0, -2), ctx);
  if (batch === undefined) return tensorLike(a, ndim, dtype);
  const rows = x.length === 1 ? [] : [dimAt(x, -2)];
  const columns = y.length === 1 ? [] : [dimAt(y, -1)];
  return tensorLike(a, [...batch, ...rows, ...columns], dtype);
};

/** A parsed `einsum` subscript: one list of labels an operand, and the output's. `...` becomes labels of its own. */
export interface EinsumSpec {
  readonly inputs: readonly (readonly string[])[];
  readonly output: readonly string[];
}

/** Parses `subscripts` for operands of these ranks. @throws RangeError if it does not fit them. */
export function parseEinsum(subscripts: string, ranks: readonly number[]): EinsumSpec {
  const [left = "", right] = subscripts.replaceAll(" ", "").split("->");
  const terms = left.split(",");
  if (terms.length !== ranks.length) throw new RangeError(`\`${subscripts}\` is for ${terms.length} operands, not ${ranks.length}.`);
  const ellipsis = Math.max(0, ...terms.map((t, i) => (t.includes("...") ? at(ranks, i) - (t.length - 3) : 0)));
  const dots = Array.from({ length: ellipsis }, (_, i) => `.${i}`);
  const labels = (term: string, rank?: number): readonly string[] => {
    const cut = term.indexOf("...");
    if (cut < 0) return [...term];
    const rest = term.replace("...", "");
    const count = rank === undefined ? dots.length : rank - rest.length;
    return [...rest.slice(0, cut), ...dots.slice(dots.length - count), ...rest.slice(cut)];
  };
  const inputs = terms.map((t, i) => labels(t, ranks[i]));
  inputs.forEach((labs, i) => {
    if (labs.length !== ranks[i]) throw new RangeError(`\`${terms[i]}\` in \`${subscripts}\` does not fit a tensor of ${ranks[i]} dimensions.`);
  });
  if (right !== undefined) return { inputs, output: labels(right) };
  const all = inputs.flat();
  const once = all.filter((l) => !l.startsWith(".") && all.indexOf(l) === all.lastIndexOf(l)).toSorted();
  return { inputs, output: [...dots, ...once] };
}

const einsum: InferStructInfo = (call) => {
  const infos = tensorTupleArg(call, 0);
  const dtype = sameDType(call, infos);
  const shapes = infos.map(shapeOf).filter((s) => s !== undefined);
  if (shapes.length < infos.length) return makeTensorStructInfo(-1, dtype);
  const spec = parseEinsum(stringAttr(call, "subscripts"), shapes.map((s) => s.length));
  const sizes = new Map<string, PrimExpr>();
  spec.inputs.forEach((labels, i) => {
    labels.forEach((label, j) => {
      const size = at(at(shapes, i), j);
      const known = sizes.get(label);
      if (known === undefined || isConstInt(known, 1)) sizes.set(label, size);
      else if (!isConstInt(size, 1) && provablyDiffer(known, size)) {
        throw new RangeError(`\`relax.einsum\` has label ${label} of size ${asInt(known)} and ${asInt(size)}.`);
      }
    });
  });
  const dims = spec.output.map((label) => {
    const size = sizes.get(label);
    if (size === undefined) throw new RangeError(`\`relax.einsum\` has no operand with the label ${label}.`);
    return size;
  });
  return makeTensorStructInfo(dims, dtype, infos[0]?.vdevice);
};

const outer: InferStructInfo = (call) => {
  const a = tensorArg(call, 0);
  const x = dimsOfRank(call, 0, 1);
  const y = dimsOfRank(call, 1, 1);
  const dtype = sameDType(call, [a, tensorArg(call, 1)]);
  return tensorLike(a, x === undefined || y === undefined ? 2 : [...x, ...y], dtype);
};

/** Products of tensors. */
export const linearAlgebraOps: readonly OpDef[] = [
  defineOp("matmul", { args: ["x1", "x2"], attrs: { out_dtype: optDType }, infer: matmul }),
  defineOp("einsum", { args: ["operands"], argKinds: { operands: "tuple" }, attrs: { subscripts: attr("string") }, infer: einsum }),
  defineOp("outer", { args: ["x1", "x2"], infer: outer }),
];

import { makeIntImm, type AttrMap } from "@verticil/ir-core";
import type { DType } from "@verticil/runtime-ffi";
import type { Buffer } from "../ir/buffer.ts";
import type { Var } from "../ir/expr.ts";
import { makeVar } from "../ir/make-expr.ts";
import { makeBlock, makeBlockRealize, makeBuffer, makePrimFunc, type BufferOptions } from "../ir/make-stmt.ts";
import { toExpr, type ExprLike } from "../ir/ops.ts";
import type { PrimFunc } from "../ir/stmt.ts";
import { needsRoot } from "../script/root-block.ts";
import { BlockBuilder } from "./stmt-builder.ts";

/** A parameter that is a buffer. */
export interface BufferParam {
  readonly param: "buffer";
  readonly shape: readonly ExprLike[];
  readonly dtype: DType;
  readonly options: BufferOptions;
}

/** A parameter that is a number. */
export interface ScalarParam {
  readonly param: "scalar";
  readonly dtype: DType;
}

/** The parameters of a tensor program by name, in order. */
export type PrimFuncParams = Readonly<Record<string, BufferParam | ScalarParam>>;

/** What the body of a tensor program is given for its parameters. */
export type PrimFuncArgs<P extends PrimFuncParams> = { readonly [K in keyof P]: P[K] extends BufferParam ? Buffer : Var };

/** A parameter of `primFunc` that is a buffer. */
export function bufferParam(shape: readonly ExprLike[], dtype: DType = "float32", options: BufferOptions = {}): BufferParam {
  return { param: "buffer", shape, dtype, options };
}

/** A parameter of `primFunc` that is a number. */
export function scalarParam(dtype: DType = "int32"): ScalarParam {
  return { param: "scalar", dtype };
}

/**
 * A tensor program, built instead of written: what TVMScript says, with names and types that the compiler checks.
 *
 * ```ts
 * const double = primFunc("double", { A: bufferParam([128]), B: bufferParam([128]) }, ({ A, B }, f) => {
 *   f.grid({ i: 128 }, ({ i }, b) => b.block("double", { vi: spatialAxis(128, i) }, ({ vi }, blk) => blk.store(B, [vi], mul(element(A, vi), f32(2)))));
 * });
 * ```
 */
export function primFunc<P extends PrimFuncParams>(
  name: string,
  params: P,
  body: (args: PrimFuncArgs<P>, f: BlockBuilder) => void,
  opts: { readonly isPrivate?: boolean; readonly attrs?: AttrMap } = {},
): PrimFunc {
  const vars: Var[] = [];
  const buffers = new Map<Var, Buffer>();
  const args: Record<string, Buffer | Var> = {};
  for (const [key, param] of Object.entries(params)) {
    if (param.param === "scalar") {
      const v = makeVar(key, param.dtype);
      vars.push(v);
      args[key] = v;
      continue;
    }
    const v = makeVar(`${key}_handle`, "handle");
    const buffer = makeBuffer(key, param.shape.map((d) => toExpr(d)), param.dtype, param.options);
    vars.push(v);
    buffers.set(v, buffer);
    args[key] = buffer;
  }
  const f = new BlockBuilder();
  body(args as PrimFuncArgs<P>, f);
  const stmt = f.finish();
  const root = needsRoot(stmt, f.allocated)
    ? makeBlockRealize([], makeIntImm(1, "bool"), makeBlock("root", [], [], [], stmt, { allocBuffers: f.allocated }))
    : stmt;
  const attrs: AttrMap = opts.isPrivate === true ? (opts.attrs ?? {}) : { global_symbol: name, ...opts.attrs };
  return makePrimFunc(vars, root, { bufferMap: buffers, attrs });
}

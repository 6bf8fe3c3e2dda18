import {
  definePass,
  makeIntImm,
  withFunctions,
  type BaseFunc,
  type GlobalVar,
  type IRModule,
  type Pass,
} from "@verticil/ir-core";
import {
  makeBlock,
  makeBlockRealize,
  makeBuffer,
  makePrimFunc,
  makeSeq,
  makeVar as makeTirVar,
  renewDefs,
  replaceBuffers,
  substitute,
  undefinedVars,
  type AnyVar as TirVar,
  type Buffer,
  type PrimExpr,
  type PrimFunc,
  type Stmt,
  type Var as TirParam,
} from "@verticil/tir";
import { forEachBinding, isVar } from "../analysis/variables.ts";
import { BlockBuilder } from "../ir/block-builder.ts";
import { callTirParts, type CallTirParts } from "../ir/call-target.ts";
import { callTir } from "../ir/call-tir.ts";
import type { AnyVar, Call, Expr, Function } from "../ir/expr.ts";
import { bindSymbolic, leafInfos } from "../ir/infer-call.ts";
import { makeShapeExpr, makeTupleGetItem, shapeOf } from "../ir/make.ts";
import { isRelaxFunction, rewriteBindings } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import { UniqueNames } from "../ir/unique-names.ts";
import type { StructInfo } from "../ir/struct-info.ts";

/**
 * Upstream's `FuseTIR`: makes one tensor program of each function marked `Primitive`, its intermediate values buffers
 * inside it, and calls that instead.
 */
export function fuseTIR(): Pass {
  return definePass("FuseTIR", (module, ctx) => {
    const fused = fusePrimitives(module);
    if (fused.size === 0) return module;
    const bb = new BlockBuilder({ ops: ctx.get(opRegistryKey), module });
    for (const [gv, { func }] of fused) bb.updateFunc(gv, func);
    for (const [gv, func] of module.functions) {
      if (!isRelaxFunction(func) || fused.has(gv)) continue;
      const next = rewriteBindings(func, bb, (value) => {
        if (value.kind !== "relax.Call" || value.op.kind !== "ir.GlobalVar") return undefined;
        const target = fused.get(value.op);
        return target === undefined ? undefined : callFused(bb, value.op, value, target);
      });
      bb.updateFunc(gv, next);
    }
    return dropUnused(bb.finalize());
  });
}

interface Fused {
  readonly func: PrimFunc;
  /** Symbolic values that the program takes beside its buffers, in terms of the primitive function's own variables. */
  readonly symbolic: readonly TirVar[];
  readonly source: Function;
}

function fusePrimitives(module: IRModule): ReadonlyMap<GlobalVar, Fused> {
  const out = new Map<GlobalVar, Fused>();
  for (const [gv, func] of module.functions) {
    if (!isRelaxFunction(func) || func.attrs["Primitive"] === undefined || func.attrs["Codegen"] !== undefined) continue;
    const fused = new Fuser(module, func).run();
    if (fused !== undefined) out.set(gv, fused);
  }
  return out;
}

/** A call of the fused program in place of the call of the primitive function. */
function callFused(bb: BlockBuilder, gv: GlobalVar, call: Call, fused: Fused): Expr {
  const args = call.args.flatMap((a) => leaves(bb, a));
  const ret = call.structInfo ?? fused.source.retStructInfo;
  const values = new Map<TirVar, PrimExpr>();
  fused.source.params.forEach((p, i) => {
    const arg = call.args[i];
    if (p.structInfo !== undefined && arg !== undefined) bindSymbolic(p.structInfo, structInfoOf(arg), values);
  });
  const tirVars = fused.symbolic.length === 0 ? undefined : makeShapeExpr(fused.symbolic.map((v) => values.get(v) ?? v));
  return callTir(gv, args, ret, tirVars);
}

/** A program takes tensors: a tuple is passed field by field. */
function leaves(bb: BlockBuilder, arg: Expr): readonly Expr[] {
  if (arg.kind === "relax.Tuple") return arg.fields.flatMap((f) => leaves(bb, f));
  const info = structInfoOf(arg);
  if (info?.kind === "relax.ShapeStructInfo") return [];
  if (info?.kind !== "relax.TupleStructInfo") return [arg];
  return info.fields.flatMap((_, i) => leaves(bb, bb.emit(makeTupleGetItem(arg, i))));
}

/** Tensor programs that were fused away are not called any more. */
function dropUnused(module: IRModule): IRModule {
  const used = new Set<GlobalVar>();
  for (const func of module.functions.values()) {
    if (!isRelaxFunction(func)) continue;
    forEachCall(func.body, (e) => {
      if (e.op.kind === "ir.GlobalVar") used.add(e.op);
      for (const a of e.args) if (a.kind === "ir.GlobalVar") used.add(a);
    });
  }
  const keep = ([gv, func]: [GlobalVar, BaseFunc]): boolean =>
    func.kind !== "tir.PrimFunc" || used.has(gv) || func.attrs["global_symbol"] !== undefined;
  return withFunctions(module, new Map([...module.functions].filter(keep)));
}

function forEachCall(expr: Expr, f: (call: Call) => void): void {
  if (expr.kind === "relax.Call") f(expr);
  else if (expr.kind === "relax.If") {
    forEachCall(expr.trueBranch, f);
    forEachCall(expr.falseBranch, f);
  } else if (expr.kind === "relax.Function") forEachCall(expr.body, f);
  else forEachBinding(expr, (b) => forEachCall(b.value, f));
}

/** Makes one tensor program of a primitive function; undefined if something in it is no `call_tir`. */
class Fuser {
  readonly #module: IRModule;
  readonly #func: Function;
  readonly #names = new UniqueNames();
  readonly #blockNames = new UniqueNames();
  readonly #buffers = new Map<AnyVar, readonly Buffer[]>();
  readonly #params: TirParam[] = [];
  readonly #bufferMap = new Map<TirParam, Buffer>();
  readonly #allocs: Buffer[] = [];
  readonly #body: Stmt[] = [];
  readonly #symbolic = new Set<TirVar>();

  constructor(module: IRModule, func: Function) {
    this.#module = module;
    this.#func = func;
  }

  run(): Fused | undefined {
    const func = this.#func;
    if (func.body.kind !== "relax.SeqExpr") return undefined;
    for (const p of func.params) {
      if (p.structInfo === undefined) return undefined;
      if (p.structInfo.kind === "relax.ShapeStructInfo") continue;
      this.#buffers.set(p, leafInfos(p.structInfo).map((info) => this.#param(p.name, info)));
    }
    const results = this.#resultBuffers(func.body.body);
    if (results === undefined) return undefined;
    const outputs = results.map(({ v, info }) => {
      const buffers = leafInfos(info).map((leaf) => this.#param(`${v.name}_out`, leaf));
      this.#buffers.set(v, buffers);
      return v;
    });
    let ok = outputs.length > 0;
    forEachBinding(func.body, (b) => {
      if (ok && !this.#binding(b.var, b.value)) ok = false;
    });
    if (!ok) return undefined;
    return { func: this.#finish(), symbolic: [...this.#symbolic], source: func };
  }

  #resultBuffers(result: Expr): readonly { readonly v: AnyVar; readonly info: StructInfo }[] | undefined {
    const list = result.kind === "relax.Tuple" ? result.fields : [result];
    const out: { v: AnyVar; info: StructInfo }[] = [];
    for (const r of list) {
      if (!isVar(r) || r.structInfo === undefined || this.#buffers.has(r)) return undefined;
      out.push({ v: r, info: r.structInfo });
    }
    return out;
  }

  #param(name: string, info: StructInfo): Buffer {
    const buffer = this.#buffer(name, info);
    const handle = makeTirVar(`p_${buffer.name}`, "handle");
    this.#params.push(handle);
    this.#bufferMap.set(handle, buffer);
    return buffer;
  }

  #buffer(name: string, info: StructInfo): Buffer {
    const shape = shapeOf(info);
    if (info.kind !== "relax.TensorStructInfo" || shape === undefined || info.dtype === undefined) {
      throw new TypeError(`\`${name}\` in \`${String(this.#func.attrs["global_symbol"] ?? "a primitive function")}\` is not a tensor of known shape.`);
    }
    return makeBuffer(this.#names.fresh(name), shape, info.dtype);
  }

  #binding(v: AnyVar, value: Expr): boolean {
    const parts = callTirParts(value);
    if (parts !== undefined) return this.#inlineCall(v, parts);
    if (value.kind === "relax.TupleGetItem" && isVar(value.tuple)) {
      const field = this.#buffers.get(value.tuple)?.[value.index];
      if (field === undefined || this.#buffers.has(v)) return false;
      this.#buffers.set(v, [field]);
      return true;
    }
    return false;
  }

  #inlineCall(v: AnyVar, { callee, args, tirVars, call }: CallTirParts): boolean {
    const original = this.#module.functions.get(callee);
    if (original?.kind !== "tir.PrimFunc") return false;
    const func = renewDefs(original as PrimFunc);
    const inputs: Buffer[] = [];
    for (const a of args.fields) {
      const found = isVar(a) ? this.#buffers.get(a) : undefined;
      if (found === undefined) return false;
      inputs.push(...found);
    }
    const outInfos = call.sinfoArgs.flatMap(leafInfos);
    let outputs = this.#buffers.get(v);
    if (outputs === undefined) {
      outputs = outInfos.map((info) => this.#buffer(v.name, info));
      this.#allocs.push(...outputs);
      this.#buffers.set(v, outputs);
    }
    return this.#inlineBody(func, [...inputs, ...outputs], tirVars);
  }

  #inlineBody(func: PrimFunc, buffers: readonly Buffer[], tirVars: Expr | undefined): boolean {
    const handles = func.params.filter((p) => func.bufferMap.has(p));
    if (handles.length !== buffers.length) return false;
    const replaced = new Map<Buffer, Buffer>();
    const dims = new Map<TirVar, PrimExpr>();
    handles.forEach((p, i) => {
      const from = func.bufferMap.get(p);
      const to = buffers[i];
      if (from === undefined || to === undefined) return;
      replaced.set(from, to);
      from.shape.forEach((d, k) => {
        const target = to.shape[k];
        if ((d.kind === "tir.Var" || d.kind === "tir.SizeVar") && target !== undefined && !dims.has(d)) dims.set(d, target);
      });
    });
    const scalars = func.params.filter((p) => !func.bufferMap.has(p));
    const values = tirVars?.kind === "relax.ShapeExpr" ? tirVars.values : [];
    scalars.forEach((p, i) => {
      const value = values[i];
      if (value !== undefined) dims.set(p, value);
    });
    if (func.body.kind !== "tir.BlockRealize") return false;
    const root = func.body.block;
    for (const b of root.allocBuffers) {
      const fresh = { ...substitute(b, dims), name: this.#names.fresh(b.name) };
      replaced.set(b, fresh);
      this.#allocs.push(fresh);
    }
    // Buffers first: one whose shape is symbolic would no longer be found after its shape was substituted.
    this.#body.push(this.#renameBlocks(substitute(replaceBuffers(root.body, replaced), dims)));
    return true;
  }

  #renameBlocks(stmt: Stmt): Stmt {
    return renameBlocks(stmt, (name) => this.#blockNames.fresh(name));
  }

  #finish(): PrimFunc {
    const root = makeBlock("root", [], [], [], makeSeq(this.#body), { allocBuffers: this.#allocs });
    const body = makeBlockRealize([], makeIntImm(1, "bool"), root);
    const opts = { bufferMap: this.#bufferMap, attrs: { "tir.noalias": true } };
    // Sizes that no buffer among the parameters has by itself are parameters too.
    const known = new Set<TirVar>();
    for (const b of this.#bufferMap.values()) for (const d of b.shape) if (d.kind === "tir.Var" || d.kind === "tir.SizeVar") known.add(d);
    const mentioned = [...this.#bufferMap.values()].flatMap((b) => b.shape.flatMap((d) => undefinedVars(d)));
    const free = new Set([...mentioned, ...undefinedVars(makePrimFunc(this.#params, body, opts))].filter((v) => !known.has(v)));
    for (const v of free) this.#symbolic.add(v);
    const scalars = [...this.#symbolic].filter((v): v is TirParam => v.kind === "tir.Var");
    return makePrimFunc([...this.#params, ...scalars], body, opts);
  }
}

/** Block names made unique, loops and sequences walked through. */
function renameBlocks(stmt: Stmt, fresh: (name: string) => string): Stmt {
  switch (stmt.kind) {
    case "tir.BlockRealize": {
      const name = fresh(stmt.block.name);
      const body = renameBlocks(stmt.block.body, fresh);
      if (name === stmt.block.name && body === stmt.block.body) return stmt;
      return { ...stmt, block: { ...stmt.block, name, body } };
    }
    case "tir.For": {
      const body = renameBlocks(stmt.body, fresh);
      return body === stmt.body ? stmt : { ...stmt, body };
    }
    case "tir.SeqStmt":
      return makeSeq(stmt.seq.map((s) => renameBlocks(s, fresh)), stmt.span);
    default:
      return stmt;
  }
}

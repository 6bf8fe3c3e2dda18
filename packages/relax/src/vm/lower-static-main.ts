import {
  at,
  definePass,
  withFunctions,
  withModuleAttrs,
  type AttrMap,
  type AttrValue,
  type GlobalVar,
  type IRModule,
  type Pass,
} from "@verticil/ir-core";
import { dtypeBytes, elementCount } from "@verticil/runtime-ffi";
import {
  constant,
  intrinOp,
  makeCall as makeTirCall,
  makeEvaluate,
  makePrimFunc,
  makeSeq,
  makeVar as makeTirVar,
  type PrimExpr,
  type Stmt,
  type Var as TirVar,
} from "@verticil/tir";
import { isVar } from "../analysis/variables.ts";
import { opNameOf } from "../ir/call-target.ts";
import type { AnyVar, Call, Constant, Expr, Function } from "../ir/expr.ts";
import { staticShapeOf } from "../ir/make.ts";
import { isRelaxFunction } from "../ir/mutate.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { aliasedVar } from "../transform/life-times.ts";
import { ALLOC_ALIGNMENT } from "../transform/static-plan-block-memory.ts";

/** Where a value of a static program lies: in the arena, or among the constants. Offsets are in bytes. */
interface Place {
  readonly space: "arena" | "params";
  readonly offset: number;
}

/**
 * Turns the planned `main` of a static-shape module into a tensor program `main(arena, params)` that calls the others
 * one after the other on fixed places of two blocks of memory. Its attributes say what lies where:
 * `inputs` and `outputs` (name, shape, dtype, space, offset), `constants` (offset of each), `arena_blocks` (where each
 * storage, input and output begins in the arena), `arena_bytes` and `params_bytes`; the constants themselves become the module's attribute `constants`.
 */
export function lowerStaticMain(): Pass {
  return definePass("LowerStaticMain", (module) => {
    const main = [...module.functions].find(([gv, f]) => gv.name === "main" && isRelaxFunction(f));
    if (main === undefined) return module;
    const [gv, func] = main;
    return isRelaxFunction(func) ? new StaticLowering(module, gv, func).run() : module;
  });
}

class StaticLowering {
  readonly #module: IRModule;
  readonly #gv: GlobalVar;
  readonly #func: Function;
  readonly #arena: TirVar = makeTirVar("arena", "handle");
  readonly #params: TirVar = makeTirVar("params", "handle");
  readonly #places = new Map<AnyVar, Place>();
  readonly #tuples = new Map<AnyVar, readonly Expr[]>();
  readonly #constants = new Map<Constant["data"], { readonly node: Constant; readonly offset: number }>();
  readonly #body: Stmt[] = [];
  readonly #blocks: number[] = [];
  #arenaBytes = 0;
  #paramsBytes = 0;

  constructor(module: IRModule, gv: GlobalVar, func: Function) {
    this.#module = module;
    this.#gv = gv;
    this.#func = func;
  }

  run(): IRModule {
    const func = this.#func;
    const inputs = func.params.map((p, i) => this.#input(p, this.#names("input_names")[i] ?? p.name));
    if (func.body.kind !== "relax.SeqExpr") throw new TypeError("`main` is not in normal form.");
    for (const block of func.body.blocks) for (const b of block.bindings) this.#binding(b.var, b.value);
    const outputs = this.#outputs(func.body.body);
    const constants = [...this.#constants.values()];
    const attrs: AttrMap = {
      ...func.attrs,
      "relax.force_pure": undefined,
      input_names: undefined,
      output_names: undefined,
      inputs,
      outputs,
      constants: constants.map((c) => c.offset),
      arena_blocks: this.#blocks,
      arena_bytes: this.#arenaBytes,
      params_bytes: this.#paramsBytes,
      global_symbol: "main",
    };
    const clean = Object.fromEntries(Object.entries(attrs).filter(([, v]) => v !== undefined));
    const body = this.#body.length === 0 ? makeEvaluate(constant(0, "int32")) : makeSeq(this.#body);
    const lowered = makePrimFunc([this.#arena, this.#params], body, { attrs: clean });
    const functions = new Map([...this.#module.functions].map(([gv, f]) => [gv, gv === this.#gv ? lowered : f]));
    return withModuleAttrs(withFunctions(this.#module, functions), { constants: constants.map((c) => c.node) });
  }

  #names(attr: string): readonly string[] {
    const value = this.#func.attrs[attr];
    return Array.isArray(value) ? value.map(String) : [];
  }

  #input(p: AnyVar, name: string): AttrMap {
    const place = this.#reserve(byteSize(p.structInfo, p.name));
    this.#places.set(p, place);
    return describe(name, p.structInfo, place);
  }

  #outputs(result: Expr): readonly AttrValue[] {
    const fields = this.#fields(result);
    const names = this.#names("output_names");
    return fields.map((field, i) => {
      const place = this.#placeOf(field);
      return describe(names[i] ?? `output_${i}`, structInfoOf(field), place);
    });
  }

  #fields(e: Expr): readonly Expr[] {
    if (e.kind === "relax.Tuple") return e.fields.flatMap((f) => this.#fields(f));
    const tuple = isVar(e) ? this.#tuples.get(e) : undefined;
    return tuple === undefined ? [e] : tuple.flatMap((f) => this.#fields(f));
  }

  #binding(v: AnyVar, value: Expr): void {
    const alias = aliasedVar(value);
    if (alias !== undefined) {
      const tuple = this.#tuples.get(alias);
      if (tuple !== undefined) this.#tuples.set(v, tuple);
      else this.#places.set(v, this.#placeOf(alias));
      return;
    }
    switch (value.kind) {
      case "relax.Constant":
        this.#places.set(v, this.#constant(value));
        return;
      case "relax.Tuple":
        this.#tuples.set(v, value.fields);
        return;
      case "relax.TupleGetItem": {
        const fields = value.tuple.kind === "relax.Tuple" ? value.tuple.fields : isVar(value.tuple) ? this.#tuples.get(value.tuple) : undefined;
        const field = fields?.[value.index];
        if (field === undefined) throw new TypeError(`\`${v.name}\` takes a field of an unknown tuple.`);
        this.#binding(v, field);
        return;
      }
      case "relax.Call":
        this.#call(v, value);
        return;
      default:
        throw new TypeError(`\`${v.name}\` is a ${value.kind}, which has no place in a static program.`);
    }
  }

  #call(v: AnyVar, call: Call): void {
    if (call.op.kind === "ir.GlobalVar") {
      const args = call.args.map((a) => this.#argument(a));
      this.#body.push(makeEvaluate(makeTirCall("void", call.op, args), call.span));
      return;
    }
    const name = opNameOf(call);
    switch (name) {
      case "relax.memory.alloc_storage": {
        const [shape] = call.args;
        const bytes = shape?.kind === "relax.ShapeExpr" ? shape.values.reduce((n, d) => n * staticDim(d), 1) : 0;
        this.#places.set(v, this.#reserve(bytes));
        return;
      }
      case "relax.memory.alloc_tensor": {
        const storage = this.#placeOf(at(call.args, 0));
        const offset = at(call.args, 1);
        const bytes = offset.kind === "relax.PrimValue" ? staticDim(offset.value) : 0;
        this.#places.set(v, { space: storage.space, offset: storage.offset + bytes });
        return;
      }
      case "relax.builtin.alloc_tensor":
        this.#places.set(v, this.#reserve(byteSize(call.structInfo, v.name)));
        return;
      case "relax.memory.kill_tensor":
      case "relax.memory.kill_storage":
        return;
      case "relax.reshape":
        this.#binding(v, at(call.args, 0));
        return;
      default:
        throw new TypeError(
          `\`${v.name}\` calls \`${name ?? call.op.kind}\`, which has no tensor program. Only static programs are compiled ahead of time.`,
        );
    }
  }

  #argument(arg: Expr): PrimExpr {
    if (arg.kind === "relax.PrimValue") return arg.value;
    const place = this.#placeOf(arg);
    const base = place.space === "arena" ? this.#arena : this.#params;
    return makeTirCall("handle", intrinOp("handle_add_byte_offset"), [base, constant(place.offset, "int32")]);
  }

  #placeOf(e: Expr): Place {
    if (e.kind === "relax.Constant") return this.#constant(e);
    const place = isVar(e) ? this.#places.get(e) : undefined;
    if (place === undefined) throw new TypeError(`${isVar(e) ? `\`${e.name}\`` : e.kind} has no place in memory.`);
    return place;
  }

  #constant(node: Constant): Place {
    const known = this.#constants.get(node.data);
    if (known !== undefined) return { space: "params", offset: known.offset };
    const offset = this.#paramsBytes;
    this.#paramsBytes += roundUp(Math.max(1, node.data.data.byteLength));
    this.#constants.set(node.data, { node, offset });
    return { space: "params", offset };
  }

  #reserve(bytes: number): Place {
    const offset = this.#arenaBytes;
    this.#blocks.push(offset);
    this.#arenaBytes += roundUp(bytes);
    return { space: "arena", offset };
  }
}

function staticDim(d: PrimExpr): number {
  if (d.kind !== "ir.IntImm") throw new TypeError("A symbolic size has no place in a static program. Fix it with `dims`.");
  return Number(d.value);
}

function byteSize(info: StructInfo | undefined, name: string): number {
  const shape = staticShapeOf(info);
  if (info?.kind !== "relax.TensorStructInfo" || info.dtype === undefined || shape === undefined) {
    throw new TypeError(`\`${name}\` is not a tensor of static shape. Fix symbolic dimensions with \`dims\`.`);
  }
  return Math.max(1, elementCount(shape) * dtypeBytes(info.dtype));
}

function describe(name: string, info: StructInfo | undefined, place: Place): AttrMap {
  const shape = staticShapeOf(info);
  if (info?.kind !== "relax.TensorStructInfo" || info.dtype === undefined || shape === undefined) {
    throw new TypeError(`\`${name}\` is not a tensor of static shape.`);
  }
  return { name, shape, dtype: info.dtype, space: place.space, offset: place.offset };
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / ALLOC_ALIGNMENT) * ALLOC_ALIGNMENT;
}

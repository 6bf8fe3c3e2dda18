import { at, definePass, withAttrs, type GlobalVar, type Pass } from "@verticil/ir-core";
import type { ScalarDType } from "@verticil/runtime-ffi";
import { compute, createPrimFunc, placeholder } from "@verticil/te";
import { constant, isConstInt, makeIndexMap, makeRange, makeVar as makeTirVar, mapShape, nonSurjectiveInverse, substitute, toIndexMap, type AnyVar as TirVar, type IndexFunction, type IndexMap, type PrimExpr, type PrimFunc } from "@verticil/tir";
import { BlockBuilder } from "../ir/block-builder.ts";
import { callTirParts } from "../ir/call-target.ts";
import { callTir } from "../ir/call-tir.ts";
import type { Expr } from "../ir/expr.ts";
import { leafInfos } from "../ir/infer-call.ts";
import { makeTensorStructInfo, makeTuple, makeTupleGetItem, makeTupleStructInfo, shapeOf } from "../ir/make.ts";
import { rewriteModule } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import type { StructInfo, TensorStructInfo } from "../ir/struct-info.ts";

/** What stands for the tensor programs of an operator. */
export interface OpReplacement {
  /** The program, with as many parameters as those it stands for. */
  readonly func: PrimFunc;
  /** How its buffers are laid out, one map for each parameter in order, null where the layout stays; none if all stay. */
  readonly bufferTransforms?: readonly (IndexFunction | null)[];
  /** Where each buffer's new axes are grouped; those that the maps say, unless given. */
  readonly axisSeparators?: readonly (readonly number[])[];
  /** Where each buffer's axes were grouped before. */
  readonly inputAxisSeparators?: readonly (readonly number[])[];
}

/**
 * Upstream's `AlterOpImpl`: calls of tensor programs whose `operator_name` has a replacement call that; operands are laid
 * out as it wants them, and results are laid out as they were. Where a layout pads, a program `remove_pad` cuts that off
 * again; what a replacement reads there is not defined.
 * @throws RangeError for a replacement of another number of parameters, or maps for some of its buffers only.
 * @throws ScheduleError for a map that has no inverse.
 */
export function alterOpImpl(replacements: ReadonlyMap<string, OpReplacement>): Pass {
  return definePass("AlterOpImpl", (module, ctx) => {
    const bb = new BlockBuilder({ ops: ctx.get(opRegistryKey), module });
    const layouts = new Map<string, Layouts>();
    const added = new Map<PrimFunc, GlobalVar>();
    return rewriteModule(
      module,
      () => bb,
      () => (value) => {
        const parts = callTirParts(value);
        const old = parts === undefined ? undefined : module.functions.get(parts.callee);
        const name = old?.attrs["operator_name"];
        const wanted = typeof name === "string" ? replacements.get(name) : undefined;
        if (parts === undefined || old?.kind !== "tir.PrimFunc" || typeof name !== "string" || wanted === undefined) return undefined;
        checkReplacement(name, old as PrimFunc, wanted);
        const layout = layouts.get(name) ?? new Layouts(bb, wanted, added);
        layouts.set(name, layout);
        const infos = parts.call.sinfoArgs.flatMap(leafInfos).filter((i) => i.kind === "relax.TensorStructInfo");
        const first = wanted.func.params.length - infos.length;
        const args = parts.args.fields.map((a, i) => layout.there(a, i));
        const outs = infos.map((info, i) => layout.infoOf(info, first + i));
        const isTuple = parts.call.structInfo?.kind === "relax.TupleStructInfo";
        const call = callTir(layout.program(name), args, isTuple ? makeTupleStructInfo(outs) : at(outs, 0), parts.tirVars);
        const replaced = { ...call, attrs: parts.call.attrs, span: parts.call.span };
        if (infos.every((info, i) => outs[i] === info)) return replaced;
        const result = bb.emit(replaced);
        if (!isTuple) return layout.back(result, at(infos, 0), first);
        // Each item is laid out before the next one is taken, as upstream writes it.
        return makeTuple(
          infos.map((info, i) => {
            const item = bb.emit(makeTupleGetItem(result, i));
            const back = layout.back(item, info, first + i);
            return back === item ? item : bb.emit(back);
          }),
        );
      },
    );
  });
}

function checkReplacement(name: string, old: PrimFunc, { func, bufferTransforms = [] }: OpReplacement): void {
  const count = func.params.length;
  if (old.params.length !== count) throw new RangeError(`The replacement of \`${name}\` takes ${count} parameters, not ${old.params.length}.`);
  if (bufferTransforms.length > 0 && bufferTransforms.length !== count) throw new RangeError(`\`${name}\` has ${bufferTransforms.length} maps for ${count} buffers.`);
}

/** How the buffers of one replacement are laid out. */
class Layouts {
  readonly #bb: BlockBuilder;
  readonly #wanted: OpReplacement;
  readonly #added: Map<PrimFunc, GlobalVar>;

  constructor(bb: BlockBuilder, wanted: OpReplacement, added: Map<PrimFunc, GlobalVar>) {
    this.#bb = bb;
    this.#wanted = wanted;
    this.#added = added;
  }

  /** The replacement in the module, which keeps the operator's name. */
  program(name: string): GlobalVar {
    const known = this.#added.get(this.#wanted.func);
    if (known !== undefined) return known;
    const gv = this.#bb.addFunc(withAttrs(this.#wanted.func, { operator_name: name, global_symbol: undefined }), `${name.replaceAll(".", "_")}_replacement`);
    this.#added.set(this.#wanted.func, gv);
    return gv;
  }

  /** An operand as the replacement wants it. */
  there(arg: Expr, i: number): Expr {
    const shape = arg.kind === "relax.Constant" && arg.data.shape.length === 0 ? undefined : shapeOf(arg.kind === "ir.GlobalVar" ? undefined : "structInfo" in arg ? arg.structInfo : undefined);
    const map = shape === undefined ? undefined : this.#map(i, shape.length)?.map;
    return map === undefined ? arg : this.#transform(arg, map, i);
  }

  infoOf(info: TensorStructInfo, i: number): StructInfo {
    const shape = shapeOf(info);
    const map = shape === undefined ? undefined : this.#map(i, shape.length)?.map;
    return map === undefined || shape === undefined ? info : makeTensorStructInfo(mapShape(map, shape), info.dtype, info.vdevice);
  }

  /** A result as it was before. */
  back(value: Expr, info: TensorStructInfo, i: number): Expr {
    const shape = shapeOf(info);
    const map = shape === undefined ? undefined : this.#map(i, shape.length)?.map;
    if (map === undefined || shape === undefined) return value;
    const { inverse, padding } = nonSurjectiveInverse(map, shape.map((d) => makeRange(constant(0, d.dtype), d)));
    const whole = this.#transform(value, inverse, i);
    return isConstInt(padding, 0) ? whole : callTir(this.#removePad(shape.length, info.dtype ?? "float32"), [this.#bb.emit(whole)], info);
  }

  #map(i: number, ndim: number): ReturnType<typeof toIndexMap> | undefined {
    const f = this.#wanted.bufferTransforms?.[i];
    return f === undefined || f === null ? undefined : toIndexMap(f, ndim, "int64");
  }

  #transform(value: Expr, map: IndexMap, i: number): Expr {
    const f = this.#wanted.bufferTransforms?.[i];
    const own = typeof f === "function" ? toIndexMap(f, undefined, "int64").axisSeparators : [];
    return this.#bb.callOp("relax.layout_transform", [value], {
      index_map: renewed(map),
      axis_separators: this.#wanted.axisSeparators?.[i] ?? own,
      input_axis_separators: this.#wanted.inputAxisSeparators?.[i] ?? [],
    });
  }

  /** The program that copies the first elements of each dimension, for tensors of a rank. */
  #removePad(rank: number, dtype: ScalarDType): GlobalVar {
    const sizes = (name: string): readonly PrimExpr[] => Array.from({ length: rank }, (_, i) => makeTirVar(`${name}${i}`, "int64"));
    const input = placeholder(sizes("p"), dtype, "input");
    const output = compute(sizes("i"), (...i) => input.at(...i), "output");
    return this.#bb.addFunc(withAttrs(createPrimFunc([input, output]), { operator_name: "remove_pad", global_symbol: undefined }), "remove_pad");
  }
}

/** The map with variables of its own: each operator's are local to it. */
function renewed(map: IndexMap): IndexMap {
  const vars = map.initialIndices.map((v) => ({ ...v }));
  const own = new Map<TirVar, PrimExpr>(map.initialIndices.map((v, i) => [v, vars[i] ?? v]));
  return makeIndexMap(vars, map.finalIndices.map((e) => substitute(e, own)));
}

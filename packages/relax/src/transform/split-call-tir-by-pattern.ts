import { definePass, makeOp, withModuleAttrs, type AttrValue, type GlobalVar, type Pass } from "@verticil/ir-core";
import { scalarOf } from "@verticil/runtime-ffi";
import { cast, substitute, undefinedVars, type AnyVar, type Buffer, type PrimExpr, type PrimFunc } from "@verticil/tir";
import { BlockBuilder } from "../ir/block-builder.ts";
import { callTirParts, type CallTirParts } from "../ir/call-target.ts";
import type { Expr } from "../ir/expr.ts";
import { makeCall, makeExternFunc, makeTensorStructInfo, makeTuple, shapeOf } from "../ir/make.ts";
import { rewriteModule } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import type { ExternalModule } from "./run-codegen.ts";
import { splitProgram, type SplitProgramParts } from "./split-program.ts";
import { matchTirPattern, type TirPatternMatch } from "./tir-pattern.ts";

/** Code that does what the first nests of a tensor program do. */
export interface LibraryKernel {
  readonly format: string;
  /** `{global_symbol}` in it becomes the name that the code is called by. */
  readonly source: string;
  /** How many of the matched nests, from the first, it does; 0 leaves the program as it is. */
  readonly count: number;
  /** The buffers that it is called with, before the one that it fills. */
  readonly args: readonly Buffer[];
}

/** Makes code for what was found at the beginning of a tensor program; undefined leaves the program as it is. */
export type TirPatternCodegen = (matches: readonly TirPatternMatch[]) => LibraryKernel | undefined;

/**
 * Upstream's `SplitCallTIRByPattern`: where the first nests of a tensor program are what the patterns say, `fcodegen` makes code
 * of them; a call of the program becomes a `call_dps_packed` of that code, named after the program, and a call of the rest,
 * `unfused_epilogue`. The code is in the module's attribute `external_mods`, as that of `runCodegen` is. Programs whose first
 * part leaves behind more than one buffer for the rest, and calls with sizes of their own, are left alone.
 * @throws TypeError for a pattern that is not one nest of loops, RangeError for code that takes what its part does not read.
 */
export function splitCallTIRByPattern(patterns: readonly PrimFunc[], fcodegen: TirPatternCodegen): Pass {
  return definePass("SplitCallTIRByPattern", (module, ctx) => {
    const made: ExternalModule[] = [];
    const known = new Map<GlobalVar, SplitProgramParts | undefined>();
    const rests = new Map<SplitProgramParts, GlobalVar>();
    const bb = new BlockBuilder({ ops: ctx.get(opRegistryKey), module });
    const split = (gv: GlobalVar): SplitProgramParts | undefined => {
      if (known.has(gv)) return known.get(gv);
      const func = module.functions.get(gv);
      const found = func?.kind === "tir.PrimFunc" ? splitByPattern(func as PrimFunc, patterns, fcodegen) : undefined;
      if (found !== undefined) made.push({ format: found.kernel.format, symbols: [gv.name], source: found.kernel.source.replaceAll("{global_symbol}", gv.name) });
      known.set(gv, found?.parts);
      return found?.parts;
    };
    const restOf = (parts: SplitProgramParts, func: PrimFunc): GlobalVar => {
      const gv = rests.get(parts) ?? bb.addFunc(func, "unfused_epilogue");
      rests.set(parts, gv);
      return gv;
    };
    const next = rewriteModule(
      module,
      () => bb,
      () => (value) => {
        const call = callTirParts(value);
        const func = call === undefined ? undefined : module.functions.get(call.callee);
        if (call === undefined || call.tirVars !== undefined || func?.kind !== "tir.PrimFunc") return undefined;
        const parts = split(call.callee);
        return parts === undefined ? undefined : splitCall(call, func as PrimFunc, parts, (rest) => restOf(parts, rest.func), bb);
      },
    );
    if (made.length === 0) return next;
    const before = module.attrs["external_mods"];
    return withModuleAttrs(next, { external_mods: [...(Array.isArray(before) ? (before as readonly AttrValue[]) : []), ...made.map((m) => ({ ...m }))] });
  });
}

function splitByPattern(func: PrimFunc, patterns: readonly PrimFunc[], fcodegen: TirPatternCodegen): { readonly kernel: LibraryKernel; readonly parts: SplitProgramParts } | undefined {
  const root = func.body.kind === "tir.BlockRealize" ? func.body.block.body : undefined;
  const matches: TirPatternMatch[] = [];
  for (const nest of root?.kind === "tir.SeqStmt" ? root.seq : root === undefined ? [] : [root]) {
    let match: TirPatternMatch | undefined;
    for (const pattern of patterns) match ??= matchTirPattern(pattern, nest);
    if (match === undefined) break;
    matches.push(match);
  }
  const kernel = matches.length === 0 ? undefined : fcodegen(matches);
  if (kernel === undefined || kernel.count <= 0) return undefined;
  const parts = splitProgram(func, Math.min(kernel.count, matches.length), kernel.args);
  return parts === undefined ? undefined : { kernel, parts };
}

/** The call of a split program: of the code, and of the rest with what the code gives. */
function splitCall(parts: CallTirParts, func: PrimFunc, { first, passed, rest }: SplitProgramParts, restOf: (rest: { readonly func: PrimFunc }) => GlobalVar, bb: BlockBuilder): Expr | undefined {
  const { sinfoArgs, structInfo, span } = parts.call;
  const pick = (params: readonly number[]): readonly Expr[] => params.flatMap((i) => parts.args.fields[i] ?? []);
  const library = makeExternFunc(parts.callee.name);
  if (passed === undefined || rest === undefined) return makeCall(makeOp("relax.call_dps_packed"), [library, makeTuple(pick(first))], { sinfoArgs, structInfo, span });
  const info = passedInfo(passed, func, parts.args.fields);
  if (info === undefined) return undefined;
  const result = bb.emit(makeCall(makeOp("relax.call_dps_packed"), [library, makeTuple(pick(first))], { sinfoArgs: [info], structInfo: info, span }));
  return makeCall(makeOp("relax.call_tir"), [restOf(rest), makeTuple([result, ...pick(rest.params)])], { sinfoArgs, structInfo, span });
}

/** What the passed buffer is in terms of the caller's sizes; undefined where its size says more than the arguments do. */
function passedInfo(passed: Buffer, func: PrimFunc, args: readonly Expr[]): StructInfo | undefined {
  const sizes = new Map<AnyVar, PrimExpr>();
  args.forEach((arg, i) => {
    const [param, shape] = [func.params[i], shapeOf(structInfoOf(arg))];
    if (param === undefined) return;
    func.bufferMap.get(param)?.shape.forEach((d, axis) => {
      const given = shape?.[axis];
      if ((d.kind === "tir.Var" || d.kind === "tir.SizeVar") && given !== undefined) sizes.set(d, given);
    });
  });
  if (passed.shape.some((d) => [...undefinedVars(d)].some((v) => !sizes.has(v)))) return undefined;
  return makeTensorStructInfo(passed.shape.map((d) => cast("int64", substitute(d, sizes))), scalarOf(passed.dtype));
}

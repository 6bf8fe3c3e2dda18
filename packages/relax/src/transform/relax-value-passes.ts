import { isNode, type AttrMap, type Node, type VDevice } from "@verticil/ir-core";
import type { Tensor } from "@verticil/runtime-ffi";
import type { IndexFunction, PrimFunc } from "@verticil/tir";
import type { DFPattern } from "../dpl/pattern.ts";
import type { AnyVar, Expr, Var } from "../ir/expr.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { metaScheduleTuneIRMod } from "../tuning/meta-schedule-tune-irmod.ts";
import { alterOpImpl, type OpReplacement } from "./alter-op-impl.ts";
import { bindParams, type ParamBindings } from "./bind-params.ts";
import { fuseOpsByPattern, type FusionPattern, type PatternCheckContext } from "./fuse-ops-by-pattern.ts";
import { budgetOf, entriesOf, isSet, nameOf, namesOf, numberOf, type RelaxPassEntry, type RelaxPassOptions } from "./pass-options.ts";
import { splitCallTIRByPattern, type TirPatternCodegen } from "./split-call-tir-by-pattern.ts";
import { updateParamStructInfo } from "./update-param-struct-info.ts";
import { updateVDevice } from "./update-vdevice.ts";

const updateParams: RelaxPassEntry = {
  params: ["sinfo_func"],
  doc: "Gives parameters another struct info.",
  make: (o) => {
    const infoOf = functionOf<(param: Var) => StructInfo | null | undefined>(o, "sinfo_func");
    return updateParamStructInfo((param) => infoOf(param) ?? undefined);
  },
};

/**
 * The passes over graphs, by upstream's name, that take what no text says: tensors, programs, patterns, functions. A pattern of
 * `FuseOpsByPattern` is a `FusionPattern`, or the list `[name, pattern, annotation_patterns, check, attrs_getter]` of the first
 * two or more of its parts, as upstream takes it.
 */
export const relaxValuePasses: ReadonlyMap<string, RelaxPassEntry> = new Map<string, RelaxPassEntry>([
  ["BindParams", { params: ["func_name", "params"], doc: "Makes values of parameters.", make: (o) => bindParams(needed(nameOf(o, "func_name"), "func_name"), paramBindings(o)) }],
  ["UpdateParamStructInfo", updateParams],
  ["UpdateParamType", updateParams],
  ["UpdateVDevice", { params: ["new_vdevice", "index"], doc: "Puts another device in the place of one.", make: (o) => updateVDevice(deviceOf(o), needed(numberOf(o, "index"), "index")) }],
  [
    "FuseOpsByPattern",
    {
      params: ["patterns", "bind_constants", "annotate_codegen", "entry_functions"],
      doc: "Makes functions of what patterns match.",
      make: (o) =>
        fuseOpsByPattern(listOf(o, "patterns").map(fusionPattern), {
          bindConstants: isSet(o, "bind_constants", true),
          annotateCodegen: isSet(o, "annotate_codegen"),
          entryFunctions: namesOf(o, "entry_functions") ?? [],
        }),
    },
  ],
  [
    "SplitCallTIRByPattern",
    {
      params: ["patterns", "fcodegen"],
      doc: "Makes code of the first nests of programs, where patterns match them.",
      make: (o) => splitCallTIRByPattern(listOf(o, "patterns").map((p) => programOf(p, "patterns")), functionOf<TirPatternCodegen>(o, "fcodegen")),
    },
  ],
  [
    "MetaScheduleTuneIRMod",
    {
      params: ["params", "work_dir", "max_trials_global", "max_trials_per_task", "op_names"],
      doc: "Hands the tensor programs that the graph calls to the tuner of the context.",
      make: (o) => metaScheduleTuneIRMod({ params: paramBindings(o), opNames: namesOf(o, "op_names") ?? [], ...budgetOf(o) }),
    },
  ],
  [
    "AlterOpImpl",
    {
      params: ["op_impl_map", "op_buffer_transforms", "op_buffer_axis_separators", "op_buffer_input_axis_separators"],
      doc: "Puts other programs in the place of those of operators.",
      make: (o) => alterOpImpl(replacementsOf(o)),
    },
  ],
]);

function needed<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new TypeError(`The option \`${name}\` is needed.`);
  return value;
}

function listOf(options: RelaxPassOptions, name: string): readonly unknown[] {
  const value = options[name];
  if (!Array.isArray(value)) throw new TypeError(`The option \`${name}\` is a list.`);
  return value;
}

/** What a function takes and gives cannot be seen: that it is one can. */
function functionOf<F extends (...args: never) => unknown>(options: RelaxPassOptions, name: string): F {
  const value = options[name];
  if (typeof value !== "function") throw new TypeError(`The option \`${name}\` is a function.`);
  return value as F;
}

function hasKind(value: unknown, ...kinds: readonly string[]): value is Node {
  return isNode(value) && kinds.includes(value.kind);
}

function programOf(value: unknown, name: string): PrimFunc {
  if (!hasKind(value, "tir.PrimFunc")) throw new TypeError(`The option \`${name}\` has tensor programs.`);
  return value as PrimFunc;
}

function deviceOf(options: RelaxPassOptions): VDevice {
  const value = options["new_vdevice"];
  if (!hasKind(value, "ir.VDevice")) throw new TypeError("The option `new_vdevice` is a virtual device.");
  return value as VDevice;
}

function paramBindings(options: RelaxPassOptions): ParamBindings {
  return new Map(
    entriesOf(options, "params").map(([key, value]) => {
      if (typeof key !== "string" && !hasKind(key, "relax.Var", "relax.DataflowVar")) throw new TypeError("The option `params` maps names or variables.");
      if (!isNode(value) && !isTensorData(value)) throw new TypeError("The option `params` maps to tensors or expressions.");
      return [key as string | AnyVar, value as Tensor | Expr] as const;
    }),
  );
}

function isTensorData(value: unknown): value is Tensor {
  return typeof value === "object" && value !== null && "dtype" in value && "shape" in value && "data" in value;
}

/** A pattern with its parts by name, or in upstream's order. */
function fusionPattern(given: unknown): FusionPattern {
  const parts: readonly unknown[] = Array.isArray(given) ? given : [];
  const own = Array.isArray(given) || typeof given !== "object" || given === null ? {} : (given as Readonly<Record<string, unknown>>);
  const part = (key: string, i: number): unknown => own[key] ?? parts[i] ?? undefined;
  const [name, pattern, annotations, check, getter] = ["name", "pattern", "annotationPatterns", "check", "attrsGetter"].map(part);
  if (typeof name !== "string" || !isPattern(pattern)) throw new TypeError("The option `patterns` has patterns with their names.");
  if ([check, getter].some((f) => f !== undefined && typeof f !== "function")) throw new TypeError(`What checks the pattern \`${name}\`, and what gives attributes, are functions.`);
  const named = annotations === undefined ? [] : entriesOf({ annotations }, "annotations").flatMap(([key, p]) => (isPattern(p) ? [[String(key), p] as const] : []));
  return {
    name,
    pattern,
    annotationPatterns: Object.fromEntries(named),
    ...(check === undefined ? {} : { check: check as (ctx: PatternCheckContext) => boolean }),
    ...(getter === undefined ? {} : { attrsGetter: getter as (annotated: ReadonlyMap<string, Expr>) => AttrMap }),
  };
}

function isPattern(value: unknown): value is DFPattern {
  return typeof value === "object" && value !== null && "kind" in value && typeof value.kind === "string" && value.kind.startsWith("dpl.");
}

function replacementsOf(options: RelaxPassOptions): ReadonlyMap<string, OpReplacement> {
  needed(options["op_impl_map"] ?? undefined, "op_impl_map");
  const maps = new Map(entriesOf(options, "op_buffer_transforms"));
  const separators = new Map(entriesOf(options, "op_buffer_axis_separators"));
  const before = new Map(entriesOf(options, "op_buffer_input_axis_separators"));
  return new Map(
    entriesOf(options, "op_impl_map").map(([op, func]) => {
      const transforms = optionalList(maps.get(op), "op_buffer_transforms")?.map(indexFunction);
      const axes = optionalList(separators.get(op), "op_buffer_axis_separators")?.map(axesOf);
      const inputAxes = optionalList(before.get(op), "op_buffer_input_axis_separators")?.map(axesOf);
      const replacement: OpReplacement = {
        func: programOf(func, "op_impl_map"),
        ...(transforms === undefined ? {} : { bufferTransforms: transforms }),
        ...(axes === undefined ? {} : { axisSeparators: axes }),
        ...(inputAxes === undefined ? {} : { inputAxisSeparators: inputAxes }),
      };
      return [String(op), replacement] as const;
    }),
  );
}

function optionalList(value: unknown, name: string): readonly unknown[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw new TypeError(`The option \`${name}\` has a list for each operator.`);
  return value;
}

/** A map, a function of indices, or null; upstream also takes a list whose first is the map. */
function indexFunction(given: unknown): IndexFunction | null {
  const value: unknown = Array.isArray(given) ? given[0] : given;
  if (value === undefined || value === null) return null;
  if (typeof value !== "function" && !hasKind(value, "tir.IndexMap")) throw new TypeError("The option `op_buffer_transforms` has maps of indices.");
  return value as IndexFunction;
}

function axesOf(given: unknown): readonly number[] {
  if (given === undefined || given === null) return [];
  const list: readonly unknown[] = Array.isArray(given) ? given : [given];
  return list.map((axis) => {
    if (typeof axis !== "number" && typeof axis !== "bigint") throw new TypeError("Axes are grouped at numbers of axes.");
    return Number(axis);
  });
}

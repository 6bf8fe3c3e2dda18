import { at, contextEntry, irDialect, lookupFunc, makeGlobalVar, makeIRModule, passContext, withAttrs, type AttrValue, type BaseFunc, type GivenOptions, type IRModule, type Node, type PassContext } from "@verticil/ir-core";
import { externalCodegensKey, fuseOpsMaxDepth, layoutTable, layoutTableKey, legalizeTable, legalizeTableKey, liftTransformConsumeParams, opRegistryKey, relax, relaxOps, relaxPasses, relaxValuePasses, teGradientsKey, type TeGradient } from "@verticil/relax";
import { compute } from "@verticil/te";
import { axisSeparator, constant, floorDiv, floorMod, mul, tir, tirPasses, toIndexMap, type IndexFunction, type PrimExpr } from "@verticil/tir";
import { PyUnsupported, type PyArgs, type PyHost, type PyValue } from "./python-eval.ts";

/** True if there is a pass of this name. */
export function isImplemented(name: string): boolean {
  return relaxPasses.has(name) || relaxValuePasses.has(name) || tirPasses.has(name);
}

/** A `tvm.*` name that is called later. */
class HostName {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }
}

/** What a row's expressions may mention. */
export interface RelaxHostOptions {
  /** The options of the row's contexts. */
  readonly config?: GivenOptions;
  /** The scripts of the corpus by their id, for rows that mention others than their own. */
  readonly script?: (id: string) => IRModule | BaseFunc;
}

/** Gives the names in a row's expressions their meaning. */
export function relaxHost(scripts: ReadonlyMap<string, () => IRModule | BaseFunc>, { config = {}, script: scriptOf }: RelaxHostOptions = {}): PyHost {
  return {
    name(path) {
      const script = scripts.get(path);
      if (script !== undefined) return script();
      if (path === "tvm.tir.IndexMap.AXIS_SEPARATOR") return axisSeparator;
      if (path === "SCRIPT" && scriptOf !== undefined) return ({ args }: PyArgs): PyValue => scriptOf(String(args[0]));
      if (path.startsWith("tvm.")) return new HostName(path);
      throw new PyUnsupported(`the name \`${path}\``);
    },
    attribute(value, attr) {
      if (attr === "with_attr") {
        return ({ args }: PyArgs): PyValue => withAttrs(nodeOf(value) as BaseFunc, { [String(args[0])]: args[1] as string });
      }
      if (attr === "without_attr") return ({ args }: PyArgs): PyValue => withAttrs(nodeOf(value) as BaseFunc, { [String(args[0])]: undefined });
      throw new PyUnsupported(`the attribute \`${attr}\``);
    },
    call(callee, args) {
      if (typeof callee === "function") return (callee as (a: PyArgs) => PyValue)(args);
      if (callee instanceof HostName) return callHost(callee.path, args, config);
      throw new PyUnsupported("a call of a value");
    },
    item: (value, key) => (Array.isArray(value) && typeof key === "number" ? (value as readonly PyValue[])[key] : lookupFunc(nodeOf(value) as IRModule, String(key))),
    binary(op, a, b) {
      if (op === "//") return floorDiv(nodeOf(a) as PrimExpr, indexOperand(b));
      if (op === "%") return floorMod(nodeOf(a) as PrimExpr, indexOperand(b));
      throw new PyUnsupported(`the operator \`${op}\``);
    },
  };
}

function indexOperand(value: PyValue): PrimExpr | number {
  return typeof value === "number" ? value : (nodeOf(value) as PrimExpr);
}

function callHost(path: string, { args, named }: PyArgs, config: GivenOptions): PyValue {
  const short = path.split(".").at(-1) ?? path;
  if (/^tvm\.(ir\.)?(module\.)?IRModule$/.test(path)) {
    const functions = [...(args[0] as ReadonlyMap<string, BaseFunc>)];
    return makeIRModule(new Map(functions.map(([name, f]) => [makeGlobalVar(name), f])));
  }
  if (path.endsWith("IRModule.from_expr")) {
    const func = nodeOf(args[0]) as BaseFunc;
    const symbol = func.attrs["global_symbol"];
    return makeIRModule(new Map([[makeGlobalVar(typeof symbol === "string" ? symbol : "main"), func]]));
  }
  if (path.endsWith("transform.Sequential")) {
    const passes = args[0] as readonly ((a: PyArgs) => PyValue)[];
    return (a: PyArgs): PyValue => passes.reduce<PyValue>((m, p) => p({ args: [m], named: new Map() }), a.args[0]);
  }
  if (path === "tvm.tir.IndexMap.from_func_with_separators") {
    const { map, axisSeparators } = toIndexMap(args[0] as IndexFunction, undefined, "int64");
    return [map, axisSeparators];
  }
  const entry = relaxPasses.get(short) ?? relaxValuePasses.get(short) ?? tirPasses.get(short);
  if (!/^tvm\.(relax|tir)\./.test(path) || entry === undefined) throw new PyUnsupported(`\`${path}\``);
  const options = { ...Object.fromEntries(args.map((value, i) => [entry.params[i] ?? `argument ${i}`, value])), ...Object.fromEntries(named) };
  const unknown = Object.keys(options).find((key) => !entry.params.includes(key));
  if (unknown !== undefined) throw new PyUnsupported(`the option \`${unknown}\` of \`${short}\``);
  const pass = entry.make(options);
  return (a: PyArgs): PyValue => pass.run(nodeOf(a.args[0]) as IRModule, context(config));
}

/** Libraries that upstream's tests offload to: what they would make is not part of what is compared. */
const libraries = new Map(["cublas", "tensorrt"].map((name) => [name, () => []] as const));

/** The gradients that upstream's tests register for their tensor programs. */
const teGradients: ReadonlyMap<string, TeGradient> = new Map<string, TeGradient>([
  ["f_mul_grad", (grads, args) => args.map((a, n) => compute(a.shape, (...i) => mul(at(args, 1 - n).at(...i), at(grads, 0).at(...i)), `f_mul_grad_${n + 1}`))],
  ["f_mulk_grad", (grads, args, { k }) => args.map((a) => compute(a.shape, (...i) => mul(at(grads, 0).at(...i), constant(scalarOption(k), a.dtype)), "f_mulk_grad"))],
]);

function scalarOption(value: AttrValue | undefined): number {
  return Number(typeof value === "object" && value !== null && "value" in value ? value.value : value);
}

/** The options of a context that passes here read. */
const configOptions = [fuseOpsMaxDepth, liftTransformConsumeParams];

function context(config: GivenOptions): PassContext {
  const known = Object.entries(config).filter(([key]) => configOptions.some((o) => o.key === key));
  return passContext({
    configOptions,
    config: Object.fromEntries(known),
    dialects: [irDialect, tir, relax],
    entries: [contextEntry(opRegistryKey, relaxOps), contextEntry(legalizeTableKey, legalizeTable), contextEntry(layoutTableKey, layoutTable), contextEntry(externalCodegensKey, libraries), contextEntry(teGradientsKey, teGradients)],
  });
}

function nodeOf(value: PyValue): Node {
  if (typeof value === "object" && value !== null && "kind" in value) return value as Node;
  throw new PyUnsupported("a value that is no program");
}

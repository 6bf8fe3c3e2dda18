import { lookupFunc, makeGlobalVar, makeIRModule, mapFunctions, passContext, withAttrs, type BaseFunc, type IRModule, type Node, type PassContext } from "@verticil/ir-core";
import { renewDefs, tir, tirAnalyses, tirPasses, type PrimFunc } from "@verticil/tir";
import { parseFunction, print } from "@verticil/tvmscript";
import { PyUnsupported, type PyArgs, type PyHost, type PyValue } from "./python-eval.ts";

/** True if there is a pass, an analysis or a helper of this name. */
export function isImplemented(name: string): boolean {
  return tirPasses.has(name) || tirAnalyses.has(name) || ["renew_defs", "script", "from_source"].includes(name);
}

/** What a row's `PassContext(config=…)` says: options by pass. */
export type PassConfig = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

/** A `tvm.*` name that is called later. */
class HostName {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }
}

/** Upstream's flags of `HoistExpression`. */
const ENUMS: ReadonlyMap<string, number> = new Map([
  ["HoistedConditionals.Never", 0],
  ["HoistedConditionals.IfElseStmt", 1],
  ["HoistedConditionals.IfElseExpr", 2],
  ["HoistedConditionals.BooleanExpression", 4],
  ["HoistedConditionals.UsingBlockVar", 8],
  ["HoistedConditionals.All", 15],
  ["HoistedLetBindings.Never", 0],
  ["HoistedLetBindings.RequiredByConditional", 1],
  ["HoistedLetBindings.LetStmt", 2],
  ["HoistedLetBindings.LetExpr", 4],
  ["HoistedLetBindings.All", 7],
]);

/** Gives the names in a row's expressions their meaning: `IRModule`, passes by name, `with_attr`. */
export function tirHost(scripts: ReadonlyMap<string, () => IRModule | BaseFunc>, config: PassConfig): PyHost {
  return {
    name(path) {
      const script = scripts.get(path);
      if (script !== undefined) return script();
      const flag = ENUMS.get(path.replace(/\.value$/, "").split(".").slice(-2).join("."));
      if (flag !== undefined) return flag;
      if (path.startsWith("tvm.")) return new HostName(path);
      throw new PyUnsupported(`the name \`${path}\``);
    },
    attribute(value, attr) {
      if (attr === "value") return value;
      if (attr === "with_attr") return ({ args }: PyArgs): PyValue => withAttr(funcOf(value), args);
      if (attr === "without_attr") return ({ args }: PyArgs): PyValue => withAttrs(funcOf(value), { [String(args[0])]: undefined });
      if (attr === "script") return (): PyValue => print(nodeOf(value), { dialects: [tir] });
      throw new PyUnsupported(`the attribute \`${attr}\``);
    },
    call(callee, args) {
      if (typeof callee === "function") return (callee as (a: PyArgs) => PyValue)(args);
      if (callee instanceof HostName) return callHost(callee.path, args, config);
      throw new PyUnsupported("a call of a value");
    },
    item(value, key) {
      return lookupFunc(moduleOf(value), String(key));
    },
  };
}

function withAttr(func: BaseFunc, args: readonly PyValue[]): BaseFunc {
  const [key, value] = args;
  if (key instanceof Map) return withAttrs(func, Object.fromEntries(key) as Record<string, string>);
  return withAttrs(func, { [String(key)]: value as string });
}

function callHost(path: string, { args, named }: PyArgs, config: PassConfig): PyValue {
  const short = path.split(".").at(-1) ?? path;
  switch (path) {
    case "tvm.IRModule":
    case "tvm.ir.IRModule":
    case "tvm.ir.module.IRModule": {
      const functions = [...(args[0] as ReadonlyMap<string, PrimFunc>)];
      return makeIRModule(new Map(functions.map(([name, f]) => [makeGlobalVar(name), f])));
    }
    case "tvm.IRModule.from_expr":
    case "tvm.ir.IRModule.from_expr":
    case "tvm.ir.module.IRModule.from_expr": {
      const func = funcOf(args[0]);
      const symbol = func.attrs["global_symbol"];
      return makeIRModule(new Map([[makeGlobalVar(typeof symbol === "string" ? symbol : "main"), func]]));
    }
    case "tvm.ir.transform.Sequential":
    case "tvm.transform.Sequential": {
      const passes = args[0] as readonly ((a: PyArgs) => PyValue)[];
      return (a: PyArgs): PyValue => passes.reduce<PyValue>((m, p) => p({ args: [m], named: new Map() }), a.args[0]);
    }
    case "tvm.target.Target": {
      const host = named.get("host");
      return targetAttr(String(args[0]), host === undefined ? undefined : String(host));
    }
    case "tvm.tir.stmt_functor.renew_defs":
      return renewDefs(funcOf(args[0]) as PrimFunc);
    default:
      break;
  }
  if (path.startsWith("tvm.tir.analysis.")) return analysis(short, args);
  if (path.startsWith("tvm.tir.transform.")) return transform(short, { args, named }, config);
  throw new PyUnsupported(`\`${path}\``);
}

function transform(name: string, { args, named }: PyArgs, config: PassConfig): PyValue {
  const entry = tirPasses.get(name);
  if (entry === undefined) throw new PyUnsupported(`\`${name}\``);
  const positional = args.map((value, i): [string, unknown] => [entry.params[i] ?? `argument ${i}`, value]);
  const pass = entry.make({ ...config.get(name), ...Object.fromEntries(positional), ...Object.fromEntries(named) });
  return (a: PyArgs): PyValue => pass.run(moduleOf(a.args[0]), quietContext());
}

function quietContext(): PassContext {
  return passContext({ dialects: [tir] });
}

function analysis(name: string, args: readonly PyValue[]): PyValue {
  const run = tirAnalyses.get(name);
  if (run === undefined) throw new PyUnsupported(`\`${name}\``);
  const check = (value: PyValue): PyValue => {
    const node = nodeOf(value);
    const module = node.kind === "ir.IRModule" ? (node as IRModule) : makeIRModule(new Map([[makeGlobalVar("main"), node as BaseFunc]]));
    run(module);
    return true;
  };
  return args.length === 0 ? ({ args: [m] }: PyArgs): PyValue => check(m) : check(args[0]);
}

/** A target as the attribute of a function. */
function targetAttr(text: string, host: string | undefined): Readonly<Record<string, unknown>> {
  const call = host === undefined ? `T.target(${JSON.stringify(text)})` : `T.target(${JSON.stringify(text)}, host=${JSON.stringify(host)})`;
  const source = `@T.prim_func\ndef f():\n    T.func_attr({"target": ${call}})\n    T.evaluate(0)\n`;
  return parseFunction(source, { dialects: [tir] }).attrs["target"] as Readonly<Record<string, unknown>>;
}

function nodeOf(value: PyValue): Node {
  if (typeof value === "object" && value !== null && "kind" in value) return value as Node;
  throw new PyUnsupported("a value that is no program");
}

function moduleOf(value: PyValue): IRModule {
  const node = nodeOf(value);
  if (node.kind !== "ir.IRModule") throw new PyUnsupported("a function where a module is needed");
  return node as IRModule;
}

function funcOf(value: PyValue): BaseFunc {
  const node = nodeOf(value);
  if (node.kind === "ir.IRModule") throw new PyUnsupported("a module where a function is needed");
  return node as BaseFunc;
}

/** The program without the names that its functions are known by outside. */
export function withoutSymbols(node: Node): Node {
  const strip = (f: BaseFunc): BaseFunc => withAttrs(f, { global_symbol: undefined });
  return node.kind === "ir.IRModule" ? mapFunctions(node as IRModule, strip) : strip(node as BaseFunc);
}

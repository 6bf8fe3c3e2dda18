import { isNode, type AttrMap, type BaseFunc } from "@verticil/ir-core";
import type { FunctionParser, ParseContext, PyFunctionDef, PyStmt } from "@verticil/tvmscript";
import type { Function, Var } from "../ir/expr.ts";
import {
  makeFuncStructInfo,
  makeObjectStructInfo,
  makeVar,
} from "../ir/make.ts";
import { makeFunction } from "../ir/make-function.ts";
import type { OpRegistry } from "../ir/op-def.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import type { FuncStructInfo, StructInfo } from "../ir/struct-info.ts";
import { toStructInfo } from "./convert.ts";
import { isNewTirVar } from "./new-tir-var.ts";
import { SeqParser } from "./parse-seq.ts";
import type { TirVar } from "./tir-names.ts";

/** What `declare` keeps of a graph function: as much as a call of it needs. */
export interface RelaxSignature extends BaseFunc {
  readonly kind: "relax.Function";
  readonly structInfo: FuncStructInfo;
}

/** The symbolic variables that functions declare, by name: what reads a signature and what reads its body see the same. */
type Symbolic = WeakMap<PyFunctionDef, Map<string, TirVar>>;

/**
 * Declarations of symbolic variables (`n = T.int64()`) count for the signature above them, so that its strings mean
 * these variables.
 */
function declareSymbolic(def: PyFunctionDef, ctx: ParseContext, symbolic: Symbolic): void {
  let vars = symbolic.get(def);
  if (vars === undefined) {
    vars = declaredIn(def.body, ctx);
    symbolic.set(def, vars);
  }
  for (const [name, v] of vars) ctx.define(name, v);
}

/** Keeps the symbolic variables that only the strings of a signature name. */
function keepNamed(def: PyFunctionDef, ctx: ParseContext, symbolic: Symbolic): void {
  const vars = symbolic.get(def);
  const visit = (part: unknown): void => {
    if (Array.isArray(part)) part.forEach(visit);
    else if (typeof part === "object" && part !== null) {
      if ("py" in part && part.py === "Str" && "value" in part) {
        for (const [name] of String(part.value).matchAll(/[A-Za-z_]\w*/g)) {
          const known = ctx.lookup(name);
          if (isSymbolic(known)) vars?.set(name, known);
        }
      } else Object.values(part).forEach(visit);
    }
  };
  visit(def.params.map((p) => p.annotation));
  visit(def.returns);
}

function isSymbolic(v: unknown): v is TirVar {
  return isNode(v) && (v.kind === "tir.Var" || v.kind === "tir.SizeVar");
}

function declaredIn(body: readonly PyStmt[], ctx: ParseContext): Map<string, TirVar> {
  const out = new Map<string, TirVar>();
  for (const s of body) {
    const target = s.py === "Assign" ? s.targets[0] : undefined;
    if (s.py !== "Assign" || target?.py !== "Name" || s.value.py !== "Call" ) continue;
    const { func } = s.value;
    if (func.py !== "Attribute" || func.value.py !== "Name") continue;
    const isNamed = func.attr === "Var" || func.attr === "SizeVar";
    if (!isNamed && (s.value.args.length > 0 || !/^(u?int|float)\d+$|^bool$/.test(func.attr))) continue;
    const { value } = s;
    ctx.attempt(() => {
      const made = ctx.evaluate(value);
      if (isNewTirVar(made, ctx)) out.set(target.id, { ...made, name: target.id });
    });
  }
  return out;
}

function flag(def: PyFunctionDef, name: string): boolean | undefined {
  for (const d of def.decorators) {
    if (d.py !== "Call") continue;
    const keyword = d.keywords.find((k) => k.name === name);
    if (keyword?.value.py === "Const" && typeof keyword.value.value === "boolean") return keyword.value.value;
  }
  return undefined;
}

function signature(def: PyFunctionDef, ctx: ParseContext): { readonly params: Var[]; readonly returns: StructInfo | undefined } {
  const params = def.params.map((param): Var => {
    const { annotation } = param;
    const info = annotation === undefined ? makeObjectStructInfo() : toStructInfo(ctx.evaluate(annotation), ctx.site(annotation));
    const v = makeVar(param.name, info, ctx.span(param));
    ctx.define(param.name, v);
    return v;
  });
  const { returns } = def;
  if (returns === undefined) return { params, returns: undefined };
  const value = ctx.evaluate(returns);
  return { params, returns: value === null ? undefined : toStructInfo(value, ctx.site(returns)) };
}

/** How `@R.function` is read, with the operators of `ops`. */
export function relaxFunctionParser(ops: OpRegistry): FunctionParser {
  const symbolic: Symbolic = new WeakMap();
  return {
    declare(def, ctx): RelaxSignature {
      declareSymbolic(def, ctx, symbolic);
      const { params, returns } = signature(def, ctx);
      keepNamed(def, ctx, symbolic);
      const infos = params.map((p) => p.structInfo ?? makeObjectStructInfo());
      const structInfo = makeFuncStructInfo(infos, returns ?? makeObjectStructInfo(), { purity: flag(def, "pure") ?? true });
      return { kind: "relax.Function", attrs: {}, structInfo };
    },
    define: (def, ctx, opts) => define(def, ctx, { ops, symbolic, isLocal: opts.isLocal }),
  };
}

interface DefineOptions {
  readonly ops: OpRegistry;
  readonly symbolic: Symbolic;
  readonly isLocal: boolean;
}

function define(def: PyFunctionDef, ctx: ParseContext, { ops, symbolic, isLocal }: DefineOptions): Function {
  return ctx.scoped(() => {
    declareSymbolic(def, ctx, symbolic);
    const { params, returns } = signature(def, ctx);
    const seq = new SeqParser(ctx, ops);
    const body = seq.functionBody(def.body);
    const given = returns ?? seq.returnInfo;
    if (given === undefined && structInfoOf(body) === undefined) {
      return ctx.fail({ start: def.nameStart, end: def.nameStart + def.name.length }, `The return type of \`${def.name}\` is not known.`, "Write it behind `->`.");
    }
    const named = isLocal || flag(def, "private") === true || seq.attrs["global_symbol"] !== undefined;
    const attrs: AttrMap = named ? seq.attrs : { global_symbol: def.name, ...seq.attrs };
    const span = ctx.span({ start: def.nameStart, end: def.nameStart + def.name.length });
    return makeFunction(params, body, given, { isPure: flag(def, "pure") ?? true, attrs, span });
  });
}

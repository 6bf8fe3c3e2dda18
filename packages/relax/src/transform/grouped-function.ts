import type { AttrMap } from "@verticil/ir-core";
import { undefinedVars, type AnyVar as TirVar, type PrimExpr } from "@verticil/tir";
import { forEachUse, isVar } from "../analysis/variables.ts";
import type { BlockBuilder } from "../ir/block-builder.ts";
import type { AnyVar, Binding, DataflowBlock, Expr, Function, Var, VarBinding } from "../ir/expr.ts";
import { bindSymbolic, substituteStructInfo, tirVarsInStructInfo } from "../ir/infer-call.ts";
import {
  makeCall,
  makeDataflowVar,
  makeObjectStructInfo,
  makeShapeExpr,
  makeShapeStructInfo,
  makeTuple,
  makeTupleGetItem,
  makeTupleStructInfo,
  makeVar,
  makeVarBinding,
} from "../ir/make.ts";
import { renameExpr } from "../ir/rename.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { substituteSymbolic } from "../ir/substitute-symbolic.ts";

/** Who uses what a block binds: its own bindings, and what is outside of it. */
export interface BlockUses {
  readonly users: ReadonlyMap<AnyVar, readonly AnyVar[]>;
  readonly outside: ReadonlySet<AnyVar>;
  /** Where in the block a variable is bound. */
  readonly positions?: ReadonlyMap<AnyVar, number>;
}

/** Bindings of one dataflow block that become a function. */
export interface BindingGroup {
  /** In their order. */
  readonly bindings: readonly VarBinding[];
  /** What the function is called, if no other is. */
  readonly name: string;
  readonly attrs: AttrMap;
  /** Constants become parameters; else they move into the function. */
  readonly liftConstants: boolean;
  /** Results in the order in which they are used; else in the order of the bindings. */
  readonly outputsByUse?: boolean;
}

/** Makes the function of a group and the bindings that call it, which stand in the place of the group's last binding. */
export function emitGroup(group: BindingGroup, bb: BlockBuilder, uses: BlockUses): readonly Binding[] {
  const { bindings } = group;
  const inside = new Set<AnyVar>(bindings.map((b) => b.var));
  const outputs = groupOutputs(bindings, inside, uses, group.outputsByUse ?? false);
  const args = groupArguments(bindings, inside, group.liftConstants);
  const symbolic = symbolicArguments(bindings, args);
  const func = fusedFunction(group, outputs, args, symbolic, bb);
  const gv = bb.addFunc(func, group.name);
  const sizes = symbolic.length === 0 ? [] : [makeShapeExpr(symbolic)];
  const infos = outputs.map((b) => structInfoOf(b.var) ?? makeObjectStructInfo());
  const structInfo = infos.length === 1 ? infos[0] : makeTupleStructInfo(infos);
  const call = makeCall(gv, [...args, ...sizes], { structInfo });
  const [only] = outputs;
  if (outputs.length === 1 && only !== undefined) return [makeVarBinding(only.var, call, only.span)];
  const tuple = makeDataflowVar(bb.uniqueName("lv"), structInfo);
  return [
    makeVarBinding(tuple, call),
    ...bindings.filter((b) => outputs.includes(b)).map((b) => makeVarBinding(b.var, makeTupleGetItem(tuple, outputs.indexOf(b)), b.span)),
  ];
}

/** The bindings of a block that use each variable, by the variables that they bind. */
export function usersOf(block: DataflowBlock): ReadonlyMap<AnyVar, readonly AnyVar[]> {
  const users = new Map<AnyVar, AnyVar[]>();
  for (const b of block.bindings) {
    forEachUse(b.value, (v) => {
      const list = users.get(v);
      if (list === undefined) users.set(v, [b.var]);
      else list.push(b.var);
    });
  }
  return users;
}

function groupOutputs(group: readonly VarBinding[], inside: ReadonlySet<AnyVar>, uses: BlockUses, byUse: boolean): readonly VarBinding[] {
  const outputs = group.filter((b) => uses.outside.has(b.var) || uses.users.get(b.var)?.some((v) => !inside.has(v)) === true);
  if (!byUse || outputs.length < 2) return outputs;
  const firstUse = (b: VarBinding): number => (uses.outside.has(b.var) ? -1 : Math.min(...(uses.users.get(b.var) ?? []).filter((v) => !inside.has(v)).map((v) => uses.positions?.get(v) ?? 0)));
  return [...outputs].sort((a, b) => firstUse(a) - firstUse(b));
}

/** The variables (and constants, where they are lifted) that the group takes from outside; shapes and scalars go inside. */
function groupArguments(group: readonly VarBinding[], inside: ReadonlySet<AnyVar>, liftConstants: boolean): readonly Expr[] {
  const args = new Set<Expr>();
  const visit = (e: Expr): void => {
    switch (e.kind) {
      case "relax.Var":
      case "relax.DataflowVar":
        if (!inside.has(e)) args.add(e);
        return;
      case "relax.Constant":
        if (liftConstants) args.add(e);
        return;
      case "relax.Call":
        for (const a of e.args) visit(a);
        return;
      case "relax.Tuple":
        for (const f of e.fields) visit(f);
        return;
      case "relax.TupleGetItem":
        visit(e.tuple);
        return;
      default:
        return;
    }
  };
  for (const b of group) visit(b.value);
  return [...args];
}

/** The symbolic variables that a group mentions, in order, and those of them that are no sizes of its arguments. */
function symbolicOf(infos: readonly (StructInfo | undefined)[]): readonly TirVar[] {
  const out = new Set<TirVar>();
  for (const info of infos) if (info !== undefined) tirVarsInStructInfo(info, (d) => undefinedVars(d).forEach((v) => out.add(v)));
  return [...out];
}

/** What the values of a group say of their results, and of the shapes and scalars among their operands. */
function mentionedInfos(group: readonly VarBinding[]): readonly (StructInfo | undefined)[] {
  const infos: (StructInfo | undefined)[] = [];
  const visit = (e: Expr): void => {
    if (!isVar(e)) infos.push(structInfoOf(e));
    if (e.kind === "relax.PrimValue") infos.push(makeShapeStructInfo([e.value]));
    if (e.kind === "relax.Call") {
      infos.push(...e.sinfoArgs);
      e.args.forEach(visit);
    } else if (e.kind === "relax.Tuple") e.fields.forEach(visit);
  };
  for (const b of group) {
    infos.push(b.var.structInfo);
    visit(b.value);
  }
  return infos;
}

function symbolicArguments(group: readonly VarBinding[], args: readonly Expr[]): readonly TirVar[] {
  const known = new Map<TirVar, PrimExpr>();
  for (const arg of args) {
    const info = structInfoOf(arg);
    if (info !== undefined) bindSymbolic(info, info, known);
  }
  return symbolicOf([...args.map(structInfoOf), ...mentionedInfos(group)]).filter((v) => !known.has(v));
}

/** The group as a function with symbolic variables of its own; `symbolic` become a last parameter, a shape. */
function fusedFunction(
  { bindings: group, attrs }: BindingGroup,
  outputs: readonly VarBinding[],
  args: readonly Expr[],
  symbolic: readonly TirVar[],
  bb: BlockBuilder,
): Function {
  const own = new Map<TirVar, PrimExpr>(symbolicOf([...args.map(structInfoOf), ...mentionedInfos(group)]).map((v) => [v, { ...v }]));
  const renewed = (info: StructInfo | undefined): StructInfo | undefined => info && substituteStructInfo(info, own);
  const params: Var[] = [];
  const vars = new Map<AnyVar, Expr>();
  const constants = new Map<Expr, Expr>();
  args.forEach((arg, i) => {
    const name = isVar(arg) ? arg.name : `param_${i}`;
    const param = makeVar(name, renewed(structInfoOf(arg)));
    params.push(param);
    if (isVar(arg)) vars.set(arg, param);
    else constants.set(arg, param);
  });
  if (symbolic.length > 0) params.push(makeVar("s", makeShapeStructInfo(symbolic.map((v) => own.get(v) ?? v))));
  return bb.buildFunction(
    params,
    () => {
      const results = bb.dataflow(() => {
        for (const b of group) {
          const value = replaceConstants(renameExpr(substituteSymbolic(b.value, own), vars), constants);
          const isOutput = outputs.includes(b);
          const v = isOutput ? makeVar(b.var.name, renewed(b.var.structInfo)) : makeDataflowVar(b.var.name, renewed(b.var.structInfo));
          vars.set(b.var, v);
          bb.addBinding(makeVarBinding(v, value, b.span));
        }
        return outputs.map((b) => renameExpr(b.var, vars));
      });
      const [only] = results;
      return results.length === 1 && only !== undefined ? only : makeTuple(results);
    },
    { attrs },
  );
}

function replaceConstants(expr: Expr, map: ReadonlyMap<Expr, Expr>): Expr {
  if (map.size === 0) return expr;
  switch (expr.kind) {
    case "relax.Constant":
      return map.get(expr) ?? expr;
    case "relax.Call":
      return { ...expr, args: expr.args.map((a) => replaceConstants(a, map)) };
    case "relax.Tuple":
      return { ...expr, fields: expr.fields.map((f) => replaceConstants(f, map)) };
    default:
      return expr;
  }
}


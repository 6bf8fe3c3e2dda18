import { at, configOption, definePass, type AttrMap, type ConfigOption, type GlobalVar, type IRModule, type Pass } from "@verticil/ir-core";
import { undefinedVars, type AnyVar as TirVar, type PrimExpr } from "@verticil/tir";
import { forEachUse, isVar, varToValue } from "../analysis/variables.ts";
import { BlockBuilder } from "../ir/block-builder.ts";
import { callTirParts } from "../ir/call-target.ts";
import type { AnyBindingBlock, AnyVar, Binding, DataflowBlock, Expr, Function, Var, VarBinding } from "../ir/expr.ts";
import { bindSymbolic, substituteStructInfo, tirVarsInStructInfo } from "../ir/infer-call.ts";
import {
  makeCall,
  makeDataflowBlock,
  makeDataflowVar,
  makeObjectStructInfo,
  makeSeqExpr,
  makeShapeExpr,
  makeShapeStructInfo,
  makeTuple,
  makeTupleGetItem,
  makeTupleStructInfo,
  makeVar,
  makeVarBinding,
} from "../ir/make.ts";
import { mapRelaxFunctions } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { renameExpr } from "../ir/rename.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { substituteSymbolic } from "../ir/substitute-symbolic.ts";
import { FusionGraph, type FusionNode } from "./fusion-graph.ts";
import { fusionGroups, type FusionLimits } from "./fusion-groups.ts";
import { opPattern, readOpPattern, type OpPattern } from "./op-pattern.ts";

/** Options of `fuseOps`. */
export interface FuseOpsOptions {
  /** 0 fuses nothing, 1 leaves injective work alone, 2 (default) fuses all. */
  readonly fuseOptLevel?: number;
  /** The most values in one fused function; 256 unless told (upstream's `relax.FuseOps.max_depth`). */
  readonly maxDepth?: number;
  /** The most buffers a fused function may take; the target's limit unless told, 0 for none. */
  readonly maxFunctionArgs?: number;
}

/** The most values in one fused function, for every `FuseOps` of a pipeline that does not say so itself. */
export const fuseOpsMaxDepth: ConfigOption<{ readonly type: "int"; readonly min: 1; readonly doc: string }> = /* @__PURE__ */ configOption(
  "relax.FuseOps.max_depth",
  { type: "int", min: 1, doc: "the most values in one fused function" },
);

/**
 * Upstream's `FuseOps`: groups the `call_tir`s of each dataflow block by the patterns of their tensor programs and
 * moves each group into a private function marked `Primitive`.
 */
export function fuseOps(opts: FuseOpsOptions = {}): Pass {
  return definePass("FuseOps", (module, ctx) => {
    const bufferLimit = ctx.target.kind === "webgpu" ? (ctx.target.limits["maxStorageBuffersPerShaderStage"] ?? 8) : 0;
    const limits: FusionLimits = {
      optLevel: opts.fuseOptLevel ?? ctx.optLevel,
      maxDepth: opts.maxDepth ?? ctx.config.get(fuseOpsMaxDepth) ?? 256,
      maxFunctionArgs: opts.maxFunctionArgs ?? bufferLimit,
    };
    const bb = new BlockBuilder({ ops: ctx.get(opRegistryKey), module });
    let changed = false;
    const fused = mapRelaxFunctions(module, (func) => {
      if (func.attrs["Primitive"] !== undefined) return func;
      const next = fuseFunction(func, module, bb, limits);
      changed ||= next !== func;
      return next;
    });
    if (!changed) return module;
    for (const [gv, func] of fused.functions) bb.updateFunc(gv, func);
    return bb.finalize();
  });
}

function fuseFunction(func: Function, module: IRModule, bb: BlockBuilder, limits: FusionLimits): Function {
  if (func.body.kind !== "relax.SeqExpr") return func;
  const usedOutside = usesOutsideBlocks(func);
  const renamed = new Map<AnyVar, Expr>();
  let changed = false;
  const blocks = func.body.blocks.map((block): AnyBindingBlock => {
    if (block.kind !== "relax.DataflowBlock") return block;
    const next = fuseBlock(block, module, bb, limits, usedOutside, renamed);
    changed ||= next !== block;
    return next;
  });
  if (!changed) return func;
  return { ...func, body: makeSeqExpr(blocks, renameExpr(func.body.body, renamed), func.body.span) };
}

/** The variables of dataflow blocks that something outside them uses: all that are not dataflow variables. */
function usesOutsideBlocks(func: Function): ReadonlySet<AnyVar> {
  return new Set([...varToValue(func).keys()].filter((v) => v.kind === "relax.Var"));
}

function fuseBlock(
  block: DataflowBlock,
  module: IRModule,
  bb: BlockBuilder,
  limits: FusionLimits,
  usedOutside: ReadonlySet<AnyVar>,
  renamed: Map<AnyVar, Expr>,
): DataflowBlock {
  const graph = buildGraph(block, module, usedOutside);
  const groups = fusionGroups(graph, limits);
  const members = groupMembers(block, graph, groups);
  if (members.size === 0) return block;
  const uses: BlockUses = { users: usersOf(block), outside: usedOutside };
  const bindings: Binding[] = [];
  for (const binding of block.bindings) {
    const group = members.get(binding.var);
    if (group === undefined) {
      const value = renameExpr(binding.value, renamed);
      bindings.push(value === binding.value ? binding : { ...binding, value });
    } else if (binding === group[group.length - 1]) {
      bindings.push(...emitFused(group, bb, uses, renamed));
    }
  }
  return makeDataflowBlock(bindings, block.span);
}

/** Bindings by group, for groups of at least two calls of tensor programs. */
function groupMembers(block: DataflowBlock, graph: FusionGraph, groups: readonly number[]): ReadonlyMap<AnyVar, readonly VarBinding[]> {
  const lists = new Map<number, VarBinding[]>();
  for (const binding of block.bindings) {
    const node = graph.find(binding.var);
    if (node === undefined || binding.kind !== "relax.VarBinding") continue;
    const group = at(groups, node.index);
    lists.set(group, [...(lists.get(group) ?? []), binding]);
  }
  const out = new Map<AnyVar, readonly VarBinding[]>();
  for (const list of lists.values()) {
    if (list.filter((b) => callTirParts(b.value) !== undefined).length < 2) continue;
    for (const b of list) out.set(b.var, list);
  }
  return out;
}

function buildGraph(block: DataflowBlock, module: IRModule, usedOutside: ReadonlySet<AnyVar>): FusionGraph {
  const graph = new FusionGraph();
  const use = (operand: Expr, user: FusionNode, pattern: OpPattern): void => {
    if (operand.kind === "relax.Tuple") {
      for (const f of operand.fields) use(f, user, pattern);
      return;
    }
    if (!isVar(operand) && operand.kind !== "relax.Constant") return;
    let node = graph.find(operand);
    if (node === undefined) {
      node = graph.add(operand, operand.kind === "relax.Constant" ? opPattern.elemWise : opPattern.opaque);
      node.external = operand.kind !== "relax.Constant";
    }
    graph.connect(node, user, pattern);
  };
  for (const binding of block.bindings) {
    const { value } = binding;
    const parts = callTirParts(value);
    // Operands first: the order of nodes is the order of evaluation.
    forEachUse(value, (v) => {
      if (graph.find(v) === undefined) graph.add(v, opPattern.opaque).external = true;
    });
    if (binding.kind === "relax.VarBinding" && parts !== undefined) {
      const pattern = readOpPattern(module.functions.get(parts.callee)?.attrs["op_pattern"]);
      const constants = parts.args.fields.filter((f) => f.kind === "relax.Constant");
      for (const c of constants) if (graph.find(c) === undefined) graph.add(c, opPattern.elemWise);
      const node = graph.add(binding.var, pattern);
      for (const arg of parts.args.fields) use(arg, node, pattern);
      node.external = usedOutside.has(binding.var);
    } else if (binding.kind === "relax.VarBinding" && value.kind === "relax.TupleGetItem") {
      const node = graph.add(binding.var, opPattern.injective);
      use(value.tuple, node, opPattern.injective);
      node.external = usedOutside.has(binding.var);
    } else {
      const node = graph.add(binding.var, opPattern.opaque);
      forEachUse(value, (v) => use(v, node, opPattern.opaque));
      node.external = true;
    }
  }
  return graph;
}

/** Who uses what a block binds: its own bindings, and what is outside of it. */
interface BlockUses {
  readonly users: ReadonlyMap<AnyVar, readonly AnyVar[]>;
  readonly outside: ReadonlySet<AnyVar>;
}

/** Makes the function of a group and the bindings that call it in the place of the group's last binding. */
function emitFused(
  group: readonly VarBinding[],
  bb: BlockBuilder,
  uses: BlockUses,
  renamed: Map<AnyVar, Expr>,
): readonly Binding[] {
  const inside = new Set<AnyVar>(group.map((b) => b.var));
  const outputs = groupOutputs(group, inside, uses);
  const args = groupArguments(group, inside);
  const symbolic = symbolicArguments(group, args);
  const func = fusedFunction(group, outputs, args, symbolic, bb);
  const gv = bb.addFunc(func, fusedName(group));
  const sizes = symbolic.length === 0 ? [] : [makeShapeExpr(symbolic)];
  const infos = outputs.map((b) => structInfoOf(b.var) ?? makeObjectStructInfo());
  const structInfo = infos.length === 1 ? infos[0] : makeTupleStructInfo(infos);
  const call = makeCall(gv, [...args.map((a) => renameExpr(a, renamed)), ...sizes], { structInfo });
  const [only] = outputs;
  if (outputs.length === 1 && only !== undefined) return [makeVarBinding(only.var, call, only.span)];
  const tuple = makeDataflowVar(bb.uniqueName("lv"), structInfo);
  return [
    makeVarBinding(tuple, call),
    ...outputs.map((b, i) => makeVarBinding(b.var, makeTupleGetItem(tuple, i), b.span)),
  ];
}

/** The bindings of a block that use each variable, by the variables that they bind. */
function usersOf(block: DataflowBlock): ReadonlyMap<AnyVar, readonly AnyVar[]> {
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

function groupOutputs(group: readonly VarBinding[], inside: ReadonlySet<AnyVar>, uses: BlockUses): readonly VarBinding[] {
  return group.filter((b) => uses.outside.has(b.var) || uses.users.get(b.var)?.some((v) => !inside.has(v)) === true);
}

/** The variables and large constants that the group takes from outside; shapes and scalars go inside. */
function groupArguments(group: readonly VarBinding[], inside: ReadonlySet<AnyVar>): readonly Expr[] {
  const args = new Set<Expr>();
  const visit = (e: Expr): void => {
    switch (e.kind) {
      case "relax.Var":
      case "relax.DataflowVar":
        if (!inside.has(e)) args.add(e);
        return;
      case "relax.Constant":
        args.add(e);
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
  group: readonly VarBinding[],
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
  const attrs: AttrMap = { Primitive: true };
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

/** `fused_conv2d_add_relu`: the callees in order, cut at a length that file names and people bear. */
function fusedName(group: readonly VarBinding[]): string {
  const names = group.flatMap((b) => {
    const callee: GlobalVar | undefined = callTirParts(b.value)?.callee;
    return callee === undefined ? [] : [callee.name.replace(/\d+$/, "")];
  });
  const name = `fused_${names.join("_")}`;
  return name.length <= 80 ? name : `${name.slice(0, 72)}_etc`;
}

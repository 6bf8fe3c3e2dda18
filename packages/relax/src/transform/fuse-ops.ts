import { at, mapList, configOption, definePass, type ConfigOption, type GlobalVar, type IRModule, type Pass } from "@verticil/ir-core";
import { forEachUse, isVar, varToValue } from "../analysis/variables.ts";
import { BlockBuilder } from "../ir/block-builder.ts";
import { callTirParts } from "../ir/call-target.ts";
import type { AnyBindingBlock, AnyVar, Binding, DataflowBlock, Expr, Function, VarBinding } from "../ir/expr.ts";
import { makeDataflowBlock, makeSeqExpr } from "../ir/make.ts";
import { mapSequences } from "../ir/map-sequences.ts";
import { mapRelaxFunctions } from "../ir/mutate.ts";
import { opRegistryKey } from "../ir/op-def.ts";
import { FusionGraph, type FusionNode } from "./fusion-graph.ts";
import { fusionGroups, type FusionLimits } from "./fusion-groups.ts";
import { emitGroup, usersOf, type BlockUses } from "./grouped-function.ts";
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
 * Upstream's `FuseOps`: groups the `call_tir`s of each dataflow block, those in branches and local functions included, by
 * the patterns of their tensor programs, and moves each group into a private function marked `Primitive`.
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
  const usedOutside = usesOutsideBlocks(func);
  return mapSequences(func, (seq) => {
    const blocks = mapList(seq.blocks, (block): AnyBindingBlock => (block.kind === "relax.DataflowBlock" ? fuseBlock(block, module, bb, limits, usedOutside) : block));
    return blocks === seq.blocks ? seq : makeSeqExpr(blocks, seq.body, seq.span);
  });
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
): DataflowBlock {
  const graph = buildGraph(block, module, usedOutside);
  const groups = fusionGroups(graph, limits);
  const members = groupMembers(block, graph, groups);
  if (members.size === 0) return block;
  const uses: BlockUses = { users: usersOf(block), outside: usedOutside };
  const bindings: Binding[] = [];
  for (const binding of block.bindings) {
    const group = members.get(binding.var);
    if (group === undefined) bindings.push(binding);
    else if (binding === group[group.length - 1]) bindings.push(...emitGroup({ bindings: group, name: fusedName(group), attrs: { Primitive: true }, liftConstants: true }, bb, uses));
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

/** `fused_conv2d_add_relu`: the callees in order, cut at a length that file names and people bear. */
function fusedName(group: readonly VarBinding[]): string {
  const names = group.flatMap((b) => {
    const callee: GlobalVar | undefined = callTirParts(b.value)?.callee;
    return callee === undefined ? [] : [callee.name.replace(/\d+$/, "")];
  });
  const name = `fused_${names.join("_")}`;
  return name.length <= 80 ? name : `${name.slice(0, 72)}_etc`;
}

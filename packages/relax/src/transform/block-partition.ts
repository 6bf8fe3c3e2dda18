import type { AttrMap } from "@verticil/ir-core";
import { forEachUse, freeVars } from "../analysis/variables.ts";
import type { BlockBuilder } from "../ir/block-builder.ts";
import type { AnyBindingBlock, AnyVar, Binding, DataflowBlock, Function, VarBinding } from "../ir/expr.ts";
import { mapSequences } from "../ir/map-sequences.ts";
import { makeDataflowBlock, makeSeqExpr } from "../ir/make.ts";
import { topologicalOrder } from "../dpl/topological-order.ts";
import { emitGroup, usersOf, type BlockUses } from "./grouped-function.ts";

/** Bindings that belong together, with the attributes of the function that they become. */
export interface PartGroup {
  readonly attrs: AttrMap;
  readonly members: Set<AnyVar>;
}

/** The bindings of a dataflow block in groups that may become functions: no group needs, over others, what it makes. */
export class BlockPartition {
  readonly block: DataflowBlock;
  /** Who uses a variable inside the block, in order. */
  readonly users: ReadonlyMap<AnyVar, readonly AnyVar[]>;
  readonly #position: ReadonlyMap<AnyVar, number>;
  readonly #groups = new Map<AnyVar, PartGroup>();

  constructor(block: DataflowBlock) {
    this.block = block;
    this.users = usersOf(block);
    this.#position = new Map(block.bindings.map((b, i) => [b.var, i]));
  }

  group(v: AnyVar): PartGroup | undefined {
    return this.#groups.get(v);
  }

  get isEmpty(): boolean {
    return this.#groups.size === 0;
  }

  /** Makes a group of variables, which leave the groups that they were in. */
  assign(members: Iterable<AnyVar>, attrs: AttrMap): void {
    const group: PartGroup = { attrs, members: new Set(members) };
    for (const v of group.members) {
      this.#groups.get(v)?.members.delete(v);
      this.#groups.set(v, group);
    }
  }

  /** True if a value that leaves the set comes back to it, by way of bindings or of whole groups. */
  wouldCycle(members: ReadonlySet<AnyVar>): boolean {
    const last = Math.max(...[...members].map((v) => this.#position.get(v) ?? 0));
    const seen = new Set<AnyVar>();
    const stack: AnyVar[] = [];
    const reach = (v: AnyVar): void => {
      if (seen.has(v)) return;
      seen.add(v);
      stack.push(v);
    };
    for (const m of members) for (const u of this.users.get(m) ?? []) if (!members.has(u)) reach(u);
    for (let v = stack.pop(); v !== undefined; v = stack.pop()) {
      const group = this.#groups.get(v);
      if (group !== undefined && !members.has(v)) for (const other of group.members) if (!members.has(other)) reach(other);
      // What comes later, and is in no group, leads to nothing earlier.
      if (group === undefined && (this.#position.get(v) ?? 0) > last) continue;
      for (const u of this.users.get(v) ?? []) {
        if (members.has(u)) return true;
        reach(u);
      }
    }
    return false;
  }

  /** The block with a call in the place of each group. */
  emit(bb: BlockBuilder, nameOf: (bindings: readonly VarBinding[]) => string, liftConstants: boolean, outside: ReadonlySet<AnyVar>): DataflowBlock {
    const lists = new Map<PartGroup, VarBinding[]>();
    for (const b of this.block.bindings) {
      const group = this.#groups.get(b.var);
      if (group === undefined || b.kind !== "relax.VarBinding") continue;
      lists.set(group, [...(lists.get(group) ?? []), b]);
    }
    const uses: BlockUses = { users: this.users, outside, positions: this.#position };
    const out: Binding[] = [];
    for (const b of this.block.bindings) {
      const group = this.#groups.get(b.var);
      const bindings = group === undefined ? undefined : lists.get(group);
      if (group === undefined || bindings === undefined) out.push(b);
      else if (bindings[bindings.length - 1] === b) out.push(...emitGroup({ bindings, name: nameOf(bindings), attrs: group.attrs, liftConstants, outputsByUse: true }, bb, uses));
    }
    return makeDataflowBlock(topologicalOrder(out), this.block.span);
  }
}

/**
 * Partitions each dataflow block of a function, those of branches and local functions included, and makes functions of the
 * groups. Gives back `func` itself if there are none.
 */
export function partitionBlocks(
  func: Function,
  bb: BlockBuilder,
  fill: (partition: BlockPartition) => void,
  opts: { readonly nameOf: (bindings: readonly VarBinding[]) => string; readonly liftConstants: boolean },
): Function {
  return mapSequences(func, (seq) => {
    let changed = false;
    const blocks = seq.blocks.map((block): AnyBindingBlock => {
      if (block.kind !== "relax.DataflowBlock") return block;
      const partition = new BlockPartition(block);
      fill(partition);
      if (partition.isEmpty) return block;
      changed = true;
      const outside = new Set<AnyVar>(block.bindings.map((b) => b.var).filter((v) => v.kind === "relax.Var"));
      for (const b of block.bindings) if (b.value.kind === "relax.Function") freeVars(b.value).forEach((v) => outside.add(v));
      return partition.emit(bb, opts.nameOf, opts.liftConstants, outside);
    });
    return changed ? makeSeqExpr(blocks, seq.body, seq.span) : seq;
  });
}

/** The name of a group's function: `fused_relax_nn_conv2d_relax_nn_relu`, the callees in order. */
export function groupName(bindings: readonly VarBinding[]): string {
  const names = bindings.flatMap(({ value }) => {
    if (value.kind !== "relax.Call") return [];
    const { op } = value;
    if (op.kind === "ir.GlobalVar") return [op.name.replace(/^fused_/, "")];
    const [callee] = value.args;
    const isTir = op.kind === "ir.Op" && op.name.startsWith("relax.call_tir") && callee?.kind === "ir.GlobalVar";
    return isTir ? [callee.name] : op.kind === "ir.Op" ? [op.name.replaceAll(".", "_")] : [];
  });
  const name = ["fused", ...names].join("_");
  return name.length <= 160 ? name : `${name.slice(0, 152)}_etc`;
}

/** What a binding uses of the block. */
export function operandsOf(b: Binding): readonly AnyVar[] {
  const out: AnyVar[] = [];
  forEachUse(b.value, (v) => out.push(v));
  return out;
}

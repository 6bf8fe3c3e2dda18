import { walk, type Node } from "@verticil/ir-core";
import { intrinDef, tirTable, type Call, type For, type Stmt, type Var } from "@verticil/tir";

/** Loops marked `unrolled` are repeated in the code up to this many times. */
const MAX_UNROLL = 64;

/** The number of iterations, if it is a constant. */
export function constExtent(loop: For): number | undefined {
  return loop.extent.kind === "ir.IntImm" ? Number(loop.extent.value) : undefined;
}

/** Whether the iterations of a loop are written one after the other, so that its variable is a constant in each. */
export function isUnrolled(loop: For): boolean {
  const extent = constExtent(loop);
  if (extent === undefined || loop.min.kind !== "ir.IntImm") return false;
  return extent <= 1 || (loop.forKind === "unrolled" && extent <= MAX_UNROLL);
}

/** Whether code of `stmt` has loops that run. */
export function hasLoops(stmt: Stmt): boolean {
  let found = false;
  walk(tirTable, stmt, (node) => {
    if (node.kind === "tir.Buffer") return "skip";
    if (node.kind === "tir.While" || (isFor(node) && !isUnrolled(node))) found = true;
    return undefined;
  });
  return found;
}

function isFor(node: Node): node is For {
  return node.kind === "tir.For";
}

/** What a statement may write. */
export interface Writes {
  /** Pointers of buffers that are stored to. */
  readonly vars: ReadonlySet<Var>;
  /** True if a call may write any memory. */
  readonly anything: boolean;
}

/** What `stmt` may write. */
export function writesOf(stmt: Stmt): Writes {
  const vars = new Set<Var>();
  let anything = false;
  walk(tirTable, stmt, (node) => {
    if (node.kind === "tir.Buffer") return "skip";
    if (isStore(node)) vars.add(node.buffer.data);
    if (isCall(node) && callWrites(node)) anything = true;
    return undefined;
  });
  return { vars, anything };
}

function isStore(node: Node): node is Extract<Stmt, { readonly kind: "tir.BufferStore" }> {
  return node.kind === "tir.BufferStore";
}

function isCall(node: Node): node is Call {
  return node.kind === "tir.Call";
}

/** Whether a call may change memory. */
export function callWrites(call: Call): boolean {
  if (call.op.kind === "ir.GlobalVar") return true;
  return intrinDef(call.op.name)?.effect === "update";
}

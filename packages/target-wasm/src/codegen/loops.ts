import { intrinDef, visitStmt, type Call, type For, type Stmt, type Var, type While } from "@verticil/tir";

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

/** What a loop does, all of its iterations together. */
export interface LoopEffects {
  /** Pointers of buffers that are stored to. */
  readonly vars: ReadonlySet<Var>;
  /** True if a call may write any memory. */
  readonly anything: boolean;
  /** Whether the code of its body has loops that run. */
  readonly hasLoops: boolean;
}

/** Tells what loops do, each of them looked at once: those inside others, and bodies that are written out, are asked for again and again. */
export function rememberEffects(): (loop: For | While) => LoopEffects {
  const known = new Map<Stmt, LoopEffects>();
  const find = (loop: For | While): LoopEffects => {
    const vars = new Set<Var>();
    let anything = false;
    let hasLoops = false;
    visitStmt(loop, {
      expr(e) {
        if (e.kind === "tir.Call" && callWrites(e)) anything = true;
      },
      stmt(s) {
        if (s.kind === "tir.BufferStore") vars.add(s.buffer.data);
        if (s === loop || (s.kind !== "tir.For" && s.kind !== "tir.While")) return undefined;
        const inner = effectsOf(s);
        for (const v of inner.vars) vars.add(v);
        anything ||= inner.anything;
        hasLoops ||= inner.hasLoops || s.kind === "tir.While" || !isUnrolled(s);
        return "skip";
      },
    });
    return { vars, anything, hasLoops };
  };
  const effectsOf = (loop: For | While): LoopEffects => {
    let effects = known.get(loop);
    if (effects === undefined) known.set(loop, (effects = find(loop)));
    return effects;
  };
  return effectsOf;
}

/** Whether a call may change memory. */
export function callWrites(call: Call): boolean {
  if (call.op.kind === "ir.GlobalVar") return true;
  return intrinDef(call.op.name)?.effect === "update";
}

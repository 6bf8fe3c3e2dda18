import type { Graph } from "./graph.ts";
import { commonRegion, type Region, type Stmt, type Value } from "./value.ts";

/** Where each value is computed. */
export interface Placement {
  /** The region whose code computes the value. */
  readonly regionOf: (value: Value) => Region;
  /** True if the value is computed once into a local, false if it stands where it is used. */
  readonly isLocal: (value: Value) => boolean;
  /** False for what nobody needs. */
  readonly isUsed: (value: Value) => boolean;
}

interface Use {
  count: number;
  region: Region;
  pinned: boolean;
}

/**
 * Decides for each value: as far in as all its uses allow, then out of every loop that it does not depend on.
 * What is used more than once, or moved, gets a local.
 */
export function placeValues(graph: Graph): Placement {
  const uses: (Use | undefined)[] = new Array<Use | undefined>(graph.values.length);
  const places: (Region | undefined)[] = new Array<Region | undefined>(graph.values.length);

  const use = (value: Value, region: Region, pinned = false): void => {
    const known = uses[value.id];
    if (known === undefined) {
      uses[value.id] = { count: 1, region, pinned };
      return;
    }
    known.count++;
    known.region = commonRegion(known.region, region);
    known.pinned ||= pinned;
  };

  const useStmts = (region: Region): void => {
    for (const stmt of region.stmts) {
      forEachOperand(stmt, (v) => use(v, region, stmt.kind === "pin"));
      for (const inner of innerRegions(stmt)) useStmts(inner);
      // The condition of a `while` is computed in each iteration.
      if (stmt.kind === "while") use(stmt.condition, stmt.body);
    }
  };

  useStmts(graph.root);
  for (let id = graph.values.length - 1; id >= 0; id--) {
    const value = graph.values[id];
    const known = uses[id];
    if (value === undefined || known === undefined) continue;
    // A pin alone keeps nothing alive.
    if (known.pinned && known.count === 1) {
      uses[id] = undefined;
      continue;
    }
    const place = outOfLoops(value, known.region);
    places[id] = place;
    if (value.kind === "induction") {
      for (const a of value.args) use(a, value.loop.parent ?? graph.root);
      continue;
    }
    for (const a of value.args) use(a, place);
  }

  const regionOf = (value: Value): Region => places[value.id] ?? value.home;
  return {
    regionOf,
    isUsed: (value) => uses[value.id] !== undefined,
    isLocal: (value) => {
      const known = uses[value.id];
      if (known === undefined || !canBeLocal(value)) return false;
      return known.count > 1 || known.region !== regionOf(value);
    },
  };
}

/** Values that are computed; the others are locals already, or as cheap as one. */
function canBeLocal(value: Value): boolean {
  return value.kind === "op" || value.kind === "load" || value.kind === "stack" || (value.kind === "const" && value.type === "v128");
}

function outOfLoops(value: Value, region: Region): Region {
  let place = region;
  let crossed = false;
  for (let r = region; r !== value.home && r.parent !== undefined; r = r.parent) {
    if (r.kind !== "loop") continue;
    // Used between inner loops: in a register of its own it would crowd them, for one computation saved. A constant is
    // dearer to make than to fetch from the stack, where the engine keeps it during those loops.
    if (!crossed && r.hasLoops && value.kind !== "const" && value.type !== "i32" && value.type !== "i64") break;
    crossed = true;
    place = r.parent;
  }
  return place;
}

/** The values that a statement takes itself, not those of the regions inside. */
function forEachOperand(stmt: Stmt, f: (value: Value) => void): void {
  switch (stmt.kind) {
    case "store":
      f(stmt.addr);
      f(stmt.value);
      return;
    case "set-cell":
    case "pin":
    case "set-stack":
      f(stmt.value);
      return;
    case "loop":
      f(stmt.extent);
      return;
    case "if":
    case "check":
      f(stmt.condition);
      return;
    case "call":
      for (const a of stmt.args) f(a);
      return;
    case "return":
      if (stmt.value !== undefined) f(stmt.value);
      return;
    case "while":
      return;
  }
}

function innerRegions(stmt: Stmt): readonly Region[] {
  switch (stmt.kind) {
    case "loop":
    case "while":
      return [stmt.body];
    case "if":
      return stmt.elseRegion === undefined ? [stmt.thenRegion] : [stmt.thenRegion, stmt.elseRegion];
    default:
      return [];
  }
}

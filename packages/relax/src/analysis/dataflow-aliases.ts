import { opNameOf } from "../ir/call-target.ts";
import type { AnyVar, DataflowBlock, Expr } from "../ir/expr.ts";
import type { StructInfo } from "../ir/struct-info.ts";
import { structInfoOf } from "../ir/struct-info-of.ts";

/** The place of what comes from outside the block: nothing is known of who else holds it. */
export const UNKNOWN_PLACE = -1;

/** Operators whose result may be, or lie in, one of their arguments. */
const sharing = new Set(
  ["reshape", "flatten", "squeeze", "expand_dims", "astype", "wrap_param", "hint_on_device", "to_vdevice", "memory.view", "memory.ensure_zero_copy", "builtin.stop_lift_params"]
    .concat(["call_pure_packed", "call_tir_inplace", "call_inplace_packed", "invoke_pure_closure"])
    .map((name) => `relax.${name}`),
);

/**
 * The places in memory that each variable of a block may hold, those of the fields of tuples included. What two variables
 * may share, they both have. Constants and what comes from outside are `UNKNOWN_PLACE`.
 */
export function dataflowAliases(block: DataflowBlock): ReadonlyMap<AnyVar, ReadonlySet<number>> {
  const analysis = new AliasAnalysis();
  for (const b of block.bindings) analysis.bind(b.var, b.value);
  return new Map(block.bindings.map((b) => [b.var, analysis.held(b.var)]));
}

class AliasAnalysis {
  readonly #places = new Map<AnyVar, ReadonlySet<number>>();
  /** For a place that is a tuple, the places that each field may be. */
  readonly #fields = new Map<number, readonly ReadonlySet<number>[]>();
  #next = 0;

  bind(v: AnyVar, value: Expr): void {
    this.#places.set(v, this.#of(value, v.structInfo));
  }

  held(v: AnyVar): ReadonlySet<number> {
    return this.#reach(this.#of(v, undefined));
  }

  #of(value: Expr, info: StructInfo | undefined): ReadonlySet<number> {
    switch (value.kind) {
      case "relax.Var":
      case "relax.DataflowVar":
        return this.#places.get(value) ?? new Set([UNKNOWN_PLACE]);
      case "relax.Tuple": {
        const place = this.#next++;
        this.#fields.set(place, value.fields.map((f) => this.#of(f, structInfoOf(f))));
        return new Set([place]);
      }
      case "relax.TupleGetItem": {
        const tuples = [...this.#of(value.tuple, undefined)];
        return new Set(tuples.flatMap((t) => [...(this.#fields.get(t)?.[value.index] ?? [UNKNOWN_PLACE])]));
      }
      case "relax.Call": {
        const name = opNameOf(value);
        return name === undefined || sharing.has(name) ? this.#anyOf(value.args, info) : new Set([this.#fresh(info)]);
      }
      default:
        return new Set([UNKNOWN_PLACE]);
    }
  }

  /** A new value; the fields of a tuple are new as well. */
  #fresh(info: StructInfo | undefined): number {
    const place = this.#next++;
    if (info?.kind === "relax.TupleStructInfo") this.#fields.set(place, info.fields.map((f) => new Set([this.#fresh(f)])));
    return place;
  }

  /** A new value, or any of the arguments or what is in them; so are its fields. */
  #anyOf(args: readonly Expr[], info: StructInfo | undefined): ReadonlySet<number> {
    const place = this.#fresh(info);
    const given = args.filter((a) => a.kind !== "ir.GlobalVar" && a.kind !== "relax.ExternFunc" && a.kind !== "relax.ShapeExpr");
    const all = this.#reach(new Set([place, ...given.flatMap((a) => [...this.#of(a, structInfoOf(a))])]));
    for (const p of this.#reach(new Set([place]))) {
      const fields = this.#fields.get(p);
      if (fields !== undefined) this.#fields.set(p, fields.map((f) => new Set([...f, ...all])));
    }
    return all;
  }

  #reach(places: ReadonlySet<number>): ReadonlySet<number> {
    const out = new Set<number>();
    const visit = (place: number): void => {
      if (out.has(place)) return;
      out.add(place);
      for (const f of this.#fields.get(place) ?? []) f.forEach(visit);
    };
    places.forEach(visit);
    return out;
  }
}

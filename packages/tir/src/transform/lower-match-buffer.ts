import { at, Diagnostics, throwIfErrors, type Pass } from "@verticil/ir-core";
import { Analyzer } from "../arith/analyzer.ts";
import type { Buffer, MatchBufferRegion } from "../ir/buffer.ts";
import type { AnyVar, PrimExpr } from "../ir/expr.ts";
import { makeBufferLoad, makeRange } from "../ir/make-expr.ts";
import { makeBufferStore, scopeOf } from "../ir/make-stmt.ts";
import { mapExprChildren, mapItems, mapRange, mapRegion, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { add, cast, constant, eq, mul, truncMod } from "../ir/ops.ts";
import type { PrimFunc, Stmt } from "../ir/stmt.ts";
import { transformDiagnostics } from "./diagnostics.ts";
import { bodyPass } from "./prim-func-pass.ts";

/**
 * Replaces matched buffers by the regions they stand for (upstream's `LowerMatchBuffer`).
 * @throws DiagnosticError if a matched buffer asks for another type, scope, shape, stride or offset than its source has.
 */
export function lowerMatchBuffer(): Pass {
  return bodyPass("LowerMatchBuffer", lowerMatches);
}

function lowerMatches(body: Stmt, func: PrimFunc): Stmt {
  const diagnostics = new Diagnostics();
  const report = diagnostics.reporter("tir", transformDiagnostics);
  const analyzer = new Analyzer();
  // A parameter has one value: a match may not give it another.
  const fixed = new Set<AnyVar>(func.params.filter((v) => v.dtype !== "handle"));
  const matched = new Map<Buffer, MatchBufferRegion>();
  const values = new Map<AnyVar, PrimExpr>();
  const mapper: ChildMapper = {
    expr(e) {
      if (e.kind === "tir.Var" || e.kind === "tir.SizeVar") return values.get(e) ?? e;
      const mapped = mapExprChildren(e, mapper);
      if (mapped.kind !== "tir.BufferLoad") return mapped;
      const m = matched.get(mapped.buffer);
      return m === undefined ? mapped : makeBufferLoad(m.source.buffer, sourceIndices(m, mapped.indices), mapped.predicate, mapped.span);
    },
    stmt(s) {
      if (s.kind === "tir.For") analyzer.bind(s.loopVar, makeRange(s.min, s.extent), { override: true });
      if (s.kind === "tir.Block" && s.matchBuffers.length > 0) {
        for (const m of s.matchBuffers) declare(m);
        const mapped = mapStmtChildren({ ...s, matchBuffers: [] }, mapper);
        if (mapped.kind !== "tir.Block") return mapped;
        const region = (r: (typeof s.reads)[number]): typeof r => {
          const m = matched.get(r.buffer);
          if (m === undefined) return r;
          const dropped = m.source.region.length - r.region.length;
          const dims = m.source.region.map((d, i) => (i < dropped ? d : { ...at(r.region, i - dropped), min: add(d.min, at(r.region, i - dropped).min) }));
          return { ...r, buffer: m.source.buffer, region: dims };
        };
        return { ...mapped, reads: mapItems(mapped.reads, region), writes: mapItems(mapped.writes, region) };
      }
      const mapped = mapStmtChildren(s, mapper);
      if (mapped.kind !== "tir.BufferStore") return mapped;
      const m = matched.get(mapped.buffer);
      if (m === undefined) return mapped;
      return makeBufferStore(m.source.buffer, mapped.value, sourceIndices(m, mapped.indices), mapped.predicate, mapped.span);
    },
  };

  const declare = (match: MatchBufferRegion): void => {
    // The source may itself be matched further out.
    const outer = matched.get(match.source.buffer);
    const region = mapRegion(match.source, mapper);
    const source =
      outer === undefined
        ? region
        : {
            ...outer.source,
            region: outer.source.region.map((d, i) => {
              const k = i - (outer.source.region.length - region.region.length);
              return k < 0 ? d : mapRange({ ...at(region.region, k), min: add(d.min, at(region.region, k).min) }, (e) => e);
            }),
          };
    const m: MatchBufferRegion = { ...match, source };
    matched.set(match.buffer, m);
    values.set(match.buffer.data, source.buffer.data);
    const strides = stridesOf(source.buffer);
    const dropped = source.region.length - match.buffer.shape.length;
    const refuse = (what: string): void => report("match-buffer", { buffer: match.buffer.name, source: source.buffer.name, what }, match.span ?? match.buffer.span);
    const bind = (e: PrimExpr | undefined, value: PrimExpr, what: string): void => {
      if (e === undefined) return;
      if ((e.kind === "tir.Var" || e.kind === "tir.SizeVar") && !values.has(e) && !fixed.has(e)) {
        if (/^u?int/.test(e.dtype)) values.set(e, cast(e.dtype, value));
        else refuse(what);
        return;
      }
      const wanted = mapper.expr(e);
      if (!analyzer.canProveEqual(wanted, cast(wanted.dtype, value)) && !analyzer.canProve(eq(wanted, value))) refuse(what);
    };
    if (match.buffer.dtype !== source.buffer.dtype) refuse("element type");
    if (scopeOf(match.buffer) !== scopeOf(source.buffer)) refuse("storage scope");
    if (dropped < 0) {
      refuse("number of dimensions");
      return;
    }
    match.buffer.shape.forEach((e, i) => bind(e, at(source.region, i + dropped).extent, `size of dimension ${i}`));
    match.buffer.strides.forEach((e, i) => bind(e, at(strides, i + dropped), `stride of dimension ${i}`));
    const offset = elementOffset(source.buffer, source.region.map((d) => d.min), strides);
    bind(match.buffer.elemOffset ?? constant(0, offset.dtype), offset, "offset");
    const { offsetFactor } = match.buffer;
    if (offsetFactor > 1 && !analyzer.canProve(eq(truncMod(offset, offsetFactor), 0))) refuse("offset, a multiple of `offset_factor`,");
  };
  const result = mapper.stmt(body);
  throwIfErrors(diagnostics);
  return result;
}

function stridesOf(b: Buffer): readonly PrimExpr[] {
  if (b.strides.length > 0) return b.strides;
  const out = new Array<PrimExpr>(b.shape.length);
  let stride: PrimExpr = constant(1, b.shape[0]?.dtype ?? "int32");
  for (let i = b.shape.length - 1; i >= 0; i--) {
    out[i] = stride;
    stride = mul(stride, at(b.shape, i));
  }
  return out;
}

function elementOffset(b: Buffer, indices: readonly PrimExpr[], strides: readonly PrimExpr[]): PrimExpr {
  const start: PrimExpr = b.elemOffset ?? constant(0, indices[0]?.dtype ?? "int32");
  return indices.reduce((sum, e, i) => add(sum, mul(e, at(strides, i))), start);
}

function sourceIndices(m: MatchBufferRegion, indices: readonly PrimExpr[]): readonly PrimExpr[] {
  const dropped = m.source.region.length - indices.length;
  return m.source.region.map((d, i) => (i < dropped ? d.min : add(d.min, at(indices, i - dropped))));
}

import { at, type Pass } from "@verticil/ir-core";
import type { Buffer, MatchBufferRegion } from "../ir/buffer.ts";
import type { AnyVar, PrimExpr } from "../ir/expr.ts";
import { makeBufferLoad } from "../ir/make-expr.ts";
import { makeBufferStore } from "../ir/make-stmt.ts";
import { mapExprChildren, mapItems, mapRange, mapRegion, mapStmtChildren, type ChildMapper } from "../ir/map-children.ts";
import { add, cast, constant, mul } from "../ir/ops.ts";
import type { Stmt } from "../ir/stmt.ts";
import { bodyPass } from "./prim-func-pass.ts";

/** Replaces matched buffers by the regions they stand for (upstream's `LowerMatchBuffer`). */
export function lowerMatchBuffer(): Pass {
  return bodyPass("LowerMatchBuffer", lowerMatches);
}

function lowerMatches(body: Stmt): Stmt {
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
    const bind = (e: PrimExpr | undefined, value: PrimExpr): void => {
      if (e !== undefined && (e.kind === "tir.Var" || e.kind === "tir.SizeVar") && !values.has(e)) values.set(e, cast(e.dtype, value));
    };
    match.buffer.shape.forEach((e, i) => bind(e, at(source.region, i + dropped).extent));
    match.buffer.strides.forEach((e, i) => bind(e, at(strides, i + dropped)));
    bind(match.buffer.elemOffset, elementOffset(source.buffer, source.region.map((d) => d.min), strides));
  };
  return mapper.stmt(body);
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

import { isNode, makeIntImm, makePointerType, makePrimType, type AttrMap, type Node } from "@verticil/ir-core";
import { isInteger, tensor, zeros, type Tensor } from "@verticil/runtime-ffi";
import {
  CallArgs,
  isDict,
  isInt,
  isList,
  membersOf,
  ScriptFloat,
  ScriptFunction,
  ScriptNamespace,
  ScriptTensor,
  toAttrMap, toFunctionAttrs,
  type ScriptValue,
  type Site,
} from "@verticil/tvmscript";
import type { Buffer } from "../ir/buffer.ts";
import type { IterVarType, PrimExpr, Range, Var } from "../ir/expr.ts";
import { makeIterVar, makeVar } from "../ir/make-expr.ts";
import {
  makeAllocate,
  makeAllocateConst,
  makeAssertStmt,
  makeAttrStmt,
  makeBuffer,
  makeBufferRealize,
  makeBufferStore,
  makeDeclBuffer,
  makeEvaluate,
  makeLetStmt,
  makePrefetch,
  makeTargetNode,
  type BufferOptions,
} from "../ir/make-stmt.ts";
import { cast, constant } from "../ir/ops.ts";
import type { ForKind, Stmt } from "../ir/stmt.ts";
import { accessDType } from "../ir/make-expr.ts";
import {
  isBuffer,
  rangeFromTo,
  rangeOf,
  toBuffer,
  toCount,
  toDType,
  toExpr,
  toExprs,
  toIndex,
  toRegion,
  toStoreIndices,
  toText,
  toVar,
} from "./convert.ts";
import { attributeEntries, attributes, deviceMembers } from "./device-region.ts";
import { toRange } from "./member-exprs.ts";
import { offsetDType } from "./print-buffer.ts";
import {
  AxisValue,
  BlockFactValue,
  BlockValue,
  BranchValue,
  FuncAttrValue,
  InitValue,
  LoopValue,
  NewBuffer,
  ScopeValue,
  SliceValue,
  StmtValue,
} from "./values.ts";

type Member = (a: CallArgs, site: Site) => ScriptValue;

function isAbsent(v: ScriptValue): v is null | undefined {
  return v === undefined || v === null;
}

function annotationsOf(a: CallArgs, site: Site): AttrMap {
  const value = a.keywords.get("annotations");
  return isAbsent(value) ? {} : toAttrMap(value, site);
}

/** Main's `unroll=` of a loop: false for none, else how far. */
function unrolling(a: CallArgs, site: Site): AttrMap {
  const value = a.keywords.get("unroll");
  if (isAbsent(value) || site.ctx.spelling !== "main") return {};
  return value === false ? { disable_unroll: true } : toAttrMap(new Map([["pragma_unroll", value]]), site);
}

function loop(forKind: ForKind): Member {
  return (a, site) => {
    const start = a.need(0, "start", site);
    const second = a.get(1, "stop");
    // `T.thread_binding(n, "threadIdx.x")` leaves out the start.
    const isThread = forKind === "thread_binding" && typeof second === "string";
    const stop = isThread ? undefined : second;
    const dom = isAbsent(stop) ? rangeOf(toIndex(start, site)) : rangeFromTo(start, stop, site);
    checkRange(dom, site);
    const thread = forKind !== "thread_binding" ? undefined : isThread ? second : toText(a.need(2, "thread", site), site);
    return new LoopValue(forKind, [dom], { ...annotationsOf(a, site), ...unrolling(a, site) }, thread);
  };
}

function checkRange(dom: Range, site: Site): void {
  if (!isInteger(dom.min.dtype) || !isInteger(dom.extent.dtype)) site.fail("The ends of a range are whole numbers.");
}

function axis(iterType: IterVarType): Member {
  return (a, site) => {
    const value = a.get(1, "binding");
    const dtype = a.get(2, "dtype");
    const dom = toRange(a.need(0, "dom", site), site);
    checkRange(dom, site);
    return new AxisValue(
      iterType,
      dom,
      value === undefined ? undefined : toExpr(value, site, isInt(value) ? dom.extent.dtype : undefined),
      isAbsent(dtype) ? undefined : toDType(dtype, site),
    );
  };
}

function remap(a: CallArgs, site: Site): ScriptValue {
  const kinds = toText(a.need(0, "kinds", site), site);
  const values = toExprs(a.need(1, "bindings", site), site);
  if (kinds.length !== values.length) return site.fail(`\`${kinds}\` stands for ${kinds.length} axes, but there are ${values.length} values.`);
  const axes = values.map((v, i): AxisValue => {
    const kind = kinds[i];
    if (kind !== "S" && kind !== "R") return site.fail(`An axis is \`S\` or \`R\` here, not \`${kind ?? ""}\`.`);
    return new AxisValue(kind === "S" ? "kDataPar" : "kCommReduce", undefined, v, v.dtype);
  });
  return axes.length === 1 ? (axes[0] ?? null) : axes;
}

/** What declarations of buffers share; `skip` positional arguments come before the shape. */
function bufferMaker(a: CallArgs, skip: number, site: Site): (name: string) => Buffer {
  const shapeValue = a.need(skip, "shape", site);
  const shape = (isList(shapeValue) ? shapeValue : [shapeValue]).map((d) => toIndex(d, site));
  const get = (index: number, name: string): ScriptValue => a.get(skip + index, name);
  const dtypeValue = get(1, "dtype");
  const dtype = isAbsent(dtypeValue) ? "float32" : toDType(dtypeValue, site);
  const data = get(2, "data");
  const stridesValue = get(3, "strides");
  const strides = isAbsent(stridesValue) ? [] : (isList(stridesValue) ? stridesValue : [stridesValue]);
  const offset = get(4, "elem_offset");
  const scope = get(5, "scope");
  const align = get(6, "align");
  const factor = get(7, "offset_factor");
  const type = get(8, "buffer_type");
  const separators = get(9, "axis_separators");
  const factorCount = isAbsent(factor) ? 0 : toCount(factor, site);
  return (name) => {
    const opts: { -readonly [K in keyof BufferOptions]: BufferOptions[K] } = { span: site.span };
    if (!isAbsent(data)) opts.data = toPointer(data, site);
    if (!isAbsent(scope)) opts.scope = toText(scope, site);
    opts.strides = strides.map((s) => (typeof s === "string" ? makeVar(s) : toExpr(s, site)));
    // A plain zero is the default; a zero with a type is a zero that somebody put there.
    if (!isAbsent(offset) && offset !== 0) opts.elemOffset = toExpr(offset, site);
    else if (isAbsent(offset) && factorCount !== 0) opts.elemOffset = makeVar(`${name}_elem_offset`, offsetDType(shape));
    if (!isAbsent(align)) opts.dataAlignment = toCount(align, site) <= 0 ? 64 : toCount(align, site);
    if (factorCount > 1) opts.offsetFactor = factorCount;
    if (type === "auto" || type === "auto_broadcast") opts.bufferType = "auto_broadcast";
    if (!isAbsent(separators)) opts.axisSeparators = toExprs(separators, site);
    return makeBuffer(name, shape, dtype, opts);
  };
}

function toPointer(v: ScriptValue, site: Site): Var {
  const found = toVar(v, site);
  return found.kind === "tir.Var" ? found : site.fail("A buffer's data is a pointer.");
}

function matchBuffer(a: CallArgs, site: Site): ScriptValue {
  const source = a.need(0, "param", site);
  if (!isNode(source) && !(source instanceof SliceValue)) return site.fail("`T.match_buffer` takes a parameter or a part of a buffer.");
  if (!isAbsent(a.get(1, "shape"))) return new NewBuffer("matched", source, bufferMaker(a, 1, site));
  const isPart = source instanceof SliceValue || source.kind === "tir.BufferLoad" || source.kind === "tir.Buffer";
  if (!isPart) return site.fail("The shape of a parameter has to be given.");
  // A part says itself how large it is, and what it holds.
  const { buffer, region } = toRegion(source, site);
  const given = new CallArgs([], new Map([...a.keywords, ["shape", region.map((r) => r.extent)], ["dtype", buffer.dtype]]));
  return new NewBuffer("matched", source, bufferMaker(given, 0, site));
}

/** `T.decl_buffer`: with `data` a view of memory that exists, without it new memory too. */
function declBuffer(a: CallArgs, site: Site): ScriptValue {
  const make = bufferMaker(a, 0, site);
  const isView = !isAbsent(a.get(2, "data"));
  return new ScopeValue("a buffer's declaration", (name) => {
    const buffer = make(name ?? "buffer");
    return {
      value: buffer,
      close: (body) => {
        const decl = makeDeclBuffer(buffer, body, site.span);
        return isView ? decl : makeAllocate(buffer.data, buffer.dtype, buffer.shape, decl, { span: site.span });
      },
    };
  });
}

/** Main's short forms: a buffer in `scope`, by shape and type or, for a scalar, by type alone. */
function allocIn(scope: string, isScalar: boolean): Member {
  return (a, site) => {
    const args = isScalar ? [[1], ...a.args] : a.args;
    return declBuffer(new CallArgs(args, new Map([...a.keywords, ["scope", scope]])), site);
  };
}

function allocate(a: CallArgs, site: Site): ScriptValue {
  const extents = toExprs(a.need(0, "extents", site), site);
  const dtype = toDType(a.need(1, "dtype", site), site);
  const scope = toText(a.get(2, "scope") ?? "global", site);
  const condition = a.get(3, "condition");
  const annotations = annotationsOf(a, site);
  return new ScopeValue("an allocation", (name) => {
    const v = makeVar(name ?? "data", "handle", makePointerType(makePrimType(dtype), scope), site.span);
    return {
      value: v,
      close: (body) =>
        makeAllocate(v, dtype, extents, body, {
          annotations,
          span: site.span,
          ...(isAbsent(condition) ? {} : { condition: toExpr(condition, site) }),
        }),
    };
  });
}

function allocateConst(a: CallArgs, site: Site): ScriptValue {
  const source = a.need(0, "data", site);
  const dtype = toDType(a.need(1, "dtype", site), site);
  const extents = toExprs(a.need(2, "extents", site), site);
  const data = source instanceof ScriptTensor ? source.tensor : tensorFrom(source, dtype, extents, site);
  const annotations = annotationsOf(a, site);
  return new ScopeValue("a constant", (name) => {
    const v = makeVar(name ?? "data", "handle", makePointerType(makePrimType(dtype)), site.span);
    return { value: v, close: (body) => makeAllocateConst(v, dtype, extents, data, body, annotations) };
  });
}

function tensorFrom(source: ScriptValue, dtype: string, extents: readonly PrimExpr[], site: Site): Tensor {
  if (!isList(source)) return site.fail("The data of a constant is a list of numbers.");
  const shape = extents.map((e) => (e.kind === "ir.IntImm" ? Number(e.value) : site.fail("The extents of a constant are constant.")));
  const empty = zeros(dtype as Tensor["dtype"], shape);
  const { data } = empty;
  if (data.length !== source.length) return site.fail(`Shape [${shape.join(", ")}] takes ${data.length} elements, not ${source.length}.`);
  for (const [i, v] of source.entries()) {
    const number = v instanceof ScriptFloat ? v.value : isInt(v) ? v : typeof v === "boolean" ? Number(v) : site.fail("The data of a constant is a list of numbers.");
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = BigInt(number);
    else data[i] = Number(number);
  }
  return tensor(data, shape, empty.dtype);
}

function letStmt(a: CallArgs, site: Site): ScriptValue {
  const value = toExpr(a.need(0, "value", site), site);
  const type = a.get(1, "type_annotation");
  const given = a.keywords.get("var");
  return new ScopeValue("a binding", (name) => {
    const typed = isNode(type) && type.kind === "tir.Var" ? toPointer(type, site) : undefined;
    const bind = isAbsent(given) ? makeVar(name ?? "v", value.dtype, typed?.typeAnnotation, site.span) : toPointer(given, site);
    return { value: bind, close: (body) => makeLetStmt(bind, value, body, site.span) };
  });
}

function attr(a: CallArgs, site: Site): ScriptValue {
  const node = a.need(0, "node", site);
  if (site.ctx.spelling === "main" && isDict(node) && isAbsent(a.get(1, "attr_key"))) return attributes(attributeEntries(node, site), site);
  const target = isNode(node) ? (node as Node) : isDict(node) ? makeTargetNode(toAttrMap(node, site), site.span) : node === null ? undefined : toExpr(node, site);
  const key = toText(a.need(1, "attr_key", site), site);
  const value = toExpr(a.need(2, "value", site), site);
  return new ScopeValue("an attribute", () => ({ value: null, close: (body) => makeAttrStmt(target, key, value, body, site.span) }));
}

/** `T.realize(A[0:16], "scope", condition)`: an attribute with the scope, and in it the part in use. No scope, no attribute. */
function realize(a: CallArgs, site: Site): ScriptValue {
  const slice = a.need(0, "buffer_slice", site);
  if (isBuffer(slice)) return site.fail("A realization names a part of a buffer, not a buffer.", `All of it is \`${slice.name}[${slice.shape.map(() => ":").join(", ")}]\`.`);
  const { buffer, region } = toRegion(slice, site);
  const where = a.get(1, "storage_scope");
  const given = a.get(2, "condition");
  const condition = isAbsent(given) ? undefined : toExpr(given, site);
  const scope = isAbsent(where) ? undefined : toExpr(where, site);
  const close = (body: Stmt): Stmt => {
    const part = makeBufferRealize(buffer, region, body, condition, site.span);
    return scope === undefined ? part : makeAttrStmt(buffer, "realize_scope", scope, part, site.span);
  };
  return new ScopeValue("a realization", () => ({ value: null, close }));
}

function launchThread(a: CallArgs, site: Site): ScriptValue {
  const thread = a.need(0, "thread", site);
  const extent = toExpr(a.need(1, "extent", site), site);
  return new ScopeValue("a thread", (name) => {
    const given = isNode(thread) && thread.kind === "tir.IterVar" ? (thread as ReturnType<typeof makeIterVar>) : undefined;
    const tag = given?.threadTag ?? toText(thread, site);
    const v = given?.var ?? makeVar(name ?? "tx", "int32", undefined, site.span);
    const iterVar = makeIterVar(given?.dom ?? rangeOf(extent), v, "kThreadIndex", tag, site.span);
    const key = tag.startsWith("vthread") ? "virtual_thread" : "thread_extent";
    return { value: v, close: (body) => makeAttrStmt(iterVar, key, extent, body, site.span) };
  });
}

/** A store; the value is converted to the buffer's type. */
export function storeValue(buffer: Buffer, indices: readonly ScriptValue[], value: ScriptValue, predicate: ScriptValue, site: Site): StmtValue {
  const at = toStoreIndices(buffer, indices, site);
  const dtype = accessDType(buffer, at);
  const raw = toExpr(value, site, isInt(value) || value instanceof ScriptFloat ? buffer.dtype : undefined);
  const stored = raw.dtype === dtype ? raw : cast(dtype, raw);
  return new StmtValue(makeBufferStore(buffer, stored, at, isAbsent(predicate) ? undefined : toExpr(predicate, site), site.span));
}

function regions(fact: "reads" | "writes"): Member {
  return (a, site) => {
    const [first] = a.args;
    const list = a.args.length === 1 && isList(first) ? first : a.args;
    return new BlockFactValue({ fact, regions: list.map((r) => toRegion(r, site)) });
  };
}

const AXES: ReadonlyMap<string, ScriptValue> = new Map<string, ScriptValue>(
  (
    [
      ["spatial", axis("kDataPar")],
      ["S", axis("kDataPar")],
      ["reduce", axis("kCommReduce")],
      ["R", axis("kCommReduce")],
      ["scan", axis("kOrdered")],
      ["opaque", axis("kOpaque")],
      ["remap", remap],
    ] as const
  ).map(([name, f]) => [name, new ScriptFunction(`T.axis.${name}`, f)]),
);

const NAMED: Readonly<Record<string, Member>> = {
  serial: loop("serial"),
  parallel: loop("parallel"),
  vectorized: loop("vectorized"),
  unroll: loop("unrolled"),
  thread_binding: loop("thread_binding"),
  grid: (a, site) => new LoopValue("serial", a.args.map((e) => (isList(e) ? toRange(e, site) : rangeOf(toIndex(e, site))))),
  block: (a, site) => new BlockValue(toText(a.get(0, "name") ?? "", site), a.get(1, "no_realize") === true),
  init: () => new InitValue(),
  While: (a, site) => new BranchValue("while", toExpr(a.need(0, "condition", site), site)),
  If: (a, site) => new BranchValue("if", toExpr(a.need(0, "condition", site), site)),
  Then: () => new BranchValue("body", constant(1, "bool")),
  Else: () => new BranchValue("orelse", constant(1, "bool")),
  where: (a, site) => new BlockFactValue({ fact: "where", predicate: toExpr(a.need(0, "predicate", site), site) }),
  reads: regions("reads"),
  writes: regions("writes"),
  block_attr: (a, site) => new BlockFactValue({ fact: "attrs", attrs: toAttrMap(a.need(0, "attrs", site), site) }),
  func_attr: (a, site) => new FuncAttrValue(toFunctionAttrs(a.need(0, "attrs", site), site)),
  Buffer: (a, site) => new NewBuffer("declared", undefined, bufferMaker(a, 0, site)),
  buffer: (a, site) => new NewBuffer("declared", undefined, bufferMaker(a, 0, site)),
  buffer_decl: (a, site) => new NewBuffer("declared", undefined, bufferMaker(a, 0, site)),
  alloc_buffer: (a, site) => new NewBuffer("allocated", undefined, bufferMaker(a, 0, site)),
  match_buffer: matchBuffer,
  decl_buffer: declBuffer,
  alloc_local: allocIn("local", false),
  alloc_shared: allocIn("shared", false),
  local_scalar: allocIn("local", true),
  shared_scalar: allocIn("shared", true),
  allocate,
  allocate_const: allocateConst,
  LetStmt: letStmt,
  attr,
  realize,
  prefetch: (a, site) => {
    const bounds = a.need(1, "bounds", site);
    const list = isList(bounds) ? bounds : [bounds];
    return new StmtValue(makePrefetch(toBuffer(a.need(0, "buffer", site), site), list.map((r) => toRange(r, site)), site.span));
  },
  launch_thread: launchThread,
  env_thread: (a, site) => makeIterVar(undefined, makeVar("", toDType(a.get(1, "dtype") ?? "int32", site), undefined, site.span), "kThreadIndex", toText(a.need(0, "thread_tag", site), site), site.span),
  Assert: (a, site) => {
    const condition = toExpr(a.need(0, "condition", site), site);
    const message = toExpr(a.need(1, "message", site), site);
    return new ScopeValue("an assertion", () => ({ value: null, close: (body) => makeAssertStmt(condition, message, body, site.span) }));
  },
  evaluate: (a, site) => {
    const value = a.need(0, "value", site);
    return value instanceof StmtValue ? value : new StmtValue(makeEvaluate(typeof value === "string" ? makeIntImm(0) : toExpr(value, site), site.span));
  },
  buffer_store: (a, site) => {
    const at = a.need(2, "indices", site);
    return storeValue(toBuffer(a.need(0, "buffer", site), site), isList(at) ? at : [at], a.need(1, "value", site), a.get(3, "predicate"), site);
  },
};

/** The members that make statements, by name. */
export function stmtMembers(): ReadonlyMap<string, ScriptValue> {
  const out = new Map<string, ScriptValue>([["axis", new ScriptNamespace("T.axis", membersOf(AXES))]]);
  for (const [name, member] of [...Object.entries(NAMED), ...deviceMembers]) out.set(name, new ScriptFunction(`T.${name}`, member));
  return out;
}

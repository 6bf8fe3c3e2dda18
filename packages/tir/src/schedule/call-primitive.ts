import { isNode, makeFloatImm, makeIntImm } from "@verticil/ir-core";
import { isFloat, isInteger, type DType } from "@verticil/runtime-ffi";
import type { Buffer } from "../ir/buffer.ts";
import type { PrimExpr, Var } from "../ir/expr.ts";
import { makeIndexMap } from "../ir/make-stmt.ts";
import { add, constant } from "../ir/ops.ts";
import { makeVar } from "../ir/make-expr.ts";
import { isPrimExpr } from "../script/result-dtype.ts";
import type { Block, IndexMap } from "../ir/stmt.ts";
import { resolveBuffer, type BufferRef } from "./buffer-ref.ts";
import { axisSeparator, defaultIndexType, type IndexFunction } from "./index-function.ts";
import { isIndexMap } from "./instruction-args.ts";
import type { AnnotationValue } from "./primitive/annotate.ts";
import { isBlockRV, isLoopRV, type BlockRV, type LoopRV, type RandomVariable } from "./random-variable.ts";
import type { BlockRef, FactorRef } from "./schedule-run.ts";
import type { Schedule } from "./schedule.ts";
import { PyCallable, PyFloat, wantBool, wantInt, wantList, wantString, type PyValue } from "./script-value.ts";
import { ScheduleScriptError } from "./script-error.ts";

/** The arguments of a primitive by upstream's names, of whatever type a script or a trace has. */
export type LooseArgs = ReadonlyMap<string, PyValue>;

/**
 * Calls the primitive with upstream's name for its instruction kind. A decision goes to sampling primitives.
 * @throws ScheduleScriptError if an argument is of the wrong sort; what the primitive throws goes through.
 */
export function callPrimitive(sch: Schedule, kind: string, args: LooseArgs): readonly RandomVariable[] {
  const int = (name: string): number => wantInt(args.get(name), `\`${name}\``);
  const text = (name: string): string => wantString(args.get(name), `\`${name}\``);
  const bool = (name: string): boolean => wantBool(args.get(name), `\`${name}\``);
  const ints = (name: string): readonly number[] => wantList(args.get(name), `\`${name}\``).map((x) => wantInt(x, `\`${name}\``));
  const loop = (name = "loop"): LoopRV => wantLoop(args.get(name), name);
  const block = (name = "block"): BlockRef => wantBlock(args.get(name), name);
  const loops = (name: string): readonly LoopRV[] => wantList(args.get(name), `\`${name}\``).map((x) => wantLoop(x, name));
  const blocks = (name: string): readonly BlockRef[] => asList(args.get(name)).map((x) => wantBlock(x, name));
  const factors = (): readonly FactorRef[] => wantList(args.get("factors"), "`factors`").map(wantFactor);
  const buffer = (name = "buffer"): BufferRef => wantBuffer(args.get(name), name);
  const site = (): BlockRef | LoopRV => {
    const v = args.get("block_or_loop");
    return isLoopRV(v) ? v : wantBlock(v, "block_or_loop");
  };
  const blockOf = (): Block => sch.get(rvOf(sch, block())).block;
  const tile = (): readonly number[] | undefined => (isNone(args.get("decision")) ? undefined : ints("decision"));
  const choice = (): number | undefined => (isNone(args.get("decision")) ? undefined : int("decision"));
  const unit = { get preserveUnitIters() { return bool("preserve_unit_iters"); } };
  switch (kind) {
    case "SampleCategorical":
      return [sch.sampleCategorical(ints("candidates"), wantList(args.get("probs"), "`probs`").map(wantNumber), choice())];
    case "SamplePerfectTile":
      return sch.samplePerfectTile(loop(), int("n"), int("max_innermost_factor"), tile());
    case "SamplePartitionedTile":
      return sch.samplePartitionedTile(loop(), int("n"), int("partition_pos"), int("innerpart_factor"), tile());
    case "SampleComputeLocation":
      return [sch.sampleComputeLocation(block(), choice())];
    case "GetBlock":
      return [isNone(args.get("func_name")) ? sch.getBlock(text("name")) : sch.getBlock(text("name"), text("func_name"))];
    case "GetLoops":
      return sch.getLoops(block());
    case "GetChildBlocks":
      return sch.getChildBlocks(site());
    case "GetProducers":
      return sch.getProducers(block());
    case "GetConsumers":
      return sch.getConsumers(block());
    case "GetOutputBlocks":
      return sch.getOutputBlocks(block("scope_block"));
    case "Merge":
      return [sch.merge(loops("loops"))];
    case "Fuse":
      return [sch.fuse(loops("loops"), { preserveUnitIters: unit.preserveUnitIters })];
    case "Split":
      return sch.split(loop(), factors(), { preserveUnitIters: unit.preserveUnitIters, disablePredication: bool("disable_predication") });
    case "LoopPartition":
      return sch.loopPartition(loop(), factors(), { preserveUnitIters: unit.preserveUnitIters });
    case "Reorder":
      return run(() => sch.reorder(loops("ordered_loops")));
    case "ReorderBlockIterVar":
      return run(() => sch.reorderBlockIterVar(block(), ints("new_order")));
    case "AddUnitLoop":
      return [sch.addUnitLoop(site())];
    case "Parallel":
      return run(() => sch.parallel(loop()));
    case "Vectorize":
      return run(() => sch.vectorize(loop()));
    case "Bind":
      return run(() => sch.bind(loop(), text("thread_axis")));
    case "Unroll":
      return run(() => sch.unroll(loop()));
    case "CacheRead":
      return [sch.cacheRead(block(), buffer("read_buffer_index"), text("storage_scope"), blocks("consumer_blocks"))];
    case "CacheWrite":
      return [sch.cacheWrite(block(), buffer("write_buffer_index"), text("storage_scope"), blocks("consumer_blocks"))];
    case "ReindexCacheRead":
      return [sch.reindexCacheRead(block(), int("read_buffer_index"), text("storage_scope"), indexFunction(args.get("index_map"), undefined, defaultIndexType(blockOf())))];
    case "ReindexCacheWrite":
      return [sch.reindexCacheWrite(block(), int("write_buffer_index"), text("storage_scope"), indexFunction(args.get("index_map"), undefined, defaultIndexType(blockOf())))];
    case "CacheInplace":
      return sch.cacheInplace(block(), buffer("read_buffer_index"), text("storage_scope"));
    case "CacheIndex":
      return sch.cacheIndex(block(), text("storage_scope"), int("cse_thresh"));
    case "ReIndex":
      return [sch.reindex(block(), buffer())];
    case "ReadAt":
      return [sch.readAt(loop(), rvOf(sch, block()), int("read_buffer_index"), text("storage_scope"))];
    case "WriteAt":
      return [sch.writeAt(loop(), rvOf(sch, block()), int("write_buffer_index"), text("storage_scope"))];
    case "ComputeAt":
      return run(() => sch.computeAt(block(), loop(), { preserveUnitLoops: bool("preserve_unit_loops"), index: int("index") }));
    case "ReverseComputeAt":
      return run(() => sch.reverseComputeAt(block(), loop(), { preserveUnitLoops: bool("preserve_unit_loops"), index: int("index") }));
    case "ComputeInline":
      return run(() => sch.computeInline(block()));
    case "ReverseComputeInline":
      return run(() => sch.reverseComputeInline(block()));
    case "DecomposeReduction":
      return [sch.decomposeReduction(block(), loop())];
    case "RFactor":
      return [sch.rfactor(loop(), int("factor_axis"))];
    case "StorageAlign":
      return run(() => sch.storageAlign(block(), int("buffer_index"), int("axis"), int("factor"), int("offset")));
    case "SetScope":
      return run(() => sch.setScope(block(), buffer("buffer_index"), text("storage_scope")));
    case "UnsafeSetDType":
      return run(() => sch.unsafeSetDType(block(), int("buffer_index"), text("dtype")));
    case "Blockize": {
      const target = args.get("target");
      const what = isLoopRV(target) ? target : asList(target).map((b) => rvOf(sch, wantBlock(b, "target")));
      return [sch.blockize(what, { preserveUnitIters: unit.preserveUnitIters })];
    }
    case "Tensorize":
      return run(() => sch.tensorize(site(), text("tensor_intrin"), { preserveUnitIters: unit.preserveUnitIters }));
    case "Annotate":
      return run(() => sch.annotate(site(), text("ann_key"), annotationOf(args.get("ann_val"))));
    case "Unannotate":
      return run(() => sch.unannotate(site(), text("ann_key")));
    case "TransformLayout": {
      const target = resolveBuffer(blockOf(), buffer(), undefined).buffer;
      const dtype = defaultIndexType(blockOf());
      const map = indexFunction(args.get("index_map"), target.shape.length, dtype);
      const pad = args.get("pad_value");
      const padValue = isNone(pad) ? undefined : padOf(pad, target);
      return run(() => sch.transformLayout(block(), buffer(), map, { padValue, assumeInjectiveTransform: bool("assume_injective_transform") }));
    }
    case "TransformBlockLayout": {
      const { iterVars } = blockOf();
      return run(() => sch.transformBlockLayout(block(), indexFunction(args.get("index_map"), iterVars.length, defaultIndexType(blockOf()))));
    }
    case "SetAxisSeparator":
      return run(() => sch.setAxisSeparator(block(), buffer(), ints("axis_separators")));
    case "DecomposePadding":
      return [sch.decomposePadding(block(), loop())];
    case "PadEinsum":
      return run(() => sch.padEinsum(block(), ints("padding")));
    case "RollingBuffer":
      return run(() => sch.rollingBuffer(block(), int("write_buffer_index")));
    case "EnterPostproc":
      return run(() => sch.enterPostproc());
    case "UnsafeHideBufferAccess":
      return run(() => sch.unsafeHideBufferAccess(block(), text("buf_type"), ints("buf_index_array")));
    case "AnnotateBufferAccess":
      return run(() => sch.annotateBufferAccess(block(), int("buffer_index"), sideOf(text("buf_type")), rangesOf(args.get("gen_new_ranges"), blockOf())));
    default:
      throw new ScheduleScriptError(`there is no primitive \`${kind}\``);
  }
}

function run(act: () => void): readonly RandomVariable[] {
  act();
  return [];
}

function rvOf(sch: Schedule, ref: BlockRef): BlockRV {
  return typeof ref === "string" ? sch.getBlock(ref) : ref;
}

function isNone(v: PyValue): v is null | undefined {
  return v === null || v === undefined;
}

function asList(v: PyValue): readonly PyValue[] {
  if (isNone(v)) return [];
  return Array.isArray(v) ? (v as readonly PyValue[]) : [v];
}

function wantLoop(v: PyValue, name: string): LoopRV {
  return isLoopRV(v) ? v : fail(`\`${name}\` must be a loop`);
}

function wantBlock(v: PyValue, name: string): BlockRef {
  return isBlockRV(v) || typeof v === "string" ? v : fail(`\`${name}\` must be a block`);
}

function wantBuffer(v: PyValue, name: string): BufferRef {
  if (typeof v === "number" || typeof v === "string") return v;
  if (isNode(v) && v.kind === "tir.Buffer") return v as Buffer;
  if (Array.isArray(v) && v.length === 2 && (v[0] === "read" || v[0] === "write")) return [v[0], wantInt(v[1], `\`${name}\``)];
  return fail(`\`${name}\` must be a buffer: a number, a name or ("read" or "write", number)`);
}

function wantFactor(v: PyValue): FactorRef {
  if (isNone(v)) return undefined;
  if (typeof v === "number") return v;
  return isNode(v) && isPrimExpr(v) ? v : fail("a factor must be an integer or None");
}

function wantNumber(v: PyValue): number {
  if (typeof v === "number") return v;
  if (v instanceof PyFloat) return v.value;
  return isNode(v) && v.kind === "ir.FloatImm" && "value" in v && typeof v.value === "number" ? v.value : fail("a number is needed");
}

function sideOf(side: string): "read" | "write" {
  return side === "read" || side === "write" ? side : fail('`buf_type` must be "read" or "write"');
}

function fail(message: string): never {
  throw new ScheduleScriptError(message);
}

function annotationOf(v: PyValue): AnnotationValue {
  if (v instanceof PyFloat) return v.value;
  if (Array.isArray(v)) return v.map(annotationOf);
  if (v instanceof Map) return Object.fromEntries([...(v as Map<PyValue, PyValue>)].map(([k, x]) => [String(k), annotationOf(x)]));
  if (typeof v === "object" && v !== null && "dict" in v) return v.dict as AnnotationValue;
  return v as AnnotationValue;
}

/** A function of a script as a map; its named parameters after `*rest` come last. */
function indexFunction(v: PyValue, ndim: number | undefined, dtype: DType): IndexFunction {
  if (isIndexMap(v)) return v;
  if (!(v instanceof PyCallable)) return fail("an index map must be a function");
  const rest = v.params.findIndex((p) => p.startsWith("*"));
  const n = rest < 0 ? v.params.length : (ndim ?? v.params.length - 1);
  if (ndim !== undefined && rest < 0 && ndim !== n) return fail(`the index map takes ${n} indices where there are ${ndim}`);
  const named = rest < 0 ? [] : v.params.slice(rest + 1);
  const f = (...vars: Var[]): ReturnType<Exclude<IndexFunction, IndexMap>> => {
    const positional = vars.slice(0, n - named.length);
    const result = v.call(positional, new Map(named.map((p, i) => [p, vars[n - named.length + i]])));
    const list = Array.isArray(result) ? (result as PyValue[]) : [result];
    return list.map((e) => (e === axisSeparator ? axisSeparator : exprOf(e, dtype)));
  };
  Object.defineProperty(f, "length", { value: n });
  return f;
}

function exprOf(e: PyValue, dtype: DType): PrimExpr {
  if (typeof e === "number") return constant(e, dtype);
  return isNode(e) && isPrimExpr(e) ? e : fail("an index must be an expression");
}

/** A constant takes the type of the buffer where the two agree on integer or float. */
function padOf(v: PyValue, buffer: Buffer): PrimExpr | IndexFunction {
  if (isIndexMap(v)) return v;
  if (v instanceof PyCallable) {
    return (...vars: Var[]): readonly PrimExpr[] => [padValueOf(v.call(vars, new Map()), buffer)];
  }
  return padValueOf(v, buffer);
}

function padValueOf(v: PyValue, buffer: Buffer): PrimExpr {
  // In traces the value is a tuple of one.
  if (Array.isArray(v) && v.length === 1) return padValueOf((v as readonly PyValue[])[0], buffer);
  if (typeof v === "number") return makeIntImm(v, isInteger(buffer.dtype) ? buffer.dtype : "int32");
  if (v instanceof PyFloat) return makeFloatImm(v.value, isFloat(buffer.dtype) ? buffer.dtype : "float32");
  return isNode(v) && isPrimExpr(v) ? v : fail("a pad value must be a number or a function");
}

/** A function from a block's variables to a (begin, end) pair or a single index for each dimension, as an index map. */
function rangesOf(v: PyValue, block: Block): IndexMap {
  if (isIndexMap(v)) return v;
  if (!(v instanceof PyCallable)) return fail("`gen_new_ranges` must be a function");
  const vars = block.iterVars.map((iv) => makeVar(iv.var.name, iv.var.dtype));
  const specs = wantList(v.call(vars, new Map()), "`gen_new_ranges`");
  if (specs.length !== vars.length) return fail(`the block has ${vars.length} variables, the function gives ${specs.length} ranges`);
  const dtype = defaultIndexType(block);
  const finals = specs.flatMap((s) => {
    if (!Array.isArray(s)) return [exprOf(s, dtype), add(exprOf(s, dtype), 1)];
    if (s.length !== 2) return fail("a range is a pair (begin, end)");
    return [exprOf(s[0], dtype), exprOf(s[1], dtype)];
  });
  return makeIndexMap(vars, finals);
}

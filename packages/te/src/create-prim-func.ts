import { at, type AttrMap, type AttrValue, type Node } from "@verticil/ir-core";
import {
  Analyzer,
  constant,
  makeBlock,
  makeBlockRealize,
  makeBuffer,
  makeBufferLoad,
  makeBufferRegion,
  makeBufferStore,
  makeFor,
  makeIterVar,
  makeLetStmt,
  makePrimFunc,
  makeRange,
  makeSeq,
  makeVar,
  mapExpr,
  replaceBuffers,
  substitute,
  undefinedVars,
  visitExpr,
  withIndexDType,
  type AnyVar,
  type Buffer,
  type IterVar,
  type PrimExpr,
  type PrimFunc,
  type Reduce,
  type Stmt,
  type Var,
} from "@verticil/tir";
import { blockRegions } from "./block-regions.ts";
import { isTensor, type ComputeOp, type ExternOp, type Operation, type Tensor } from "./tensor.ts";

/** An expression, simplified before it is stored in a block. */
export type Simplify = (e: PrimExpr) => PrimExpr;

function analyzed(): Simplify {
  const analyzer = new Analyzer();
  return (e) => analyzer.simplify(e);
}

/** What `createPrimFunc` may be told beyond the tensors. */
export interface CreatePrimFuncOptions {
  /** Symbolic variables that the caller passes as scalars after the tensors. */
  readonly tirVars?: readonly AnyVar[];
  /** The attribute `global_symbol`; none unless told, so that the function is private to its module. */
  readonly globalSymbol?: string;
  /** Simplifies extents and what is stored in blocks; an analyzer's simplifier unless told. */
  readonly simplify?: Simplify;
  /** The type of all indices, loops and shapes; that of the tensors' dimensions unless told (upstream's `index_dtype_override`). */
  readonly indexDType?: "int32" | "int64" | undefined;
}

/**
 * A tensor program that computes the outputs among `args` from the placeholders and scalar variables among them, in that
 * order (upstream's `create_prim_func`): a block a computation, in order of their dependence, and a buffer at the root for each tensor
 * that is not an argument. Symbolic variables of the shapes are renewed: the program shares none with the caller.
 * @throws RangeError if a tensor depends on a placeholder that is not among `args`.
 */
export function createPrimFunc(args: readonly (Tensor | AnyVar)[], opts: CreatePrimFuncOptions = {}): PrimFunc {
  const tensors = args.filter(isTensor);
  const scalars = args.flatMap((a) => (isTensor(a) ? [] : [a]));
  const builder = new Builder(tensors, opts.simplify ?? analyzed(), freshVars(tensors, [...scalars, ...(opts.tirVars ?? [])]));
  const stmts = orderedOps(tensors).flatMap((op) => builder.lower(op));
  const params: Var[] = [];
  const bufferMap = new Map<Var, Buffer>();
  for (const arg of args) {
    if (!isTensor(arg)) {
      params.push(builder.renamed(arg));
      continue;
    }
    const param = makeVar(`var_${arg.name}`, "handle");
    params.push(param);
    bufferMap.set(param, builder.bufferOf(arg));
  }
  for (const v of opts.tirVars ?? []) params.push(builder.renamed(v));
  const root = makeBlock("root", [], [], [], makeSeq(stmts), { allocBuffers: builder.allocated });
  const symbol: AttrMap = opts.globalSymbol === undefined ? {} : { global_symbol: opts.globalSymbol };
  const func = makePrimFunc(params, makeBlockRealize([], constant(true, "bool"), root), {
    bufferMap,
    attrs: { ...symbol, "tir.noalias": true },
  });
  return opts.indexDType === undefined ? func : withIndexDType(func, opts.indexDType);
}

/** The tensors that an operation reads, in order of appearance. */
export function inputTensors(op: Operation): readonly Tensor[] {
  if (op.kind === "placeholder") return [];
  if (op.kind === "extern") return op.inputs;
  const found = new Set<Tensor>();
  const collect = (e: PrimExpr): void =>
    visitExpr(e, (x) => {
      if (x.kind === "tir.ProducerLoad" && isTensor(x.producer)) found.add(x.producer);
    });
  op.body.forEach(collect);
  return [...found];
}

/** All operations that the tensors depend on, each after its inputs. */
function orderedOps(args: readonly Tensor[]): readonly Operation[] {
  const done = new Set<Operation>();
  const visit = (op: Operation): void => {
    if (done.has(op)) return;
    for (const t of inputTensors(op)) visit(t.op);
    done.add(op);
  };
  for (const t of args) visit(t.op);
  return [...done];
}

/** A new variable for each symbolic one in the arguments' shapes and each scalar parameter. */
function freshVars(args: readonly Tensor[], scalars: readonly AnyVar[]): ReadonlyMap<AnyVar, Var> {
  const map = new Map<AnyVar, Var>();
  const renew = (v: AnyVar): void => {
    if (!map.has(v)) map.set(v, makeVar(v.name, v.dtype));
  };
  for (const t of args) for (const d of t.shape) undefinedVars(d).forEach(renew);
  scalars.forEach(renew);
  return map;
}

class Builder {
  readonly allocated: Buffer[] = [];
  readonly #buffers = new Map<Operation, Buffer[]>();
  readonly #args: ReadonlySet<Operation>;
  readonly #argTensors: ReadonlySet<Tensor>;
  readonly #argKeys: ReadonlySet<string>;
  readonly #opIds = new Map<Operation, number>();
  readonly #names = new Map<string, number>();
  readonly #simplify: Simplify;
  readonly #vars: ReadonlyMap<AnyVar, Var>;

  constructor(args: readonly Tensor[], simplify: Simplify, vars: ReadonlyMap<AnyVar, Var>) {
    this.#argTensors = new Set(args);
    this.#args = new Set(args.map((a) => a.op));
    this.#simplify = simplify;
    this.#vars = vars;
    this.#argKeys = new Set(args.map((a) => this.#key(a.op, a.valueIndex)));
    for (const a of this.#argTensors) {
      if (a.op.kind === "placeholder") this.#buffers.set(a.op, [this.#declare(a.name, a.shape, a)]);
    }
  }

  /** A tensor is known by its operation and number: two handles of one output are the same. */
  #key(op: Operation, index: number): string {
    const id = this.#opIds.get(op) ?? this.#opIds.size;
    this.#opIds.set(op, id);
    return `${id}.${index}`;
  }

  renamed(v: AnyVar): Var {
    return this.#vars.get(v) ?? makeVar(v.name, v.dtype);
  }

  bufferOf(tensor: Tensor): Buffer {
    const buffer = this.#buffers.get(tensor.op)?.[tensor.valueIndex];
    if (buffer === undefined) throw new RangeError(`The placeholder \`${tensor.name}\` is not among the arguments.`);
    return buffer;
  }

  lower(op: Operation): readonly Stmt[] {
    switch (op.kind) {
      case "placeholder":
        if (!this.#args.has(op)) throw new RangeError(`The placeholder \`${op.name}\` is not among the arguments.`);
        return [];
      case "compute":
        return [this.#lowerCompute(op)];
      case "extern":
        return [this.#lowerExtern(op)];
    }
  }

  #declare(name: string, shape: readonly PrimExpr[], like: { readonly dtype: Tensor["dtype"] }): Buffer {
    return makeBuffer(name, shape.map((d) => substitute(d, this.#vars)), like.dtype);
  }

  #blockName(name: string): string {
    const count = this.#names.get(name);
    this.#names.set(name, (count ?? 0) + 1);
    return count === undefined ? name : `${name}_${count}`;
  }

  /** Loads of tensors become loads of buffers, symbolic variables the program's own. */
  #expr(e: PrimExpr, vars: ReadonlyMap<AnyVar, PrimExpr>): PrimExpr {
    const loads = mapExpr(e, (x) =>
      x.kind === "tir.ProducerLoad" && isTensor(x.producer) ? makeBufferLoad(this.bufferOf(x.producer), x.indices) : x,
    );
    return substitute(loads, (v) => vars.get(v) ?? this.#vars.get(v));
  }

  #outputs(op: ComputeOp): readonly Buffer[] {
    const shape = op.axis.map((a) => a.dom?.extent ?? constant(1, "int64"));
    const buffers = op.body.map((b, i) => {
      const name = op.body.length > 1 ? `${op.name}_v${i}` : op.name;
      const buffer = makeBuffer(name, shape.map((d) => substitute(d, this.#vars)), b.dtype);
      if (!this.#argKeys.has(this.#key(op, i))) this.allocated.push(buffer);
      return buffer;
    });
    this.#buffers.set(op, buffers);
    return buffers;
  }

  #lowerCompute(op: ComputeOp): Stmt {
    const buffers = this.#outputs(op);
    const first = at(op.body, 0);
    const nest = new LoopNest([...op.axis, ...(first.kind === "tir.Reduce" ? first.axis : [])], (e) =>
      this.#simplify(substitute(e, this.#vars)),
    );
    const indices = op.axis.map((a) => nest.blockVar(a));
    const code = first.kind === "tir.Reduce" ? this.#reduction(op, buffers, indices, nest) : this.#parallel(op, buffers, indices, nest);
    const { reads, writes } = blockRegions(code.body, code.init);
    const block = makeBlock(this.#blockName(op.name), nest.iterVars, reads, writes, code.body, {
      init: code.init,
      annotations: this.#annotations(op.attrs),
    });
    return nest.wrap(makeBlockRealize(nest.bindings, constant(true, "bool"), block));
  }

  #parallel(op: ComputeOp, buffers: readonly Buffer[], indices: readonly PrimExpr[], nest: LoopNest): BlockCode {
    const stores = op.body.map((b, i) => makeBufferStore(at(buffers, i), this.#simplify(this.#expr(b, nest.vars)), indices));
    return { body: makeSeq(stores), init: undefined };
  }

  #reduction(op: ComputeOp, buffers: readonly Buffer[], indices: readonly PrimExpr[], nest: LoopNest): BlockCode {
    const reduce = asReduce(at(op.body, 0));
    op.body.forEach((b) => {
      if (asReduce(b).combiner !== reduce.combiner) throw new TypeError(`\`${op.name}\` mixes reductions.`);
    });
    const init = makeSeq(
      buffers.map((b, i) => makeBufferStore(b, this.#expr(at(reduce.combiner.identityElement, i), nest.vars), indices)),
    );
    const values = new Map<AnyVar, PrimExpr>();
    buffers.forEach((b, i) => {
      values.set(at(reduce.combiner.lhs, i), makeBufferLoad(b, indices));
      values.set(at(reduce.combiner.rhs, i), this.#simplify(this.#expr(at(reduce.source, i), nest.vars)));
    });
    const combined = reduce.combiner.result.map((r) => substitute(r, values));
    const [only] = combined;
    if (combined.length === 1 && only !== undefined) return { init, body: makeBufferStore(at(buffers, 0), only, indices) };
    // All results are computed before any is stored: they read each other.
    const temps = buffers.map((b) => makeVar(`v_${b.name}`, b.dtype));
    const stores = makeSeq(buffers.map((b, i) => makeBufferStore(b, at(temps, i), indices)));
    const body = combined.reduceRight<Stmt>((inner, value, i) => makeLetStmt(at(temps, i), value, inner), stores);
    return { init, body };
  }

  #lowerExtern(op: ExternOp): Stmt {
    const map = new Map<Buffer, Buffer>();
    op.inputs.forEach((t, i) => map.set(at(op.inputBuffers, i), this.bufferOf(t)));
    const outputs = op.outputBuffers.map((b, i) => {
      const own = makeBuffer(b.name, b.shape.map((d) => substitute(d, this.#vars)), b.dtype);
      if (!this.#argKeys.has(this.#key(op, i))) this.allocated.push(own);
      map.set(b, own);
      return own;
    });
    this.#buffers.set(op, outputs);
    const scratch = op.scratch.map((b) => {
      const own = makeBuffer(b.name, b.shape.map((d) => substitute(d, this.#vars)), b.dtype);
      map.set(b, own);
      return own;
    });
    const body = substitute(replaceBuffers(op.body, map), this.#vars);
    const inputs = [...new Set(op.inputs.map((t) => this.bufferOf(t)))];
    const block = makeBlock(this.#blockName(op.name), [], inputs.map(wholeRegion), outputs.map(wholeRegion), body, {
      allocBuffers: scratch,
      annotations: this.#annotations(op.attrs),
    });
    return makeBlockRealize([], constant(true, "bool"), block);
  }

  #annotations(attrs: AttrMap): AttrMap {
    const buffer = (value: AttrValue): AttrValue => {
      if (isTensor(value)) return this.bufferOf(value);
      return Array.isArray(value) ? value.map(buffer) : value;
    };
    return Object.fromEntries(Object.entries(attrs).map(([k, v]) => [k, v === undefined ? v : buffer(v)]));
  }
}

interface BlockCode {
  readonly body: Stmt;
  readonly init: Stmt | undefined;
}

function asReduce(e: PrimExpr): Reduce {
  if (e.kind !== "tir.Reduce") throw new TypeError("A computation of several values is all reductions or none.");
  return e;
}

function wholeRegion(buffer: Buffer): Node & ReturnType<typeof makeBufferRegion> {
  return makeBufferRegion(buffer, buffer.shape.map((d) => makeRange(constant(0, d.dtype), d)));
}

/** The loops around one block and the block's variables, one of each an axis. */
class LoopNest {
  readonly iterVars: readonly IterVar[];
  readonly bindings: readonly PrimExpr[];
  readonly vars: ReadonlyMap<AnyVar, PrimExpr>;
  readonly #loops: readonly { readonly loopVar: Var; readonly min: PrimExpr; readonly extent: PrimExpr }[];

  constructor(axes: readonly IterVar[], domain: Simplify) {
    const loops = axes.map((axis) => {
      const dom = axis.dom;
      if (dom === undefined) throw new RangeError(`The axis \`${axis.var.name}\` has no domain.`);
      return { loopVar: makeVar(axis.var.name, axis.var.dtype), min: domain(dom.min), extent: domain(dom.extent) };
    });
    this.#loops = loops;
    const vars = axes.map((axis) => makeVar(`v_${axis.var.name}`, axis.var.dtype));
    this.vars = new Map(axes.map((axis, i) => [axis.var, at(vars, i)]));
    const iters = axes.map((axis, i) => makeIterVar(makeRange(at(loops, i).min, at(loops, i).extent), at(vars, i), axis.iterType));
    // A block without axes gets one of extent 1, as upstream's.
    this.iterVars = iters.length > 0 ? iters : [unitIter()];
    this.bindings = loops.length > 0 ? loops.map((l) => l.loopVar) : [constant(0, "int64")];
  }

  blockVar(axis: IterVar): PrimExpr {
    return this.vars.get(axis.var) ?? axis.var;
  }

  wrap(body: Stmt): Stmt {
    return this.#loops.reduceRight<Stmt>((inner, l) => makeFor(l.loopVar, l.min, l.extent, inner), body);
  }
}

function unitIter(): IterVar {
  return makeIterVar(makeRange(constant(0, "int32"), constant(1, "int32")), makeVar("vi", "int32"), "kDataPar");
}

import { describeAny, isTensor, isTuple, shapeValue, type Any, type CallContext, type Functions, type OwnedTensor, type PackedFunction } from "../any.ts";
import type { ScalarDType } from "../dtype.ts";
import { FfiError } from "../ffi-error.ts";
import type { WasmMemory } from "../host.ts";
import { tensorBytes, type Tensor } from "../tensor.ts";
import { dtypeAt, isTrue, shapeAt, tensorAt } from "./arguments.ts";
import { vmBuiltins } from "./builtins.ts";
import type { VmBytecodeFunction, VmConstant, VmExecutable, VmKernelFunction, VmOperand } from "./executable.ts";
import { LinearMemory } from "./linear-memory.ts";
import { runLoop } from "./run-loop.ts";
import { forEachStorage, tensorSize, VmStorage, VmTensor } from "./storage.ts";

/** Compiled code: takes addresses and scalars. */
export type Kernel = (...args: readonly (number | bigint)[]) => unknown;

/** What a machine runs on. */
export interface VmHost {
  readonly memory: WasmMemory;
  /** The machine uses the memory from here on. */
  readonly base: number;
  /** Compiled code by name. A kernel that is not here is looked for among `functions`, and called with tensors. */
  readonly kernels: Readonly<Record<string, Kernel | undefined>>;
  /** The constant tensors, by name. They are copied into the memory. */
  readonly constants: ReadonlyMap<string, Tensor>;
  /** Functions of the host, by name. */
  readonly functions?: Functions;
  /** Code of functions of the program, by name: runs in place of their instructions (upstream's `exec_mode="compiled"`). */
  readonly compiled?: Readonly<Record<string, VmCompiledFunction | undefined>>;
  /** Where the compiled code keeps the end of its stack: put back after a call of it that failed. */
  readonly stackPointer?: { value: number } | undefined;
}

/** What the code of a function works on: its registers, and the constants and functions of the program by number. */
export interface VmFrame {
  register(index: number): Any;
  constant(index: number): Any;
  function(index: number): Any;
  /** Calls a function, keeps its result in a register unless that is -1, and gives it. */
  call(dst: number, func: number, args: readonly Any[]): Any;
}

/** A function of a program as code; its arguments are in the first registers. Gives its result. */
export type VmCompiledFunction = (frame: VmFrame) => Any;

/** A call, as an instrument sees it: before it is made, and after. */
export interface VmCallEvent {
  readonly when: "before" | "after";
  readonly name: string;
  readonly args: readonly Any[];
  readonly result: Any;
}

/** Sees the calls that a machine makes; `"skip"`, answered before a call, leaves it out and its register as it was. */
export type VmInstrument = (event: VmCallEvent) => "skip" | undefined;

/**
 * Runs a program. Its tensors lie in one memory, that of the compiled code, and are freed when the program lets go of
 * them. A machine runs one call at a time.
 */
export class VirtualMachine {
  readonly executable: VmExecutable;
  readonly memory: LinearMemory;
  readonly #host: VmHost;
  readonly #constants: readonly Any[];
  readonly #functions: readonly PackedFunction[];
  /** False for functions that leave nothing behind but their result: they need no scope. */
  readonly #scoped: readonly boolean[];
  readonly #ctx: CallContext;
  /** Storages made during the call of a function of the host; those that nothing refers to are freed after it. */
  #fresh: VmStorage[] = [];
  #instrument: VmInstrument | undefined;
  #disposed = false;

  /** @throws FfiError `unsupported` that lists the functions of the host that the program needs and does not have. */
  constructor(executable: VmExecutable, host: VmHost) {
    this.executable = executable;
    this.#host = host;
    this.memory = new LinearMemory(host.memory, host.base);
    this.#ctx = this.#context();
    this.#functions = executable.functions.map((f): PackedFunction => {
      if (f.kind === "bytecode") return (args) => this.#run(f, args);
      if (f.kind === "kernel") return this.#kernel(f);
      return this.#packed(f.name) ?? ((): never => this.#missing([f.name]));
    });
    this.#scoped = executable.functions.map((f) => f.kind === "bytecode" || (f.kind === "packed" && (host.functions?.[f.name] !== undefined || !plainBuiltins.has(f.name))));
    const missing = executable.functions.filter((f) => f.kind === "packed" && this.#packed(f.name) === undefined);
    if (missing.length > 0) this.#missing(missing.map((f) => f.name));
    this.#constants = executable.constants.map((c) => this.#constant(c));
    for (const c of this.#constants) forEachStorage(c, (s) => s.retain());
  }

  /** The functions that `invoke` takes. */
  get entries(): readonly VmBytecodeFunction[] {
    return this.executable.functions.filter((f): f is VmBytecodeFunction => f.kind === "bytecode" && !f.name.startsWith("_"));
  }

  /** Has every call that the machine makes reported; undefined ends it. */
  setInstrument(instrument: VmInstrument | undefined): void {
    this.#instrument = instrument;
  }

  /**
   * Calls a function of the program. Tensors of the host are copied in, those of `upload` are used where they are;
   * tensors in the result are copies.
   * @throws FfiError `runtime` if an argument does not fit or a check fails.
   */
  invoke(name: string, ...args: readonly Any[]): Any {
    if (this.#disposed) throw new FfiError("disposed", "The model was disposed of.");
    const index = this.executable.functions.findIndex((f) => f.kind === "bytecode" && f.name === name);
    const f = this.#functions[index];
    if (f === undefined) {
      throw new FfiError("invalid-input", `The program has no function \`${name}\`. It has ${this.entries.map((e) => `\`${e.name}\``).join(", ")}.`);
    }
    return this.#scope(() => {
      const given = args.map((a) => this.#adopt(a));
      return toHost(f(given, this.#ctx));
    });
  }

  /** Copies a tensor into the machine's memory, where it stays until it is disposed of: weights that are arguments. */
  upload(t: Tensor): OwnedTensor {
    const out = this.#ctx.own(t.dtype, t.shape);
    out.data.set(t.data as never);
    return out;
  }

  /** Calls that are made after this throw. */
  dispose(): void {
    this.#disposed = true;
  }

  #missing(names: readonly string[]): never {
    const list = [...new Set(names)].map((n) => `\`${n}\``).join(", ");
    throw new FfiError("unsupported", `The program calls ${list}, which the host does not provide. Give them as \`functions\` when the model is loaded.`);
  }

  #packed(name: string): PackedFunction | undefined {
    const given = this.#host.functions?.[name];
    if (given !== undefined) return (args, ctx) => this.#fromHost(given, args, ctx);
    switch (name) {
      case "vm.builtin.alloc_storage":
        return (args) => new VmStorage(this.memory, shapeAt(args, 0).reduce((n, d) => n * d, 1));
      case "vm.builtin.alloc_tensor":
        return (args) => placedTensor(storageAt(args, 0), Number(args[1]), dtypeAt(args, 3), shapeAt(args, 2));
      // Each round frees what it made; its results wait outside of the machine's memory.
      case "relax.run.loop":
        return (args) => this.#adopt(runLoop(args, (f, given) => this.#scope(() => toHost(f(given.map((a) => this.#adopt(a)), this.#ctx)))));
      default: {
        const builtin = vmBuiltins[name];
        // Those of the runtime that are no part of the machine work on tensors of their own.
        return builtin === undefined || name.startsWith("vm.builtin.") ? builtin : (args, ctx) => this.#fromHost(builtin, args, ctx);
      }
    }
  }

  /** Calls a function of the host: what it made and did not hand over is freed, what it handed over is brought here. */
  #fromHost(f: PackedFunction, args: readonly Any[], ctx: CallContext): Any {
    return this.#adopt(f(args, ctx));
  }

  #kernel(f: VmKernelFunction): PackedFunction {
    const kernel = this.#host.kernels[f.name];
    const substitute = this.#host.functions?.[f.name];
    if (kernel === undefined) {
      if (substitute === undefined) return (): never => this.#missing([f.name]);
      return (args, ctx) => substitute(args, ctx);
    }
    return (args) => {
      const raw: (number | bigint)[] = f.params.map((dtype, i) => (dtype === "handle" ? addressOf(args[i], f.name) : scalar(args[i], dtype)));
      for (const { arg, axis, dtype } of f.dims) raw.push(scalar(tensorAt(args, arg).shape[axis], dtype));
      return this.#compiled(kernel, raw);
    };
  }

  /** Calls compiled code; gives back the scalar that it returns, if it does. */
  #compiled(kernel: Kernel, args: readonly (number | bigint)[]): Any {
    const stack = this.#host.stackPointer;
    const before = stack?.value;
    try {
      const result = kernel(...args);
      return typeof result === "number" || typeof result === "bigint" ? result : undefined;
    } catch (error) {
      // A trap leaves the code's stack as deep as it was.
      if (stack !== undefined && before !== undefined) stack.value = before;
      throw error;
    }
  }

  #constant(c: VmConstant): Any {
    switch (c.kind) {
      case "tensor": {
        const t = this.#host.constants.get(c.name);
        if (t === undefined) throw new FfiError("invalid-artifact", `The weights do not hold the constant \`${c.name}\`.`);
        return this.#adopt(t);
      }
      case "shape":
        return shapeValue(c.shape);
      case "null":
        return undefined;
      default:
        return c.value;
    }
  }

  #context(): CallContext {
    const fresh = (bytes: number): VmStorage => {
      const storage = new VmStorage(this.memory, bytes);
      this.#fresh.push(storage);
      return storage;
    };
    const ctx: CallContext = {
      empty: (dtype, shape) => new VmTensor(fresh(tensorSize(dtype, shape)), 0, dtype, shape),
      own: (dtype, shape) => ownedTensor(new VmStorage(this.memory, tensorSize(dtype, shape)), dtype, shape),
      view: (t, shape, byteOffset = 0, dtype = t.dtype) => {
        const base = this.#adopt(t);
        if (!(base instanceof VmTensor)) throw new Error("internal: a tensor was not adopted");
        const end = tensorSize(base.dtype, base.shape);
        if (byteOffset < 0 || byteOffset + tensorSize(dtype, shape) > end) {
          throw new RangeError(`${dtype}[${shape.join(", ")}] at byte ${byteOffset} is not inside ${describeAny(base)}.`);
        }
        return new VmTensor(base.storage, base.byteOffset + byteOffset, dtype, shape);
      },
      call: (f, args) => f(args.map((a) => this.#adopt(a)), ctx),
    };
    return ctx;
  }

  /** Runs `body`; storages made meanwhile that nothing refers to are freed. */
  #scope<T>(body: () => T): T {
    const outer = this.#fresh;
    this.#fresh = [];
    try {
      return body();
    } finally {
      const made = this.#fresh;
      this.#fresh = outer;
      for (const storage of made) storage.freeIfUnused();
    }
  }

  /** The value with the tensors of the host copied into the machine's memory. */
  #adopt(value: Any): Any {
    if (value instanceof VmTensor && value.storage.memory === this.memory) return value;
    if (isTuple(value)) return value.map((v) => this.#adopt(v));
    if (!isTensor(value)) return value;
    const copy = this.#ctx.empty(value.dtype, value.shape);
    copy.data.set(value.data as never);
    return copy;
  }

  #run(f: VmBytecodeFunction, args: readonly Any[]): Any {
    if (args.length !== f.params.length) {
      throw new FfiError("runtime", `\`${f.name}\` takes ${f.params.length} arguments (${f.params.map((p) => `\`${p.name}\`: ${p.type}`).join(", ")}), not ${args.length}.`);
    }
    const registers: Any[] = [];
    const set = (i: number, value: Any): void => {
      forEachStorage(value, (s) => s.retain());
      forEachStorage(registers[i], (s) => s.release());
      registers[i] = value;
    };
    const read = (o: VmOperand): Any => {
      if (o.kind === "register") return registers[o.index];
      return o.kind === "immediate" ? o.value : o.kind === "constant" ? this.#constants[o.index] : this.#functions[o.index];
    };
    args.forEach((a, i) => set(i, a));
    let result: Any;
    try {
      const code = this.#host.compiled?.[f.name];
      result = code === undefined ? this.#steps(f, registers, set, read) : code(this.#frame(registers, set));
      forEachStorage(result, (s) => s.retain());
    } finally {
      for (const value of registers) forEachStorage(value, (s) => s.release());
    }
    // Whoever called takes the result now, or its scope frees it.
    forEachStorage(result, (s) => {
      s.hand();
      this.#fresh.push(s);
    });
    return result;
  }

  #steps(f: VmBytecodeFunction, registers: readonly Any[], set: (i: number, value: Any) => void, read: (o: VmOperand) => Any): Any {
    for (let pc = 0; ; ) {
      const step = f.code[pc];
      if (step === undefined) throw new FfiError("invalid-artifact", `\`${f.name}\` runs past its end.`);
      switch (step.op) {
        case "call": {
          pc++;
          this.#callInto(step.dst, step.func, step.args.map(read), set);
          break;
        }
        case "ret":
          return read(step.value);
        case "goto":
          pc += step.offset;
          break;
        case "if":
          pc += isTrue(registers[step.cond]) ? 1 : step.offset;
          break;
      }
    }
  }

  #frame(registers: readonly Any[], set: (i: number, value: Any) => void): VmFrame {
    return {
      register: (i) => registers[i],
      constant: (i) => this.#constants[i],
      function: (i) => this.#functions[i],
      call: (dst, func, args) => this.#callInto(dst, func, args, set),
    };
  }

  /** Calls a function and keeps its result in a register, or lets go of it; what was made meanwhile and is not kept is freed. */
  #callInto(dst: number, func: number, args: readonly Any[], set: (i: number, value: Any) => void): Any {
    if (this.#instrument?.({ when: "before", name: this.executable.functions[func]?.name ?? "", args, result: undefined }) === "skip") return undefined;
    const call = (): Any => {
      const result = this.#call(func, args);
      if (dst >= 0) set(dst, result);
      else forEachStorage(result, (s) => s.freeIfUnused());
      return result;
    };
    return this.#scoped[func] === false ? call() : this.#scope(call);
  }

  #call(index: number, args: readonly Any[]): Any {
    const f = this.#functions[index];
    const name = this.executable.functions[index]?.name ?? "";
    if (f === undefined) throw new FfiError("invalid-artifact", `The program has no function ${index}.`);
    let result: Any;
    try {
      result = f(args, this.#ctx);
    } catch (cause) {
      if (cause instanceof FfiError) throw cause;
      throw new FfiError("runtime", `\`${name}\` failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
    this.#instrument?.({ when: "after", name, args, result });
    return result;
  }
}

/** Functions of the runtime that are called often, and make nothing but their result. */
const plainBuiltins: ReadonlySet<string> = /* @__PURE__ */ new Set(
  ["alloc_storage", "alloc_tensor", "match_shape", "make_shape", "make_prim_value", "check_tensor_info", "check_shape_info", "make_tuple", "tuple_getitem", "null_value", "copy", "read_if_cond"].map((n) => `vm.builtin.${n}`),
);

/** A tensor that holds a reference to its storage until it is disposed of. */
function ownedTensor(storage: VmStorage, dtype: ScalarDType, shape: readonly number[]): OwnedTensor {
  storage.retain();
  let held = true;
  const owned = Object.assign(new VmTensor(storage, 0, dtype, shape), {
    dispose: (): void => {
      if (held) storage.release();
      held = false;
    },
  });
  tensorBytes(owned).fill(0);
  return owned;
}

/** A tensor in memory that was planned for it. */
function placedTensor(storage: VmStorage, offset: number, dtype: ScalarDType, shape: readonly number[]): VmTensor {
  if (offset + tensorSize(dtype, shape) > storage.bytes) {
    throw new FfiError("runtime", `${dtype}[${shape.join(", ")}] is larger than the upper bounds that the program was compiled with allow.`);
  }
  return new VmTensor(storage, offset, dtype, shape);
}

function storageAt(args: readonly Any[], i: number): VmStorage {
  const value = args[i];
  if (value instanceof VmStorage) return value;
  throw new FfiError("runtime", `Argument ${i} is ${describeAny(value)}, not a storage.`);
}

function addressOf(value: Any, name: string): number {
  if (value instanceof VmTensor) return value.address;
  throw new FfiError("runtime", `\`${name}\` was given ${describeAny(value)} where a tensor is needed.`);
}

function scalar(value: Any, dtype: ScalarDType): number | bigint {
  if (typeof value !== "number" && typeof value !== "bigint" && typeof value !== "boolean") {
    throw new FfiError("runtime", `${describeAny(value)} was given where a scalar of ${dtype} is needed.`);
  }
  return dtype === "int64" || dtype === "uint64" ? BigInt(value) : Number(value);
}

/** The value with copies of the machine's tensors. */
function toHost(value: Any): Any {
  if (value instanceof VmTensor) return { dtype: value.dtype, shape: value.shape, data: value.data.slice() };
  return isTuple(value) ? value.map(toHost) : value;
}

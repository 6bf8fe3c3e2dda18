import { dtypeBytes, type ScalarDType } from "../dtype.ts";
import { isTuple, type Any, type CallContext, type FfiObject, type PackedFunction } from "../any.ts";
import { elementCount, tensorView, type Tensor, type TensorData } from "../tensor.ts";
import type { LinearMemory } from "./linear-memory.ts";

/**
 * A piece of the machine's memory, freed when nothing refers to it any more. The machine counts the references: one for
 * each register, tuple and owner that holds the storage or a tensor in it.
 */
export class VmStorage implements FfiObject {
  readonly typeKey = "vm.Storage";
  readonly memory: LinearMemory;
  readonly address: number;
  readonly bytes: number;
  #references = 0;
  #freed = false;

  constructor(memory: LinearMemory, bytes: number) {
    this.memory = memory;
    this.bytes = bytes;
    this.address = memory.alloc(bytes);
  }

  retain(): void {
    this.#references++;
  }

  release(): void {
    this.#references--;
    this.freeIfUnused();
  }

  /** Gives back one reference without freeing: its holder hands the storage on. */
  hand(): void {
    this.#references--;
  }

  freeIfUnused(): void {
    if (this.#references > 0 || this.#freed) return;
    this.#freed = true;
    this.memory.free(this.address);
  }
}

/** A tensor in the machine's memory. `data` is made anew after the memory grew. */
export class VmTensor implements Tensor {
  readonly dtype: ScalarDType;
  readonly shape: readonly number[];
  readonly storage: VmStorage;
  readonly byteOffset: number;
  #data: TensorData | undefined;

  /** @throws RangeError if it does not fit into the storage. */
  constructor(storage: VmStorage, byteOffset: number, dtype: ScalarDType, shape: readonly number[]) {
    const bytes = tensorSize(dtype, shape);
    if (byteOffset < 0 || byteOffset + bytes > storage.bytes) {
      throw new RangeError(`${dtype}[${shape.join(", ")}] at byte ${byteOffset} does not fit into ${storage.bytes} bytes.`);
    }
    this.storage = storage;
    this.byteOffset = byteOffset;
    this.dtype = dtype;
    this.shape = shape;
  }

  get address(): number {
    return this.storage.address + this.byteOffset;
  }

  get data(): TensorData {
    const { buffer } = this.storage.memory;
    if (this.#data === undefined || this.#data.buffer !== buffer) {
      this.#data = tensorView(this.dtype, this.shape, buffer, this.address).data;
    }
    return this.#data;
  }
}

/** Bytes of a tensor. */
export function tensorSize(dtype: ScalarDType, shape: readonly number[]): number {
  return elementCount(shape) * Math.max(1, dtypeBytes(dtype));
}

/** A closure of a program: a function that holds values. */
export type Closure = PackedFunction & { readonly captured: readonly Any[] };

/** Makes a closure that counts as a reference to what it holds. */
export function makeClosure(captured: readonly Any[], call: PackedFunction): Closure {
  return Object.assign((args: readonly Any[], ctx: CallContext) => call(args, ctx), { captured });
}

/** Calls `f` with each storage that a value refers to. */
export function forEachStorage(value: Any, f: (storage: VmStorage) => void): void {
  if (typeof value === "function") {
    if ("captured" in value) for (const v of (value as Closure).captured) forEachStorage(v, f);
  } else if (typeof value !== "object") return;
  else if (value instanceof VmTensor) f(value.storage);
  else if (value instanceof VmStorage) f(value);
  else if (isTuple(value)) for (const v of value) forEachStorage(v, f);
}

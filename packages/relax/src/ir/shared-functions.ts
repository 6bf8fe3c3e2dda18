import { structuralEqual, structuralHash, type BaseFunc, type Dialect, type GlobalVar } from "@verticil/ir-core";
import type { PrimFunc } from "@verticil/tir";

/** A function that equal ones are replaced by. */
interface Known {
  readonly gv: GlobalVar;
  readonly func: BaseFunc;
  hash: number | undefined;
}

/** Finds functions that are there already. What takes other tensors is told apart at a glance; hashes are made for the rest only. */
export class SharedFunctions {
  readonly #dialects: readonly Dialect[];
  readonly #bySignature = new Map<string, Known[]>();

  constructor(dialects: readonly Dialect[]) {
    this.#dialects = dialects;
  }

  /** Makes a function known. */
  add(gv: GlobalVar, func: BaseFunc): void {
    const signature = signatureOf(func);
    const list = this.#bySignature.get(signature);
    if (list === undefined) this.#bySignature.set(signature, [{ gv, func, hash: undefined }]);
    else list.push({ gv, func, hash: undefined });
  }

  /** A function structurally equal to `func` among those made known, as `current` says that they are now. */
  find(func: BaseFunc, current: (gv: GlobalVar) => BaseFunc | undefined): GlobalVar | undefined {
    const list = this.#bySignature.get(signatureOf(func));
    if (list === undefined) return undefined;
    const hash = this.#hash(func);
    for (const known of list) {
      known.hash ??= this.#hash(known.func);
      const other = known.hash === hash ? current(known.gv) : undefined;
      if (other !== undefined && structuralEqual(other, func, { dialects: this.#dialects })) return known.gv;
    }
    return undefined;
  }

  #hash(func: BaseFunc): number {
    return structuralHash(func, { dialects: this.#dialects });
  }
}

function isPrimFunc(func: BaseFunc): func is PrimFunc {
  return func.kind === "tir.PrimFunc";
}

/** What equal functions have in common and is quick to read: the types of the tensors that a program takes. */
function signatureOf(func: BaseFunc): string {
  if (!isPrimFunc(func)) return func.kind;
  return func.params
    .map((p) => {
      const buffer = func.bufferMap.get(p);
      return buffer === undefined ? p.dtype : `${buffer.dtype}[${buffer.shape.map((d) => (d.kind === "ir.IntImm" ? String(d.value) : "?")).join()}]`;
    })
    .join(" ");
}

import { ByteWriter } from "./byte-writer.ts";
import { typeCode, type WasmType } from "./opcodes.ts";

/** Parameters and results of a function. */
export interface FuncSignature {
  readonly params: readonly WasmType[];
  readonly results: readonly WasmType[];
}

/** A function with a body. `code` is without the closing `end`; `locals` come after the parameters. */
export interface FuncBody {
  readonly name: string;
  readonly signature: FuncSignature;
  readonly locals: readonly WasmType[];
  readonly code: ByteWriter;
  /** Names of locals by index, for the name section. */
  readonly localNames?: ReadonlyMap<number, string>;
}

interface ImportedFunc {
  readonly module: string;
  readonly name: string;
  readonly signature: FuncSignature;
}

/** Limits of the imported memory, in pages of 64 KiB. A shared memory needs a maximum. */
export interface MemoryImport {
  readonly min: number;
  readonly max?: number;
  readonly shared?: boolean;
}

interface GlobalDef {
  readonly name: string;
  readonly init: number;
}

/** Collects the parts of a module and writes them in the binary format. The same calls give the same bytes. */
export class ModuleBuilder {
  readonly #types: FuncSignature[] = [];
  readonly #imports: ImportedFunc[] = [];
  readonly #funcs: FuncBody[] = [];
  readonly #exports: { readonly name: string; readonly kind: 0 | 3; readonly index: number }[] = [];
  readonly #globals: GlobalDef[] = [];
  readonly #data: { readonly offset: number; readonly bytes: Uint8Array }[] = [];
  readonly #name: string;
  #table: readonly number[] = [];
  #memory: MemoryImport = { min: 1 };
  #sourceMappingUrl: string | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  /** Sets the limits of `env.memory`. */
  memory(limits: MemoryImport): void {
    this.#memory = limits;
  }

  /** An imported function; all imports come before the first function. Returns its index. */
  importFunc(module: string, name: string, signature: FuncSignature): number {
    if (this.#funcs.length > 0) throw new Error("internal: an import after a function");
    return this.#imports.push({ module, name, signature }) - 1;
  }

  /** Adds a function; its index is the number of imports and functions before it. */
  func(body: FuncBody): number {
    return this.#imports.length + this.#funcs.push(body) - 1;
  }

  /** The number of a signature, for calls by the table. */
  type(signature: FuncSignature): number {
    return this.#typeIndex(signature);
  }

  /** The functions that are called by their number, by index. */
  table(funcs: readonly number[]): void {
    this.#table = funcs;
  }

  exportFunc(name: string, index: number): void {
    this.#exports.push({ name, kind: 0, index });
  }

  /** A mutable, exported i32 global. Returns its index. */
  global(name: string, init: number): number {
    const index = this.#globals.push({ name, init }) - 1;
    this.#exports.push({ name, kind: 3, index });
    return index;
  }

  /** Bytes that are in memory from the start. */
  data(offset: number, bytes: Uint8Array): void {
    this.#data.push({ offset, bytes });
  }

  /** Where a debugger finds the module's source map. */
  sourceMappingUrl(url: string): void {
    this.#sourceMappingUrl = url;
  }

  /** The module. */
  finish(): ByteWriter {
    const importTypes = this.#imports.map((f) => this.#typeIndex(f.signature));
    const funcTypes = this.#funcs.map((f) => this.#typeIndex(f.signature));
    const out = new ByteWriter(4096);
    out.bytes([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);
    section(out, 1, this.#types, (w, t) => {
      w.byte(0x60);
      types(w, t.params);
      types(w, t.results);
    });
    this.#writeImports(out, importTypes);
    section(out, 3, funcTypes, (w, t) => w.u32(t));
    const { length } = this.#table;
    section(out, 4, length === 0 ? [] : [length], (w, n) => {
      w.bytes([0x70, 1]);
      w.u32(n);
      w.u32(n);
    });
    section(out, 6, this.#globals, (w, g) => {
      w.bytes([typeCode.i32, 1, 0x41]);
      w.s32(g.init);
      w.byte(0x0b);
    });
    section(out, 7, this.#exports, (w, e) => {
      w.name(e.name);
      w.byte(e.kind);
      w.u32(e.index);
    });
    section(out, 9, length === 0 ? [] : [this.#table], (w, funcs) => {
      w.bytes([0, 0x41, 0, 0x0b]);
      w.u32(funcs.length);
      for (const f of funcs) w.u32(f);
    });
    section(out, 10, this.#funcs, writeBody);
    section(out, 11, this.#data, (w, d) => {
      w.bytes([0, 0x41]);
      w.s32(d.offset);
      w.byte(0x0b);
      w.u32(d.bytes.length);
      w.bytes(d.bytes);
    });
    this.#writeNames(out);
    if (this.#sourceMappingUrl !== undefined) {
      const content = new ByteWriter();
      content.name("sourceMappingURL");
      content.name(this.#sourceMappingUrl);
      wrap(out, 0, content);
    }
    return out;
  }

  #typeIndex(signature: FuncSignature): number {
    const key = (t: FuncSignature): string => `${t.params.join()}>${t.results.join()}`;
    const found = this.#types.findIndex((t) => key(t) === key(signature));
    return found >= 0 ? found : this.#types.push(signature) - 1;
  }

  #writeImports(out: ByteWriter, importTypes: readonly number[]): void {
    const { min, max, shared } = this.#memory;
    const content = new ByteWriter();
    content.u32(this.#imports.length + 1);
    content.name("env");
    content.name("memory");
    content.bytes([0x02, shared === true ? 3 : max === undefined ? 0 : 1]);
    content.u32(min);
    if (max !== undefined) content.u32(max);
    for (const [i, f] of this.#imports.entries()) {
      content.name(f.module);
      content.name(f.name);
      content.byte(0x00);
      content.u32(importTypes[i] ?? 0);
    }
    wrap(out, 2, content);
  }

  #writeNames(out: ByteWriter): void {
    const content = new ByteWriter();
    content.name("name");
    const moduleName = new ByteWriter();
    moduleName.name(this.#name);
    wrap(content, 0, moduleName);
    const names = [...this.#imports.map((f) => f.name), ...this.#funcs.map((f) => f.name)];
    const funcs = new ByteWriter();
    nameMap(funcs, names.entries(), names.length);
    wrap(content, 1, funcs);
    const locals = new ByteWriter();
    locals.u32(this.#funcs.length);
    for (const [i, f] of this.#funcs.entries()) {
      locals.u32(this.#imports.length + i);
      nameMap(locals, f.localNames ?? [], f.localNames?.size ?? 0);
    }
    wrap(content, 2, locals);
    wrap(out, 0, content);
  }
}

function nameMap(w: ByteWriter, names: Iterable<readonly [number, string]>, size: number): void {
  w.u32(size);
  for (const [index, name] of names) {
    w.u32(index);
    w.name(name);
  }
}

function types(w: ByteWriter, list: readonly WasmType[]): void {
  w.u32(list.length);
  for (const t of list) w.byte(typeCode[t]);
}

function wrap(out: ByteWriter, id: number, content: ByteWriter): void {
  out.byte(id);
  out.u32(content.length);
  out.append(content);
}

function section<T>(out: ByteWriter, id: number, items: readonly T[], write: (w: ByteWriter, item: T) => void): void {
  if (items.length === 0) return;
  const content = new ByteWriter();
  content.u32(items.length);
  for (const item of items) write(content, item);
  wrap(out, id, content);
}

function writeBody(w: ByteWriter, f: FuncBody): void {
  const runs: [number, WasmType][] = [];
  for (const type of f.locals) {
    const last = runs[runs.length - 1];
    if (last !== undefined && last[1] === type) last[0]++;
    else runs.push([1, type]);
  }
  const body = new ByteWriter(f.code.length + 32);
  body.u32(runs.length);
  for (const [count, type] of runs) {
    body.u32(count);
    body.byte(typeCode[type]);
  }
  body.append(f.code);
  body.byte(0x0b);
  w.u32(body.length);
  w.append(body);
}

/** The few globals beyond ES2022 that Node, browsers and workers share, for code that must run in all of them. */

interface TextEncoder {
  encode(input?: string): Uint8Array<ArrayBuffer>;
}
declare const TextEncoder: { new (): TextEncoder };

interface TextDecoder {
  decode(input?: ArrayBufferView | ArrayBuffer): string;
}
declare const TextDecoder: {
  new (label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean }): TextDecoder;
};

interface URL {
  readonly href: string;
  readonly pathname: string;
  readonly protocol: string;
  toString(): string;
}
declare const URL: { new (url: string | URL, base?: string | URL): URL };

declare const performance: { now(): number };

declare namespace WebAssembly {
  type ImportValue = number | bigint | Memory | Table | Global | ((...args: never[]) => unknown);
  type Imports = Record<string, Record<string, ImportValue>>;
  interface Module {}
  interface Instance {
    readonly exports: Record<string, unknown>;
  }
  interface Memory {
    readonly buffer: ArrayBuffer;
    grow(delta: number): number;
  }
  interface Table {
    readonly length: number;
  }
  interface Global {
    value: number | bigint;
  }
  const Module: { new (bytes: ArrayBufferView<ArrayBuffer> | ArrayBuffer): Module; prototype: Module };
  const Instance: { new (module: Module, imports?: Imports): Instance; prototype: Instance };
  const Memory: {
    new (descriptor: { initial: number; maximum?: number; shared?: boolean }): Memory;
    prototype: Memory;
  };
  class CompileError extends Error {}
  class LinkError extends Error {}
  class RuntimeError extends Error {}
  function validate(bytes: ArrayBufferView<ArrayBuffer> | ArrayBuffer): boolean;
  function compile(bytes: ArrayBufferView<ArrayBuffer> | ArrayBuffer): Promise<Module>;
  function instantiate(module: Module, imports?: Imports): Promise<Instance>;
}

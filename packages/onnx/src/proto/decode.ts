import { fail } from "../messages.ts";
import { toNumber } from "./integers.ts";
import { decodeModelProto, type FunctionProto, type GraphProto, type OpsetProto } from "./schema.ts";

/** What of a model file the import looks at. */
export interface OnnxModel {
  readonly graph: GraphProto;
  /** Versions of the operator sets by domain; the standard domain is the empty string. */
  readonly opsets: ReadonlyMap<string, number>;
  /** Functions that the model brings along, by `domain:name`. */
  readonly functions: ReadonlyMap<string, FunctionProto>;
}

const NEWEST = 28;

/** Versions of operator sets by domain, as a model or a function states them. */
function versionsOf(imports: readonly OpsetProto[] | null | undefined): ReadonlyMap<string, number> {
  return new Map((imports ?? []).map((o) => [domainOf(o.domain), toNumber(o.version)]));
}

/** The operator sets that the nodes of a function are of: its own, and the model's for domains that it says nothing of. */
export function opsetsWithin(func: FunctionProto, around: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  return new Map([...around, ...versionsOf(func.opsetImport)]);
}

/**
 * Reads a model file.
 * @throws DiagnosticError (`onnx/not-onnx`, `onnx/no-graph`, `onnx/unsupported-opset`)
 */
export function decodeModel(bytes: Uint8Array): OnnxModel {
  const proto = decode(bytes);
  if (proto.graph === undefined || proto.graph === null) return fail("no-graph", {});
  const opsets = new Map(versionsOf(proto.opsetImport));
  // Models from before operator sets had versions are of the first.
  if (opsets.size === 0) opsets.set("", 1);
  const version = opsets.get("") ?? NEWEST;
  if (version < 1 || version > NEWEST) fail("unsupported-opset", { version });
  const seen = new Set<string>();
  for (const f of proto.functions ?? []) {
    const key = `${domainOf(f.domain)}:${f.name ?? ""}`;
    // Functions that differ in what they are called with have the same name.
    if (seen.has(key)) fail("duplicate-name", { name: f.name ?? "", first: "a function of the model", second: "another one" });
    seen.add(key);
    const own = versionsOf(f.opsetImport).get("") ?? version;
    if (own < 1 || own > NEWEST) fail("unsupported-opset", { version: own });
  }
  const functions = new Map((proto.functions ?? []).map((f) => [`${domainOf(f.domain)}:${f.name ?? ""}`, f]));
  return { graph: proto.graph, opsets, functions };
}

/** A domain with its two spellings of the standard one made one. */
export function domainOf(domain: string | null | undefined): string {
  return domain === undefined || domain === null || domain === "ai.onnx" ? "" : domain;
}

function decode(bytes: Uint8Array): ReturnType<typeof decodeModelProto> {
  if (bytes.length === 0) fail("not-onnx", { reason: "there are none" });
  try {
    // A plain view, because the decoder treats Node's buffers in a way of its own.
    return decodeModelProto(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
  } catch (error) {
    return fail("not-onnx", { reason: error instanceof Error ? error.message : String(error) });
  }
}

import { isNode } from "@verticil/ir-core";
import { isFloat, lanesOf, type DType } from "@verticil/runtime-ffi";
import {
  isInt,
  ScriptFloat,
  ScriptFunction,
  type Operators,
  type ScriptValue,
  type Site,
} from "@verticil/tvmscript";
import type { Buffer } from "../ir/buffer.ts";
import type { PrimExpr } from "../ir/expr.ts";
import { makeBinary, makeBufferLoad, makeCall, makeNot } from "../ir/make-expr.ts";
import { makeBufferStore, scopeOf } from "../ir/make-stmt.ts";
import {
  add,
  cast,
  constant,
  div,
  eq,
  floorDiv,
  floorMod,
  ge,
  gt,
  ifThenElse,
  intrin,
  le,
  lt,
  matchTypes,
  mul,
  ne,
  sub,
} from "../ir/ops.ts";
import { isBuffer, toAccess, toDType, toExpr, toExprs, toOperands, toStoreIndices } from "./convert.ts";
import { located } from "./located.ts";
import { callDType, isPrimExpr } from "./result-dtype.ts";
import { LetTypeValue, SliceValue, StmtValue } from "./values.ts";

/** What `declare` keeps of a tensor program. */
export interface PrimFuncSignature {
  readonly prim: true;
  readonly returns: DType;
}

function isOperand(v: ScriptValue): boolean {
  if (v instanceof SliceValue) return true;
  return isNode(v) && (isPrimExpr(v) || v.kind === "tir.IterVar");
}

function isNumber(v: ScriptValue): boolean {
  return isInt(v) || typeof v === "boolean" || v instanceof ScriptFloat;
}

const BINARY: Readonly<Record<string, (a: PrimExpr, b: PrimExpr) => PrimExpr>> = {
  "+": add,
  "-": sub,
  "*": mul,
  "//": floorDiv,
  "%": floorMod,
  "<": lt,
  "<=": le,
  ">": gt,
  ">=": ge,
  "==": eq,
  "!=": ne,
};

const BITWISE: Readonly<Record<string, string>> = {
  "<<": "shift_left",
  ">>": "shift_right",
  "&": "bitwise_and",
  "|": "bitwise_or",
  "^": "bitwise_xor",
};

function binary(op: string, a: ScriptValue, b: ScriptValue, site: Site): ScriptValue | undefined {
  if (!(isOperand(a) && (isOperand(b) || isNumber(b))) && !(isNumber(a) && isOperand(b))) return undefined;
  const [x, y] = toOperands(a, b, site);
  const fold = BINARY[op];
  if (fold !== undefined) return located(fold(x, y), x, y, site);
  if (op === "/") {
    if (!isFloat(x.dtype) && !isFloat(y.dtype)) {
      return site.fail("`/` of two integers may mean two things.", "Write `//`, or `T.truncdiv` for division towards zero.");
    }
    return located(div(x, y), x, y, site);
  }
  const name = BITWISE[op];
  if (name !== undefined) {
    const [l, r] = matchTypes(x, y);
    return located(intrin(name, callDType(`tir.${name}`, [l, r]) ?? l.dtype, [l, r]), l, r, site);
  }
  if (op === "**") return located(intrin("pow", x.dtype, [...matchTypes(x, y)]), x, y, site);
  return undefined;
}

function bufferAttribute(buffer: Buffer, name: string): ScriptValue | undefined {
  switch (name) {
    case "data":
      return buffer.data;
    case "shape":
      return buffer.shape;
    case "strides":
      return buffer.strides;
    case "elem_offset":
      return buffer.elemOffset ?? constant(0, "int32");
    case "dtype":
      return buffer.dtype;
    case "name":
      return buffer.name;
    case "ndim":
      return buffer.shape.length;
    // Main keeps shape and data type in the type of a buffer.
    case "ty":
      return buffer;
    case "scope":
      return new ScriptFunction("scope", () => scopeOf(buffer));
    case "vload":
      return new ScriptFunction("vload", (a, site) => {
        const indices = toExprs(a.need(0, "begin", site), site);
        const predicate = a.get(2, "predicate");
        return makeBufferLoad(buffer, indices, isAbsent(predicate) ? undefined : toExpr(predicate, site), site.span);
      });
    case "vstore":
      return new ScriptFunction("vstore", (a, site) => {
        const begin = a.need(0, "begin", site);
        const indices = toStoreIndices(buffer, Array.isArray(begin) ? begin : [begin], site);
        const predicate = a.get(2, "predicate");
        const value = toExpr(a.need(1, "value", site), site);
        return new StmtValue(
          makeBufferStore(buffer, value, indices, isAbsent(predicate) ? undefined : toExpr(predicate, site), site.span),
        );
      });
    case "access_ptr":
      return new ScriptFunction("access_ptr", (a, site) => accessPtr(buffer, a.need(0, "access_mask", site), a.get(3, "offset") ?? 0, site));
    default:
      return undefined;
  }
}

function isAbsent(v: ScriptValue): boolean {
  return v === undefined || v === null;
}

function accessPtr(buffer: Buffer, mask: ScriptValue, offset: ScriptValue, site: Site): PrimExpr {
  const bits = typeof mask === "string" ? (mask.includes("r") ? 1 : 0) | (mask.includes("w") ? 2 : 0) : Number(mask);
  const start = add(buffer.elemOffset ?? constant(0, "int32"), toExpr(offset, site));
  const extent = buffer.shape.reduce<PrimExpr>((acc, d) => mul(acc, d), constant(1, buffer.shape[0]?.dtype ?? "int32"));
  const type = intrin("type_annotation", buffer.dtype, []);
  return intrin("tvm_access_ptr", "handle", [type, buffer.data, start, sub(extent, toExpr(offset, site)), constant(bits, "int32")]);
}

/** What Python's operators mean for the values of tensor programs. */
export const tirOperators: Operators = {
  binary,
  unary(op, a, site) {
    if (!isOperand(a)) return undefined;
    const x = toExpr(a, site);
    if (op === "-") return located(mul(x, constant(-1, x.dtype)), x, x, site);
    if (op === "+") return x;
    return op === "~" ? intrin("bitwise_not", x.dtype, [x]) : makeNot(x, site.span);
  },
  logic(op, a, b, site) {
    if (!isOperand(a) && !isOperand(b)) return undefined;
    const x = toExpr(a, site);
    const y = toExpr(b, site);
    const [l, r] = lanesOf(x.dtype) === lanesOf(y.dtype) ? [x, y] : matchTypes(x, y);
    return makeBinary(op === "and" ? "tir.And" : "tir.Or", l, r, site.span);
  },
  ifExp(test, body, orelse, site) {
    if (!isOperand(test)) return undefined;
    const [t, f] = toOperands(body, orelse, site);
    return ifThenElse(toExpr(test, site), t, f);
  },
  attribute(value, name) {
    if (isBuffer(value)) return bufferAttribute(value, name);
    if (value instanceof SliceValue) return name === "buffer" ? value.buffer : undefined;
    if (!isNode(value)) return undefined;
    if (value.kind === "tir.IterVar") {
      if (name === "var" && "var" in value && isNode(value.var)) return value.var;
      if (name === "dom" && "dom" in value && isNode(value.dom)) return value.dom;
      return undefined;
    }
    if (!isPrimExpr(value)) return undefined;
    if (name === "dtype") return value.dtype;
    if (name === "ty") return value;
    if (name === "astype") return new ScriptFunction("astype", (a, s) => cast(toDType(a.need(0, "dtype", s), s), value));
    if (name === "buffer" && value.kind === "tir.BufferLoad") return value.buffer;
    return undefined;
  },
  subscript(value, indices, site) {
    if (value instanceof ScriptFunction && value.name === "T.let") return new LetTypeValue(indices[0]);
    return isBuffer(value) ? toAccess(value, indices, site) : undefined;
  },
  call(callee, args, keywords, site) {
    if (!isNode(callee) || callee.kind !== "ir.GlobalVar") return undefined;
    if (keywords.size > 0) return site.fail("A tensor program takes no arguments by name.");
    const gv = site.ctx.globals.get(String("name" in callee ? callee.name : ""));
    if (gv === undefined) return site.fail("This function is not in the module.");
    const signature = site.ctx.signature(gv.name);
    const dtype = isPrimSignature(signature) ? signature.returns : "void";
    return makeCall(dtype, gv, args.map((a) => toExpr(a, site)), site.span);
  },
};

export function isPrimSignature(value: unknown): value is PrimFuncSignature {
  return typeof value === "object" && value !== null && "prim" in value;
}


import { isNode, makeFloatImm, type AttrMap } from "@verticil/ir-core";
import {
  assignDoc,
  binaryDoc,
  boolDoc,
  callDoc,
  floatDoc,
  indexDoc,
  intDoc,
  isInt,
  membersOf,
  PrintFrame,
  returnDoc,
  ScriptFloat,
  ScriptFunction,
  ScriptObject,
  type FunctionParser,
  type Operators,
  type ParseContext,
  type Printer,
  type PrintTable,
  type PyFunctionDef,
  type ScriptDialect,
  type ScriptValue,
  type StmtDoc,
} from "@verticil/tvmscript";
import { isWaveExpr, waveFields, type Filter, type Mix, type Scale, type Signal, type WaveExpr, type WaveNode } from "./nodes.ts";

/** What `W.Signal(16)` is in an annotation. */
class SignalType extends ScriptObject {
  readonly what = "a signal's type";
  readonly length: number;
  constructor(length: number) {
    super();
    this.length = length;
  }
}

const operators: Operators = {
  binary(op, a, b, site) {
    if (op === "+" && isExpr(a) && isExpr(b)) return { kind: "wave.Mix", a, b, span: site.span } satisfies Mix;
    if (op !== "*" || !(a instanceof ScriptFloat) || !isExpr(b)) return undefined;
    return { kind: "wave.Scale", factor: makeFloatImm(a.value, "float32", site.span), value: b, span: site.span } satisfies Scale;
  },
  subscript(value, [offset, ...more], site) {
    if (!isNode(value) || value.kind !== "wave.Signal") return undefined;
    if (!isInt(offset) || more.length > 0) return site.fail("A signal is indexed by one constant: the offset from the sample at hand.");
    return { kind: "wave.Tap", signal: value as Signal, offset: Number(offset), span: site.span } as WaveExpr;
  },
};

function isExpr(value: ScriptValue): value is WaveExpr {
  return isNode(value) && isWaveExpr(value);
}

const filterParser: FunctionParser = {
  declare: () => ({ filter: true }),
  define(def: PyFunctionDef, ctx: ParseContext): Filter {
    const params = def.params.map((p): Signal => {
      const type = p.annotation === undefined ? undefined : ctx.evaluate(p.annotation);
      if (!(type instanceof SignalType)) return ctx.fail(p, `The parameter \`${p.name}\` of a filter is a \`W.Signal\`.`);
      const signal: Signal = { kind: "wave.Signal", name: p.name, length: type.length, span: ctx.span(p) };
      ctx.define(p.name, signal);
      return signal;
    });
    const last = def.body.at(-1);
    if (last?.py !== "Return" || last.value === undefined || def.body.length !== 1) {
      return ctx.fail(last ?? def, "A filter is one `return` of an expression.");
    }
    const body = ctx.evaluate(last.value);
    if (!isExpr(body)) return ctx.fail(last.value, "A filter returns an expression of samples.");
    const isPrivate = def.decorators.some((d) => d.py === "Call");
    const attrs: AttrMap = isPrivate ? {} : { global_symbol: def.name };
    return { kind: "wave.Filter", params, body, attrs, span: ctx.span(def) };
  },
};

function printFilter(func: Filter, p: Printer): readonly StmtDoc[] {
  const frame = new PrintFrame("wave", func);
  const symbol = func.attrs["global_symbol"];
  const name = p.bindingName ?? (typeof symbol === "string" ? symbol : "main");
  p.bindingName = undefined;
  return p.within(frame, () => {
    const params = func.params.map((s) => assignDoc(p.define(s, s.name), undefined, p.call("wave", "Signal", [intDoc(s.length)])));
    const decorator = p.member("wave", "filter");
    const decorators = [symbol === undefined ? callDoc(decorator, [], [["private", boolDoc(true)]]) : decorator];
    return [{ doc: "function", name, params, decorators, returns: undefined, body: [returnDoc(p.expr(func.body))] }];
  });
}

const printers: PrintTable<WaveNode> = {
  "wave.Filter": printFilter,
  "wave.Signal": (s, p) => p.lookup(s) ?? p.define(s, s.name),
  "wave.Tap": (t, p) => indexDoc(p.expr(t.signal), [intDoc(t.offset)]),
  "wave.Scale": (s, p) => binaryDoc("*", floatDoc(s.factor.value), p.expr(s.value)),
  "wave.Mix": (m, p) => binaryDoc("+", p.expr(m.a), p.expr(m.b)),
};

const members = membersOf(
  new Map<string, ScriptValue>([
    [
      "Signal",
      new ScriptFunction("W.Signal", (a, site) => {
        const length = a.need(0, "length", site);
        return isInt(length) && length > 0 ? new SignalType(Number(length)) : site.fail("A signal has a length.");
      }),
    ],
    ["filter", new ScriptFunction("W.filter", () => null)],
  ]),
);

/** The dialect with its syntax: `W`. */
export const wave: ScriptDialect = {
  name: "wave",
  kinds: waveFields,
  prefix: "W",
  module: "wave.script",
  members,
  functions: { filter: filterParser },
  operators,
  printers: printers as ScriptDialect["printers"],
  functionOrder: { "wave.Filter": 2 },
};

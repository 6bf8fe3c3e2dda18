import type { NodeContext } from "../node-context.ts";

/** A convolution's or pooling's window along its spatial axes. */
export interface Windows {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** All begins, then all ends. */
  readonly pads: readonly number[];
}

function repeated(value: number, n: number): readonly number[] {
  return Array.from({ length: n }, () => value);
}

/**
 * The window attributes of a node, with `auto_pad` worked out from the sizes of the spatial axes.
 * @throws DiagnosticError if those are needed and not known.
 */
export function windowsOf(ctx: NodeContext, kernel: readonly number[], sizes: () => readonly number[]): Windows {
  const n = kernel.length;
  const strides = ctx.attrs.ints("strides") ?? repeated(1, n);
  const dilations = ctx.attrs.ints("dilations") ?? repeated(1, n);
  const given = { kernel, strides, dilations };
  const auto = ctx.attrs.string("auto_pad", "NOTSET");
  switch (auto) {
    case "NOTSET":
    case "":
      return { ...given, pads: ctx.attrs.ints("pads") ?? repeated(0, 2 * n) };
    case "VALID":
      return { ...given, pads: repeated(0, 2 * n) };
    case "SAME_UPPER":
    case "SAME_LOWER":
      return { ...given, pads: samePads(given, sizes(), auto === "SAME_UPPER") };
    default:
      return ctx.unsupported(`auto_pad is \`${auto}\``);
  }
}

/** The padding that makes the output as large as the input, divided by the stride; the odd one at the end if `upper`. */
function samePads(w: Omit<Windows, "pads">, sizes: readonly number[], upper: boolean): readonly number[] {
  const totals = sizes.map((size, i) => {
    const stride = w.strides[i] ?? 1;
    const span = ((w.kernel[i] ?? 1) - 1) * (w.dilations[i] ?? 1) + 1;
    return Math.max(0, (Math.ceil(size / stride) - 1) * stride + span - size);
  });
  const less = totals.map((t) => Math.floor(t / 2));
  const more = totals.map((t) => Math.ceil(t / 2));
  return upper ? [...less, ...more] : [...more, ...less];
}

const SPATIAL = ["W", "HW", "DHW"] as const;

/** The spatial axes' letters. @throws DiagnosticError for a number of axes that Relax has no operator for. */
export function spatialLetters(ctx: NodeContext, n: number): string {
  return SPATIAL[n - 1] ?? ctx.unsupported(`it has ${n} spatial axes`);
}

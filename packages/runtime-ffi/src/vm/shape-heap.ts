import { describeAny, isShapeValue, isTensor, isTuple, shapeValue, type Any } from "../any.ts";
import { FfiError } from "../ffi-error.ts";
import { getElement, setElement, type Tensor } from "../tensor.ts";

/** What `match_shape` does with a dimension; upstream's codes. */
export const matchCodes = {
  /** Must be the number. */
  assertEqualToImm: 0,
  /** Is stored at the place of the heap. */
  storeToHeap: 1,
  /** Anything goes. */
  noOp: 2,
  /** Must be what lies at the place of the heap. */
  assertEqualToLoad: 3,
} as const;

/** Where `make_shape` takes a dimension from; upstream's codes. */
export const makeCodes = { useImm: 0, loadShape: 1 } as const;

function fail(place: Any, problem: string): never {
  const where = typeof place === "string" && place !== "" ? `${place}: ` : "";
  throw new FfiError("runtime", where + problem);
}

function heapOf(value: Any): Tensor | undefined {
  return isTensor(value) ? value : undefined;
}

function load(heap: Any, index: number): number {
  const t = heapOf(heap);
  if (t === undefined) throw new FfiError("runtime", "The function has no memory for symbolic sizes.");
  return Number(getElement(t, index));
}

/** `(value, heap, ndim, (code, number)…, place)`: checks the sizes of a tensor or shape, and stores new ones. */
export function matchShape(args: readonly Any[]): undefined {
  const [value, heap, count] = args;
  const ndim = Number(count);
  const place = args[3 + 2 * ndim];
  if (!isTensor(value) && !isShapeValue(value)) fail(place, `${describeAny(value)} has no shape.`);
  const { shape } = value;
  if (shape.length !== ndim) fail(place, `${describeAny(value)} has ${shape.length} dimensions, not ${ndim}.`);
  shape.forEach((d, i) => matchDim(d, Number(args[3 + 2 * i]), Number(args[4 + 2 * i]), heap, () => `${describeAny(value)} in dimension ${i}`, place));
  return undefined;
}

function matchDim(actual: number, code: number, given: number, heap: Any, what: () => string, place: Any): void {
  if (code === matchCodes.noOp) return;
  if (code === matchCodes.storeToHeap) {
    const t = heapOf(heap);
    if (t === undefined) throw new FfiError("runtime", "The function has no memory for symbolic sizes.");
    setElement(t, given, actual);
    return;
  }
  const expected = code === matchCodes.assertEqualToImm ? given : load(heap, given);
  if (actual !== expected) fail(place, `${what()} is ${actual}, not ${expected}.`);
}

/** `(value, heap, code, number, place)`: the same for a scalar. */
export function matchPrimValue(args: readonly Any[]): undefined {
  const [value, heap, code, given, place] = args;
  matchDim(Number(value), Number(code), Number(given), heap, () => describeAny(value), place);
  return undefined;
}

/** `(heap, ndim, (code, number)…)`: a shape. */
export function makeShape(args: readonly Any[]): Any {
  const ndim = Number(args[1]);
  return shapeValue(Array.from({ length: ndim }, (_, i) => madeDim(args[0], Number(args[2 + 2 * i]), Number(args[3 + 2 * i]))));
}

/** `(heap, code, number)`: a scalar. */
export function makePrimValue(args: readonly Any[]): Any {
  return madeDim(args[0], Number(args[1]), Number(args[2]));
}

function madeDim(heap: Any, code: number, given: number): number {
  return code === makeCodes.useImm ? given : load(heap, given);
}

/** `(value, ndim or -1, dtype or null, place)` */
export function checkTensor(args: readonly Any[]): undefined {
  const [value, ndim, dtype, place] = args;
  if (!isTensor(value)) fail(place, `${describeAny(value)} was given where a tensor is needed.`);
  if (Number(ndim) >= 0 && value.shape.length !== Number(ndim)) fail(place, `${describeAny(value)} has ${value.shape.length} dimensions, not ${String(ndim)}.`);
  if (typeof dtype === "string" && dtype !== "" && value.dtype !== dtype) fail(place, `${describeAny(value)} is not of ${dtype}.`);
  return undefined;
}

/** `(value, ndim or -1, place)` */
export function checkShape(args: readonly Any[]): undefined {
  const [value, ndim, place] = args;
  if (!isShapeValue(value)) fail(place, `${describeAny(value)} was given where a shape is needed.`);
  if (Number(ndim) >= 0 && value.shape.length !== Number(ndim)) fail(place, `${describeAny(value)} has ${value.shape.length} dimensions, not ${String(ndim)}.`);
  return undefined;
}

/** `(value, size, place)` */
export function checkTuple(args: readonly Any[]): undefined {
  const [value, size, place] = args;
  if (!isTuple(value)) fail(place, `${describeAny(value)} was given where a tuple of ${String(size)} is needed.`);
  if (value.length !== Number(size)) fail(place, `A tuple of ${value.length} was given where one of ${String(size)} is needed.`);
  return undefined;
}

/** `(value, dtype, place)` */
export function checkPrimValue(args: readonly Any[]): undefined {
  const [value, dtype, place] = args;
  const isFloat = String(dtype).startsWith("float") || String(dtype).startsWith("bfloat");
  const fits = typeof value === "bigint" || typeof value === "boolean" || (typeof value === "number" && (isFloat || Number.isInteger(value)));
  if (!fits) fail(place, `${describeAny(value)} was given where a scalar of ${String(dtype)} is needed.`);
  return undefined;
}

/** `(value, place)` */
export function checkFunc(args: readonly Any[]): undefined {
  if (typeof args[0] !== "function") fail(args[1], `${describeAny(args[0])} was given where a function is needed.`);
  return undefined;
}

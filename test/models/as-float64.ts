import onnxProto, { type onnx } from "onnx-proto";

const { FLOAT, DOUBLE } = { FLOAT: 1, DOUBLE: 11 };

/**
 * An ONNX file with float64 wherever it had float32: what its numbers would be without rounding to 24 bits. Models that
 * name a data type in an attribute (`Cast`, say) are beyond it.
 */
export function asFloat64(bytes: Uint8Array): Uint8Array {
  const { ModelProto } = onnxProto.onnx;
  const model = ModelProto.decode(bytes);
  const { graph } = model;
  const attributes = (graph?.node ?? []).flatMap((n) => n.attribute ?? []);
  for (const t of [...(graph?.initializer ?? []), ...attributes.flatMap((a) => a.t ?? [])]) widen(t);
  for (const v of [...(graph?.input ?? []), ...(graph?.output ?? []), ...(graph?.valueInfo ?? [])]) {
    const type = v.type?.tensorType;
    if (type?.elemType === FLOAT) type.elemType = DOUBLE;
  }
  return ModelProto.encode(model).finish();
}

function widen(t: onnx.ITensorProto): void {
  if (t.dataType !== FLOAT) return;
  const raw = t.rawData ?? new Uint8Array();
  const values = raw.length > 0 ? new Float32Array(Uint8Array.from(raw).buffer) : Float32Array.from(t.floatData ?? []);
  t.rawData = new Uint8Array(Float64Array.from(values).buffer);
  t.floatData = [];
  t.dataType = DOUBLE;
}

import { expect, test } from "vitest";
import { findConverter } from "../converter.ts";
import { missingRuntimeOperators, runtimeOperators } from "../testing/contrib-operators.ts";
import { standardOperators } from "../testing/standard-operators.ts";
import { onnxConverters } from "./table.ts";

/** Versions of operators up to set 23 that are not imported, and why. */
const missing: Readonly<Record<string, string>> = {
  Bernoulli: "random: no two runs are to agree",
  ImageDecoder: "reads image files",
  Multinomial: "random: no two runs are to agree",
  RandomNormal: "random: no two runs are to agree",
  RandomNormalLike: "random: no two runs are to agree",
  RandomUniform: "random: no two runs are to agree",
  RandomUniformLike: "random: no two runs are to agree",
  RegexFullMatch: "on strings, which tensors here do not hold",
  StringConcat: "on strings, which tensors here do not hold",
  StringNormalizer: "on strings, which tensors here do not hold",
  StringSplit: "on strings, which tensors here do not hold",
  "Tile 1": "its first form repeats one axis; operator sets from 7 on have the second",
};

test("every version of every standard operator up to set 23 is imported, or there is a reason", () => {
  const found = [...standardOperators].flatMap(([name, versions]) => {
    const gone = versions.filter((v) => findConverter(onnxConverters, name, v) === undefined);
    return gone.length === 0 ? [] : gone.length === versions.length ? [name] : gone.map((v) => `${name} ${v}`);
  });
  expect(found.sort()).toEqual(Object.keys(missing).sort());
});

test("every operator of ONNX Runtime's own domain is imported, or there is a reason", () => {
  const found = runtimeOperators.filter((name) => findConverter(onnxConverters, `com.microsoft:${name}`, 1) === undefined);
  expect(found.sort()).toEqual(Object.keys(missingRuntimeOperators).sort());
});

import { expect, test } from "vitest";
import { smallFloatOf } from "./small-float.ts";

const types = [["float8_e4m3fn", 256], ["float8_e5m2", 256], ["float8_e4m3fnuz", 256], ["float8_e5m2fnuz", 256], ["float4_e2m1fn", 16]] as const;

for (const [dtype, count] of types) {
  const type = smallFloatOf(dtype)!;
  const values = Array.from({ length: count }, (_, bits) => type.decode(bits));

  test(`every value of ${dtype} survives rounding and encoding`, () => {
    values.forEach((value, bits) => {
      expect(type.round(value)).toBe(value);
      if (!Number.isNaN(value)) expect(type.encode(value)).toBe(bits);
      else expect(type.decode(type.encode(value))).toBeNaN();
    });
  });

  test(`${dtype} rounds to the nearest value, ties to even bits`, () => {
    const finite = values.slice(0, count / 2).filter((x) => Number.isFinite(x));
    for (let i = 0; i + 1 < finite.length; i++) {
      const [a, b] = [finite[i]!, finite[i + 1]!];
      expect(type.round(a + (b - a) * 0.49)).toBe(a);
      expect(type.round(a + (b - a) * 0.51)).toBe(b);
      // Some types have no minus zero.
      expect(type.round(-(a + b) / 2) + 0).toBe((i % 2 === 0 ? -a : -b) + 0);
    }
  });
}

test("beyond the largest value is NaN, infinity or the largest, as the type says", () => {
  expect(smallFloatOf("float8_e4m3fn")!.round(1000)).toBeNaN();
  expect(smallFloatOf("float8_e4m3fn")!.round(460)).toBe(448);
  expect(smallFloatOf("float8_e5m2")!.round(-1e6)).toBe(-Infinity);
  expect(smallFloatOf("float8_e4m3fnuz")!.round(1000)).toBeNaN();
  expect(smallFloatOf("float8_e4m3fnuz")!.round(247)).toBe(240);
  expect(smallFloatOf("float8_e5m2fnuz")!.round(-1e6)).toBeNaN();
  expect(smallFloatOf("float4_e2m1fn")!.round(100)).toBe(6);
});

import { fixture, packageFixture } from "../fixtures.ts";
import { modelTests } from "./model-tests.ts";
import { planarPicture } from "./picture.ts";

modelTests({
  path: fixture("models/yunet/yunet_n_320_320.onnx"),
  range: 255,
  real: (input) => planarPicture(packageFixture("@vladmandic/face-api", "demo/sample1.jpg"), input, { order: "bgr", mean: [0, 0, 0], scale: 1 }),
});

import { fixture, packageFixture } from "../fixtures.ts";
import { modelTests } from "./model-tests.ts";
import { planarPicture } from "./picture.ts";

for (const file of ["version-RFB-320.onnx", "version-RFB-320_simplified.onnx"]) {
  modelTests({
    path: fixture(`models/ultraface/${file}`),
    name: file,
    real: (input) => planarPicture(packageFixture("@vladmandic/face-api", "demo/sample1.jpg"), input, { order: "rgb", mean: [127, 127, 127], scale: 128 }),
  });
}

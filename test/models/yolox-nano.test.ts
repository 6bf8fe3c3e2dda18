import { fixture } from "../fixtures.ts";
import { familyPicture } from "./family-picture.ts";
import { modelTests } from "./model-tests.ts";

modelTests({
  path: fixture("models/yolox-nano/yolox_nano.onnx"),
  range: 255,
  codeBudget: 150_000,
  real: familyPicture("yolox", () => fixture("images/dog.jpg")),
});

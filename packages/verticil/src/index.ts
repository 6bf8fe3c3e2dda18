export { compile, compileContext, type CompileOptions, type Executable, type Extension } from "@verticil/compiler";
export { importOnnx } from "@verticil/onnx";

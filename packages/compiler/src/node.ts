export { hostEngine } from "./tuning/host-engine.ts";
export { writeArtifact } from "./write-artifact.ts";

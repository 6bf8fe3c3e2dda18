export { writeArtifact } from "./write-artifact.ts";

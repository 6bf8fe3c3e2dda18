export { intersectionOverUnion, suppress, type Box, type Detection } from "./detection.ts";
export { detectorFamilies, makeDetector, type Detector, type DetectorOptions } from "./detector.ts";
export { type DecodeOptions, type DetectorFamily } from "./detector-family.ts";
export { resizeBilinear, type RgbImage } from "./rgb-image.ts";

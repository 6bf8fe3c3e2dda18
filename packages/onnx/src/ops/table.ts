import type { ConverterTable } from "../converter.ts";
import { activationConverters } from "./activation.ts";
import { attentionConverters } from "./attention.ts";
import { contribAttentionConverters } from "./contrib-attention.ts";
import { contribImageConverters } from "./contrib-images.ts";
import { contribQuantizedConverters } from "./contrib-quantized.ts";
import { contribTensorConverters } from "./contrib-tensors.ts";
import { contribWeightConverters } from "./contrib-weights.ts";
import { contribConverters } from "./contrib.ts";
import { contribEarlyConverters } from "./contrib-early.ts";
import { controlConverters } from "./control.ts";
import { convolutionConverters } from "./convolution.ts";
import { creationConverters } from "./creation.ts";
import { deformConverters } from "./deform-conv.ts";
import { determinantConverters } from "./determinant.ts";
import { elementwiseConverters } from "./elementwise.ts";
import { indexingConverters } from "./indexing.ts";
import { lossConverters } from "./loss.ts";
import { matmulConverters } from "./matmul.ts";
import { normalizationConverters } from "./normalization.ts";
import { poolingConverters } from "./pooling.ts";
import { quantizationConverters } from "./quantization.ts";
import { rearrangeConverters } from "./rearrange.ts";
import { recurrentConverters } from "./recurrent.ts";
import { reductionConverters } from "./reduction.ts";
import { resizeConverters } from "./resize.ts";
import { sequenceConverters } from "./sequence.ts";
import { shapeConverters } from "./shape.ts";
import { spectralConverters } from "./spectral.ts";

/** The operators that are read, of the standard domain by name, of others as `domain:Name`. */
export const onnxConverters: ConverterTable = {
  ...elementwiseConverters,
  ...activationConverters,
  ...reductionConverters,
  ...convolutionConverters,
  ...deformConverters,
  ...poolingConverters,
  ...normalizationConverters,
  ...matmulConverters,
  ...shapeConverters,
  ...indexingConverters,
  ...creationConverters,
  ...resizeConverters,
  ...sequenceConverters,
  ...controlConverters,
  ...quantizationConverters,
  ...attentionConverters,
  ...lossConverters,
  ...recurrentConverters,
  ...spectralConverters,
  ...rearrangeConverters,
  ...determinantConverters,
  ...contribConverters,
  ...contribAttentionConverters,
  ...contribQuantizedConverters,
  ...contribImageConverters,
  ...contribTensorConverters,
  ...contribWeightConverters,
  ...contribEarlyConverters,
};

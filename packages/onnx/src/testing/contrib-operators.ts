/** The operators of ONNX Runtime's own domain: facts of https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md. */
export const runtimeOperators: readonly string[] = `
Attention AttnLSTM BeamSearch BiasAdd BiasDropout BiasGelu BiasSoftmax BiasSplitGelu BifurcationDetector BitmaskBiasDropout
BitmaskDropout CDist CausalConvWithState ComplexMul ComplexMulConj ConvTransposeWithDynamicPads CropAndResize DecoderAttention
DecoderMaskedMultiHeadAttention DecoderMaskedSelfAttention DequantizeBFP DequantizeLinear DequantizeWithOrder DynamicQuantizeLSTM
DynamicQuantizeMatMul DynamicTimeWarping EPContext EmbedLayerNormalization EngramGate ExpandDims FastGelu FusedConv FusedGemm
FusedMatMul FusedMatMulActivation GatedAdd GatedDeltaNet GatedRMSNorm GatedRelativePositionBias GatherBlockQuantized GatherND Gelu
GemmFastGelu GemmFloat8 GemmaRotaryEmbedding GreedySearch GridSample GroupNorm GroupQueryAttention Inverse Irfft IsAllFinite
LinearAttention LinearAttentionGate LongformerAttention MRotaryEmbedding MatMulBlockQuantizedFp4Weight
MatMulBlockQuantizedFp8Weight MatMulBnb4 MatMulFpQ4 MatMulInteger16 MatMulIntegerToFloat MatMulNBits MatMulNBitsMlp
MatMulNBitsQkv MaxpoolWithMask MoE MulInteger MultiHeadAttention MurmurHash3 NGramHashMapping NGramRepeatBlock NhwcConv
NhwcFusedConv NhwcMaxPool PackedAttention PackedMultiHeadAttention Pad PagedAttention QAttention QEmbedLayerNormalization QGemm
QLinearAdd QLinearAveragePool QLinearConcat QLinearConv QLinearGlobalAveragePool QLinearLeakyRelu QLinearMul QLinearReduceMean
QLinearSigmoid QLinearSoftmax QLinearWhere QMoE QOrderedAttention QOrderedGelu QOrderedLayerNormalization
QOrderedLongformerAttention QOrderedMatMul QuantizeBFP QuantizeLinear QuantizeWithOrder QuickGelu Range ReduceSumInteger
RelativePositionBias RemovePadding RestorePadding Rfft RotaryEmbedding SampleOp Sampling SkipGroupNorm SkipLayerNormalization
SkipSimplifiedLayerNormalization Snpe SparseAttention SparseToDenseMatMul Tokenizer TorchEmbedding TransposeMatMul Trilu
UnfoldTensor Unique VarlenCausalConvWithState VarlenNGramHashMapping WhisperBeamSearch WordConvEmbedding
`
  .trim()
  .split(/\s+/);

const SEARCH = "a whole search for words over sub-graphs: the caller's loop, as in `@verticil/llm`";
const SEARCHED = "stands only in the sub-graphs of those searches";
const TRAINING = "for training";
const CUDA = "put in by passes for CUDA while a model is loaded, not by exporters; no kernel for CPUs";
const GENERATOR = "for the paged caches of ONNX Runtime's own generator on CUDA; no kernel for CPUs";
const BACKEND = "holds code of another backend";
const RARE = "of one model from before 2020";

/** Those that are not imported, and why. */
export const missingRuntimeOperators: Readonly<Record<string, string>> = {
  AttnLSTM: RARE,
  BeamSearch: SEARCH,
  BiasDropout: TRAINING,
  BifurcationDetector: SEARCHED,
  BitmaskBiasDropout: TRAINING,
  BitmaskDropout: TRAINING,
  ComplexMul: "of complex numbers as pairs, with Rfft; no kernel for CPUs",
  ComplexMulConj: "of complex numbers as pairs, with Rfft; no kernel for CPUs",
  ConvTransposeWithDynamicPads: RARE,
  DecoderAttention: RARE,
  DecoderMaskedMultiHeadAttention: SEARCHED,
  DecoderMaskedSelfAttention: SEARCHED,
  DequantizeBFP: "of block floating point, whose layout is the device's; no kernel",
  DequantizeWithOrder: CUDA,
  DynamicQuantizeLSTM: "quantizes its state at every step: not written yet",
  DynamicTimeWarping: SEARCHED,
  EPContext: BACKEND,
  EngramGate: GENERATOR,
  FusedMatMulActivation: "put in by passes for DirectML while a model is loaded; no kernel for CPUs",
  GatedAdd: GENERATOR,
  GatedDeltaNet: GENERATOR,
  GatedRMSNorm: GENERATOR,
  GatedRelativePositionBias: CUDA,
  GemmFastGelu: CUDA,
  GemmFloat8: "of 8-bit floats on CUDA; no kernel for CPUs",
  GemmaRotaryEmbedding: CUDA,
  GreedySearch: SEARCH,
  Irfft: "the standard's DFT took its place; no kernel for CPUs",
  IsAllFinite: TRAINING,
  LinearAttention: "the recurrent state of linear attention: not written yet",
  LinearAttentionGate: "the recurrent state of linear attention: not written yet",
  LongformerAttention: CUDA,
  MRotaryEmbedding: GENERATOR,
  MatMulBlockQuantizedFp4Weight: GENERATOR,
  MatMulBlockQuantizedFp8Weight: GENERATOR,
  MatMulFpQ4: "its weights are packed for one processor",
  MatMulNBitsMlp: "put in by passes for WebGPU while a model is loaded; no kernel for CPUs",
  MatMulNBitsQkv: "put in by passes for WebGPU while a model is loaded; no kernel for CPUs",
  MaxpoolWithMask: RARE,
  MoE: "chooses experts by word: not written yet",
  MulInteger: "there is no kernel of it",
  MurmurHash3: "hashes strings and numbers for classical machine learning",
  NGramHashMapping: GENERATOR,
  NGramRepeatBlock: SEARCHED,
  PackedAttention: "of rows without padding on CUDA; no kernel for CPUs",
  PackedMultiHeadAttention: "of rows without padding on CUDA; no kernel for CPUs",
  PagedAttention: GENERATOR,
  QMoE: "chooses experts by word: not written yet",
  QOrderedAttention: CUDA,
  QOrderedGelu: CUDA,
  QOrderedLayerNormalization: CUDA,
  QOrderedLongformerAttention: CUDA,
  QOrderedMatMul: CUDA,
  QuantizeBFP: "of block floating point, whose layout is the device's; no kernel",
  QuantizeWithOrder: CUDA,
  ReduceSumInteger: "there is no kernel of it",
  RemovePadding: "of rows without padding on CUDA; no kernel for CPUs",
  RestorePadding: "of rows without padding on CUDA; no kernel for CPUs",
  Rfft: "the standard's DFT took its place; no kernel for CPUs",
  SampleOp: "an example for those who write operators",
  Sampling: SEARCH,
  Snpe: BACKEND,
  SparseAttention: "its mask of blocks is sparse: not written yet",
  SparseToDenseMatMul: "of sparse tensors",
  Tokenizer: "on strings, which tensors here do not hold",
  TorchEmbedding: TRAINING,
  VarlenCausalConvWithState: GENERATOR,
  VarlenNGramHashMapping: GENERATOR,
  WhisperBeamSearch: SEARCH,
  WordConvEmbedding: RARE,
};

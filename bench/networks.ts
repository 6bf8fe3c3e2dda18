/** A convolution with its bias and activation. */
export interface ConvLayer {
  readonly kind: "conv";
  readonly input: string;
  readonly output: string;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernel: number;
  readonly stride: number;
  readonly pad: number;
  readonly depthwise: boolean;
  readonly activation: "none" | "relu" | "relu6";
}

/** Whatever else the networks below are made of. */
export type Layer =
  | ConvLayer
  | { readonly kind: "add"; readonly inputs: readonly [string, string]; readonly output: string; readonly relu: boolean }
  | { readonly kind: "concat"; readonly inputs: readonly string[]; readonly output: string }
  | { readonly kind: "max-pool"; readonly input: string; readonly output: string; readonly kernel: number; readonly stride: number; readonly pad: number }
  | { readonly kind: "global-average"; readonly input: string; readonly output: string }
  | { readonly kind: "dense"; readonly input: string; readonly output: string; readonly inChannels: number; readonly outChannels: number };

/** A network by its layers, with an image of `size × size` and three channels as `input` and one `output`. */
export interface Network {
  readonly name: string;
  readonly size: number;
  readonly layers: readonly Layer[];
  readonly output: string;
}

class Builder {
  readonly layers: Layer[] = [];
  #count = 0;

  name(): string {
    return `t${++this.#count}`;
  }

  conv(input: string, inChannels: number, outChannels: number, opts: Partial<Pick<ConvLayer, "kernel" | "stride" | "depthwise" | "activation" | "pad">> = {}): string {
    const { kernel = 1, stride = 1, depthwise = false, activation = "relu" } = opts;
    const output = this.name();
    const pad = opts.pad ?? (kernel - 1) / 2;
    this.layers.push({ kind: "conv", input, output, inChannels, outChannels, kernel, stride, pad, depthwise, activation });
    return output;
  }

  add(a: string, b: string, relu: boolean): string {
    const output = this.name();
    this.layers.push({ kind: "add", inputs: [a, b], output, relu });
    return output;
  }

  maxPool(input: string, kernel: number, stride: number, pad: number): string {
    const output = this.name();
    this.layers.push({ kind: "max-pool", input, output, kernel, stride, pad });
    return output;
  }

  concat(inputs: readonly string[]): string {
    const output = this.name();
    this.layers.push({ kind: "concat", inputs, output });
    return output;
  }

  globalAverage(input: string): string {
    const output = this.name();
    this.layers.push({ kind: "global-average", input, output });
    return output;
  }

  classifier(input: string, inChannels: number): string {
    const pooled = this.globalAverage(input);
    const output = this.name();
    this.layers.push({ kind: "dense", input: pooled, output, inChannels, outChannels: 1000 });
    return output;
  }
}

/** MobileNetV2 1.0 at 224 (Sandler et al. 2018, table 2). */
export function mobilenetV2(): Network {
  const b = new Builder();
  let x = b.conv("input", 3, 32, { kernel: 3, stride: 2, activation: "relu6" });
  let channels = 32;
  const blocks = [[1, 16, 1, 1], [6, 24, 2, 2], [6, 32, 3, 2], [6, 64, 4, 2], [6, 96, 3, 1], [6, 160, 3, 2], [6, 320, 1, 1]] as const;
  for (const [expansion, out, repeats, first] of blocks) {
    for (let i = 0; i < repeats; i++) {
      const stride = i === 0 ? first : 1;
      const wide = channels * expansion;
      const before = x;
      if (expansion > 1) x = b.conv(x, channels, wide, { activation: "relu6" });
      x = b.conv(x, wide, wide, { kernel: 3, stride, depthwise: true, activation: "relu6" });
      x = b.conv(x, wide, out, { activation: "none" });
      if (stride === 1 && channels === out) x = b.add(x, before, false);
      channels = out;
    }
  }
  x = b.conv(x, channels, 1280, { activation: "relu6" });
  return { name: "mobilenet-v2", size: 224, output: b.classifier(x, 1280), layers: b.layers };
}

/** ResNet-50 at 224, the stride in the 3×3 convolutions (He et al. 2015; "v1.5"). */
export function resnet50(): Network {
  const b = new Builder();
  let x = b.maxPool(b.conv("input", 3, 64, { kernel: 7, stride: 2 }), 3, 2, 1);
  let channels = 64;
  for (const [width, repeats, first] of [[64, 3, 1], [128, 4, 2], [256, 6, 2], [512, 3, 2]] as const) {
    for (let i = 0; i < repeats; i++) {
      const stride = i === 0 ? first : 1;
      const shortcut = i === 0 ? b.conv(x, channels, width * 4, { stride, activation: "none" }) : x;
      let y = b.conv(x, channels, width);
      y = b.conv(y, width, width, { kernel: 3, stride });
      y = b.conv(y, width, width * 4, { activation: "none" });
      x = b.add(y, shortcut, true);
      channels = width * 4;
    }
  }
  return { name: "resnet-50", size: 224, output: b.classifier(x, 2048), layers: b.layers };
}

/** SqueezeNet 1.1 at 224 (Iandola et al. 2016). */
export function squeezenet(): Network {
  const b = new Builder();
  let x = b.maxPool(b.conv("input", 3, 64, { kernel: 3, stride: 2, pad: 0 }), 3, 2, 0);
  const fire = (input: string, channels: number, squeeze: number, expand: number): string => {
    const s = b.conv(input, channels, squeeze);
    return b.concat([b.conv(s, squeeze, expand), b.conv(s, squeeze, expand, { kernel: 3 })]);
  };
  x = fire(fire(x, 64, 16, 64), 128, 16, 64);
  x = b.maxPool(x, 3, 2, 0);
  x = fire(fire(x, 128, 32, 128), 256, 32, 128);
  x = b.maxPool(x, 3, 2, 0);
  x = fire(fire(x, 256, 48, 192), 384, 48, 192);
  x = fire(fire(x, 384, 64, 256), 512, 64, 256);
  x = b.conv(x, 512, 1000);
  return { name: "squeezenet-1.1", size: 224, output: b.globalAverage(x), layers: b.layers };
}

/** Weights and bias of a layer, the same for the same name: small numbers of both signs that keep activations in range. */
export function layerWeights(layer: Layer & { readonly output: string }): { readonly weight: Float32Array; readonly bias: Float32Array } {
  if (layer.kind !== "conv" && layer.kind !== "dense") return { weight: new Float32Array(0), bias: new Float32Array(0) };
  const kernel = layer.kind === "conv" ? layer.kernel ** 2 : 1;
  const fanIn = layer.kind === "conv" && layer.depthwise ? kernel : layer.inChannels * kernel;
  const count = layer.outChannels * fanIn;
  let state = 12345 + Number(layer.output.slice(1)) * 7919;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
  const scale = Math.sqrt(3 / fanIn);
  return {
    weight: Float32Array.from({ length: count }, () => next() * scale),
    bias: Float32Array.from({ length: layer.outChannels }, () => next() * 0.1),
  };
}

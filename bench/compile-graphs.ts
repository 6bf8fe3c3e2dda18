import type { IRModule } from "@verticil/ir-core";
import { BlockBuilder, makeConstant, makeTensorStructInfo, makeVar, relaxOps, type Expr } from "@verticil/relax";
import { tensor } from "@verticil/runtime-ffi";

/** A module whose `main` is built by `build` from one input. */
function graph(shape: readonly number[], build: (bb: BlockBuilder, x: Expr) => Expr): IRModule {
  const bb = new BlockBuilder({ ops: relaxOps });
  const x = makeVar("x", makeTensorStructInfo(shape, "float32"));
  bb.function("main", [x], () => bb.dataflow(() => bb.emitOutput(build(bb, x))));
  return bb.finalize();
}

function weights(shape: readonly number[], seed: number): Expr {
  const count = shape.reduce((a, b) => a * b, 1);
  let state = seed * 7919 + 12345;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 31 - 1) * 0.1;
  };
  return makeConstant(tensor(Float32Array.from({ length: count }, next), shape));
}

/** `nodes` operators on small matrices: a product every eighth, else what fuses, with sums that reach far back. */
export function mixedGraph(nodes: number): IRModule {
  const unary = ["relax.sigmoid", "relax.tanh", "relax.nn.relu", "relax.abs", "relax.negative"];
  return graph([8, 16], (bb, x) => {
    const values: Expr[] = [x];
    const back = (i: number): Expr => values[Math.max(0, values.length - 1 - i)] ?? x;
    for (let i = 0; i < nodes; i++) {
      const kind = i % 8;
      if (kind === 0) values.push(bb.emitOp("relax.matmul", [back(0), weights([16, 16], i)]));
      else if (kind === 3) values.push(bb.emitOp("relax.add", [back(0), back(5)]));
      else if (kind === 5) values.push(bb.emitOp("relax.nn.softmax", [back(0)], { axis: -1 }));
      else if (kind === 7) values.push(bb.emitOp("relax.add", [back(0), back(20)]));
      else values.push(bb.emitOp(unary[i % unary.length] ?? "relax.abs", [back(0)]));
    }
    return back(0);
  });
}

/** A convolutional network of `nodes` operators: convolution, bias, activation and a sum with what came before, at 12 widths. */
export function convGraph(nodes: number): IRModule {
  return graph([1, 8, 16, 16], (bb, x) => {
    let [value, channels, count, block] = [x, 8, 0, 0];
    while (count + 7 <= nodes) {
      const wide = 8 + 4 * (block % 12);
      const seed = ++block;
      const conv = (e: Expr, from: number, to: number, kernel: number): Expr => {
        const pad = (kernel - 1) / 2;
        const y = bb.emitOp("relax.nn.conv2d", [e, weights([to, from, kernel, kernel], seed)], { padding: [pad, pad, pad, pad] });
        return bb.emitOp("relax.add", [y, weights([1, to, 1, 1], seed)]);
      };
      const inner = bb.emitOp("relax.nn.relu", [conv(value, channels, wide, 1)]);
      const outer = conv(inner, wide, wide, 3);
      value = channels === wide ? bb.emitOp("relax.add", [outer, value]) : bb.emitOp("relax.nn.relu", [outer]);
      value = bb.emitOp("relax.nn.relu", [value]);
      [channels, count] = [wide, count + 7];
    }
    for (; count < nodes; count++) value = bb.emitOp("relax.nn.relu", [value]);
    return value;
  });
}

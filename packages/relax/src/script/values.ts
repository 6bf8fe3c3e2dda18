import type { AttrMap } from "@verticil/ir-core";
import { ScriptObject } from "@verticil/tvmscript";
import type { Expr } from "../ir/expr.ts";
import type { StructInfo } from "../ir/struct-info.ts";

/** `R.match_cast(value, struct_info)`. */
export class MatchCastValue extends ScriptObject {
  readonly what = "a match_cast";
  readonly value: Expr;
  readonly structInfo: StructInfo;
  constructor(value: Expr, structInfo: StructInfo) {
    super();
    this.value = value;
    this.structInfo = structInfo;
  }
}

/** `R.dataflow()`. */
export class DataflowValue extends ScriptObject {
  readonly what = "a dataflow block";
}

/** `R.output(…)`: its arguments were found before the block was read. */
export class OutputValue extends ScriptObject {
  readonly what = "the outputs of a dataflow block";
}

/** `R.func_attr({…})`. */
export class FuncAttrValue extends ScriptObject {
  readonly what = "the attributes of a function";
  readonly attrs: AttrMap;
  constructor(attrs: AttrMap) {
    super();
    this.attrs = attrs;
  }
}

/** `R.func_ret_struct_info(…)`. */
export class ReturnInfoValue extends ScriptObject {
  readonly what = "a function's return type";
  readonly structInfo: StructInfo;
  constructor(structInfo: StructInfo) {
    super();
    this.structInfo = structInfo;
  }
}

/** `R.device(…)`, the second argument of `R.hint_on_device`. */
export class DeviceValue extends ScriptObject {
  readonly what = "a device";
  readonly attrs: AttrMap;
  constructor(attrs: AttrMap) {
    super();
    this.attrs = attrs;
  }
}

/** What `x.shape`, `x.strides` and `x.dtype` are for a tensor: indexed or asked, they make calls of `relax.inspect`. */
export class InspectValue extends ScriptObject {
  readonly what: string;
  readonly tensor: Expr;
  readonly part: "shape" | "strides" | "dtype";
  constructor(tensor: Expr, part: "shape" | "strides" | "dtype") {
    super();
    this.what = `the ${part} of a tensor`;
    this.tensor = tensor;
    this.part = part;
  }
}

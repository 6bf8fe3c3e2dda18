import type { AttributeProto, FunctionProto, GraphProto, NodeProto } from "../proto/schema.ts";

/** The body of a function with the attributes of the node that calls it put in the places that refer to them. */
export function bindAttributes(func: FunctionProto, call: NodeProto): GraphProto {
  const given = new Map((call.attribute ?? []).map((a) => [a.name ?? "", a]));
  return {
    node: (func.node ?? []).map((node) => withAttributes(node, given)),
    output: (func.output ?? []).map((name) => ({ name })),
  };
}

function withAttributes(node: NodeProto, given: ReadonlyMap<string, AttributeProto>): NodeProto {
  const attribute = (node.attribute ?? []).flatMap((a) => {
    const ref = a.refAttrName ?? "";
    if (ref === "") return [a];
    const value = given.get(ref);
    return value === undefined ? [] : [{ ...value, name: a.name ?? "" }];
  });
  return { ...node, input: node.input ?? [], output: node.output ?? [], opType: node.opType ?? "", domain: node.domain ?? "", name: node.name ?? "", attribute };
}

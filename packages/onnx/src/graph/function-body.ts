import type { AttributeProto, FunctionProto, GraphProto, NodeProto } from "../proto/schema.ts";

/**
 * The body of a function with the attributes of the node that calls it put in the places that refer to them, in sub-graphs too;
 * the function's own values stand for those that the call leaves out.
 */
export function bindAttributes(func: FunctionProto, call: NodeProto): GraphProto {
  const given = new Map([...(func.attributeProto ?? []), ...(call.attribute ?? [])].map((a) => [a.name ?? "", a]));
  return {
    node: (func.node ?? []).map((node) => withAttributes(node, given)),
    output: (func.output ?? []).map((name) => ({ name })),
  };
}

type Given = ReadonlyMap<string, AttributeProto>;

function withAttributes(node: NodeProto, given: Given): NodeProto {
  const attribute = (node.attribute ?? []).flatMap((a) => {
    const ref = a.refAttrName ?? "";
    if (ref === "") return [withinGraphs(a, given)];
    const value = given.get(ref);
    return value === undefined ? [] : [{ ...value, name: a.name ?? "" }];
  });
  return { ...node, input: node.input ?? [], output: node.output ?? [], opType: node.opType ?? "", domain: node.domain ?? "", name: node.name ?? "", attribute };
}

function withinGraphs(a: AttributeProto, given: Given): AttributeProto {
  const inside = (graph: GraphProto): GraphProto => ({
    name: graph.name ?? "",
    input: graph.input ?? [],
    output: graph.output ?? [],
    valueInfo: graph.valueInfo ?? [],
    initializer: graph.initializer ?? [],
    node: (graph.node ?? []).map((node) => withAttributes(node, given)),
  });
  const [one, several] = [a.g, a.graphs ?? []];
  if ((one === undefined || one === null) && several.length === 0) return a;
  return { name: a.name ?? "", type: a.type ?? 0, graphs: several.map(inside), g: one === undefined || one === null ? undefined : inside(one) };
}

import { makeGlobalVar, type GlobalVar } from "@verticil/ir-core";

/** A global variable under a name that is not in `names`: `name`, or `name_1`, … The name is added to `names`. */
export function freshGlobalVar(names: Set<string>, name: string): GlobalVar {
  let fresh = name;
  for (let i = 1; names.has(fresh); i++) fresh = `${name}_${i}`;
  names.add(fresh);
  return makeGlobalVar(fresh);
}

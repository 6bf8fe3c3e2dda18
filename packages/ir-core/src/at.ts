/** The item at an index that the caller knows to be there. @throws Error ("internal: …") if it is not. */
export function at<T>(list: ArrayLike<T>, index: number): T {
  const item = list[index < 0 ? list.length + index : index];
  if (item === undefined) throw new Error(`internal: no item ${index} in a list of ${list.length}`);
  return item;
}

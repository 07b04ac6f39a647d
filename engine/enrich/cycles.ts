/**
 * Which groups contain one another (R. Tarjan, Depth-first search and linear graph algorithms, 1972), without recursion, so that
 * depth costs memory and not the stack. A group in no cycle is alone.
 */

/** Yields sets of groups that contain one another, those below before those above. `below`: groups that a group contains. */
export function* knots(
  groups: Iterable<number>,
  below: (group: number) => Iterable<number>,
): Generator<number[], void, void> {
  const order = new Map<number, number>();
  const lowest = new Map<number, number>();
  const open: number[] = [];
  const isOpen = new Set<number>();
  for (const start of groups) {
    if (order.has(start)) continue;
    const path: { group: number; rest: Iterator<number> }[] = [];
    const enter = (group: number) => {
      order.set(group, order.size);
      lowest.set(group, order.size - 1);
      open.push(group);
      isOpen.add(group);
      path.push({ group, rest: below(group)[Symbol.iterator]() });
    };
    const lower = (group: number, to: number) => lowest.set(group, Math.min(lowest.get(group) ?? to, to));
    enter(start);
    for (let at = path.at(-1); at !== undefined; at = path.at(-1)) {
      const { group } = at;
      const next = at.rest.next();
      if (next.done !== true) {
        if (!order.has(next.value)) enter(next.value);
        else if (isOpen.has(next.value)) lower(group, order.get(next.value) ?? 0);
        continue;
      }
      path.pop();
      const above = path.at(-1);
      if (above) lower(above.group, lowest.get(group) ?? 0);
      if (lowest.get(group) !== order.get(group)) continue;
      const knot = open.splice(open.lastIndexOf(group));
      for (const one of knot) isOpen.delete(one);
      yield knot;
    }
  }
}

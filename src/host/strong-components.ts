/**
 * Tarjan's strongly connected components, each after all components that it points to. Without recursion: a chain of 100,000 nodes is fine.
 */
export function strongComponents(ids: readonly string[], edges: (id: string) => readonly string[]): string[][] {
  const visits = new Map<string, { order: number; low: number; onStack: boolean }>();
  const stack: string[] = [];
  const components: string[][] = [];

  const enter = (id: string) => {
    const visit = { order: visits.size, low: visits.size, onStack: true };
    visits.set(id, visit);
    stack.push(id);
    return { id, visit, targets: edges(id), next: 0 };
  };

  for (const root of ids) {
    if (visits.has(root)) continue;
    const path = [enter(root)];
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const target = top.targets[top.next];
      top.next += 1;
      if (target !== undefined) {
        const seen = visits.get(target);
        if (!seen) path.push(enter(target));
        else if (seen.onStack) top.visit.low = Math.min(top.visit.low, seen.order);
        continue;
      }
      path.pop();
      const parent = path.at(-1);
      if (parent) parent.visit.low = Math.min(parent.visit.low, top.visit.low);
      if (top.visit.low !== top.visit.order) continue;
      const component = stack.splice(stack.lastIndexOf(top.id));
      for (const id of component) {
        const member = visits.get(id);
        if (member) member.onStack = false;
      }
      components.push(component);
    }
  }
  return components;
}

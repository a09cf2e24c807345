/** The fields that identify a package, and the rest as it is. */
export type PackageJson = { name: string; version: string } & Record<string, unknown>;

/** Strict where readers differ: UTF-8 with or without a byte-order mark, no key twice, no `__proto__`. A text says what is wrong. */
export function parsePackageJson(content: Uint8Array): { packageJson: PackageJson } | { fault: string } {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(content);
  } catch {
    return { fault: "is not UTF-8" };
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { fault: "is not JSON" };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { fault: "is not a JSON object" };
  const key = hasEveryKeyOnce(text, value) ? undefined : findAmbiguousKey(text);
  if (key !== undefined)
    return { fault: `has the key ${JSON.stringify(key.slice(0, 100))}, which readers understand differently` };
  const { name, version } = value as Record<string, unknown>;
  if (typeof name !== "string" || typeof version !== "string") return { fault: "has no name and version" };
  return { packageJson: value as PackageJson };
}

/** A quick look that most pass: as many keys in the text as in what it was read as, and no `__proto__`. */
function hasEveryKeyOnce(text: string, value: unknown): boolean {
  const colons = text.replace(/"(?:[^"\\]|\\.)*"/gs, "").split(":").length - 1;
  return countKeys(value) === colons;
}

/** In all objects; not a number when one has `__proto__`. */
function countKeys(value: unknown): number {
  let count = 0;
  // A list of its own: nesting may be deeper than the stack.
  const left = [value];
  while (left.length > 0) {
    const next = left.pop();
    if (typeof next !== "object" || next === null) continue;
    if (!Array.isArray(next)) {
      const keys = Object.keys(next);
      if (keys.includes("__proto__")) return Number.NaN;
      count += keys.length;
    }
    for (const member of Object.values(next)) left.push(member);
  }
  return count;
}

/** The first key that occurs twice in one object, or `__proto__`. `text` is valid JSON. */
function findAmbiguousKey(text: string): string | undefined {
  const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]/gs;
  /** One per open bracket: the keys of an object, or nothing for an array. */
  const open: (Set<string> | undefined)[] = [];
  let last = "";
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const [found] = match;
    if (found === "{") open.push(new Set());
    else if (found === "[") open.push(undefined);
    else if (found === "}" || found === "]") open.pop();
    else if (found[0] === '"' && (last === "{" || last === ",")) {
      const keys = open.at(-1);
      const key = JSON.parse(found) as string;
      if (keys && (keys.has(key) || key === "__proto__")) return key;
      keys?.add(key);
    }
    last = found;
  }
  return undefined;
}

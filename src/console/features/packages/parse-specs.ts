import { isExactVersion, isPackageName } from "../../../contract/index.ts";

export interface Spec {
  name: string;
  /** Absent: the newest that policy allows. */
  version?: string;
  /** Without a version: what it must be in. */
  range?: string;
}

/** `dayjs zod@4.1.12`: names with or without an exact version, apart by blanks or commas. What is neither is in `wrong`. */
export function parseSpecs(text: string): { specs: Spec[]; wrong: string[] } {
  const specs = new Map<string, Spec>();
  const wrong: string[] = [];
  for (const word of text.split(/[\s,]+/).filter(Boolean)) {
    const at = word.lastIndexOf("@");
    const [name, version] = at > 0 ? [word.slice(0, at), word.slice(at + 1)] : [word, undefined];
    if (!isPackageName(name) || (version !== undefined && version !== "latest" && !isExactVersion(version))) wrong.push(word);
    else specs.set(name, version === undefined || version === "latest" ? { name } : { name, version });
  }
  return { specs: [...specs.values()], wrong };
}

/** The dependencies of a `package.json`: exact pins stay, for a range it will be the newest version in it. Throws a `SyntaxError` for what is no JSON. */
export function specsOfPackageJson(text: string): { specs: Spec[]; ranges: string[]; skipped: string[] } {
  const manifest: unknown = JSON.parse(text);
  const dependencies =
    typeof manifest === "object" && manifest !== null && "dependencies" in manifest ? manifest.dependencies : {};
  const specs: Spec[] = [];
  const ranges: string[] = [];
  const skipped: string[] = [];
  for (const [name, wanted] of Object.entries((dependencies ?? {}) as Record<string, unknown>)) {
    const range = String(wanted).trim();
    const exact = range.replace(/^[v=]+/, "");
    if (!isPackageName(name) || /^[a-z+]+:|\//.test(range)) skipped.push(`${name} (${range})`);
    else if (isExactVersion(exact)) specs.push({ name, version: exact });
    else {
      specs.push(isTag(range) ? { name } : { name, range });
      ranges.push(`${name} ${range}`);
    }
  }
  return { specs, ranges, skipped };
}

/** `latest` and its like, or nothing: not a range of versions. */
const isTag = (text: string): boolean => text === "" || (/^[a-z]/i.test(text) && !/^[vx](?:[\d.]|$)/i.test(text));

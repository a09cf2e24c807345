import { type ExactVersion, isExactVersion, isPackageName, type PackageName } from "../contract/index.ts";
import { AnswerFault } from "./http-fault.ts";

/** What a registry's search says of a package. */
export interface FoundPackage {
  name: PackageName;
  version?: ExactVersion;
  description?: string;
  /** RFC 3339, UTC. */
  publishedAt?: string;
}

const bytesLimit = 4 << 20;
const textLimit = 300;

/** `-/v1/search`, as npm, Verdaccio, Artifactory and Nexus have it. Everything of the text is encoded. */
export function searchAddress(registry: URL, text: string, limit: number): URL {
  const url = new URL("-/v1/search", registry);
  url.searchParams.set("text", text);
  url.searchParams.set("size", String(limit));
  return url;
}

/** Throws `AnswerFault` for what is no search result. */
export async function readSearch(body: AsyncIterable<Uint8Array>, limit: number): Promise<FoundPackage[]> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > bytesLimit) throw new AnswerFault(`its search result is larger than ${bytesLimit} bytes`);
    chunks.push(chunk);
  }
  const objects = objectsOf(Buffer.concat(chunks));
  return objects.slice(0, limit).flatMap((object) => {
    const found = isRecord(object) && isRecord(object.package) ? object.package : undefined;
    if (typeof found?.name !== "string" || !isPackageName(found.name)) return [];
    const { version, description, date } = found;
    const time = typeof date === "string" ? Date.parse(date) : Number.NaN;
    return {
      name: found.name,
      ...(typeof version === "string" && isExactVersion(version) ? { version } : {}),
      ...(typeof description === "string" && description !== "" ? { description: description.slice(0, textLimit) } : {}),
      ...(Number.isNaN(time) ? {} : { publishedAt: new Date(time).toISOString() }),
    };
  });
}

function objectsOf(bytes: Uint8Array): unknown[] {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (isRecord(value) && Array.isArray(value.objects)) return value.objects;
  } catch {
    // Not UTF-8 or not JSON: said below.
  }
  throw new AnswerFault("its search result is not one");
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

import { openRegistryMirror } from "../test/harness/registry-mirror.ts";

/** What npm's registry leaves of a version in its abbreviated documents. */
const versionMembers = [
  "name",
  "version",
  "deprecated",
  "dependencies",
  "optionalDependencies",
  "devDependencies",
  "bundleDependencies",
  "peerDependencies",
  "peerDependenciesMeta",
  "bin",
  "directories",
  "dist",
  "engines",
  "cpu",
  "os",
  "libc",
  "funding",
  "hasInstallScript",
];

interface Answer {
  body: Uint8Array<ArrayBuffer>;
  etag: string;
}

/**
 * Real packuments from memory, so that a measurement is of its subjects and not of this: in both forms, as npm's registry, Verdaccio and most others have them, or only
 * whole. Serves on loopback until the process ends.
 */
export async function openMemoryRegistry({ abbreviates }: { abbreviates: boolean }): Promise<string> {
  const mirror = await openRegistryMirror();
  const answers = new Map<string, Promise<Answer | undefined>>();
  const answerTo = (path: string, short: boolean): Promise<Answer | undefined> => {
    const key = `${path} ${short}`;
    const known =
      answers.get(key) ?? load(new URL(path.slice(1), mirror.url), { short, mirror: mirror.url, self: server.url.href });
    answers.set(key, known);
    return known;
  };
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname.includes("/-/")) return await fetch(new URL(pathname.slice(1), mirror.url));
      const short = abbreviates && request.headers.get("accept")?.includes("application/vnd.npm.install-v1+json") === true;
      const answer = await answerTo(pathname, short);
      if (answer === undefined) return new Response("{}", { status: 404 });
      const headers = { etag: answer.etag, "content-type": "application/json" };
      if (request.headers.get("if-none-match") === answer.etag) return new Response(null, { status: 304, headers });
      return new Response(answer.body, { headers });
    },
  });
  return server.url.href;
}

async function load(
  url: URL,
  { short, mirror, self }: { short: boolean; mirror: string; self: string },
): Promise<Answer | undefined> {
  const response = await fetch(url);
  if (response.status !== 200) return undefined;
  const text = (await response.text()).replaceAll(mirror, self);
  const body = new TextEncoder().encode(short ? JSON.stringify(abbreviated(JSON.parse(text))) : text);
  return { body, etag: `"${Bun.hash(body).toString(16)}"` };
}

type Document = Record<string, unknown> & { time?: Record<string, string>; versions: Record<string, Record<string, unknown>> };

function abbreviated({ name, time, versions, "dist-tags": tags }: Document): object {
  const pick = (version: Record<string, unknown>) =>
    Object.fromEntries(versionMembers.flatMap((member) => (member in version ? [[member, version[member]]] : [])));
  const short = Object.entries(versions).map(([key, version]) => [key, pick(version)] as const);
  // Not every proxy of npm's registry passes on when a document was modified: it is at least as new as its newest version.
  const modified =
    time?.modified ??
    Object.values(time ?? {})
      .sort()
      .at(-1);
  return { name, modified, "dist-tags": tags, versions: Object.fromEntries(short) };
}

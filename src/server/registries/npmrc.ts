import type { RegistryAuthInput } from "../../contract/index.ts";

export interface NpmrcRegistry {
  /** `undefined`: of `registry=`, the default. */
  scope: string | undefined;
  url: string;
  line: number;
}

export interface NpmrcCredentials {
  /** `//host/path/`, as npm writes it; `undefined` for those of the default registry, from before npm bound them to one. */
  address: string | undefined;
  auth: RegistryAuthInput;
  line: number;
}

export interface Npmrc {
  registries: NpmrcRegistry[];
  credentials: NpmrcCredentials[];
  ca?: string;
  /** The file that `cafile` names. */
  cafile?: string;
  ignored: { line: number; why: string }[];
  /** Lines with a secret that is nothing: what is left of a variable that nobody had set. */
  empty: { line: number; key: string }[];
  /** Lines whose value is an environment variable's, which only whoever has the file can know. */
  variables: { line: number; key: string; variable: string }[];
}

interface Entry {
  key: string;
  value: string;
  line: number;
}

const secretKeys = new Set(["_authToken", "_auth", "username", "_password"]);

/** What an .npmrc says of registries. Pure; values are taken as they stand. Messages name keys and lines, never values. */
export function parseNpmrc(text: string): Npmrc {
  const npmrc: Npmrc = { registries: [], credentials: [], ignored: [], empty: [], variables: [] };
  const secrets = new Map<string, Map<string, Entry>>();
  const cas: string[] = [];
  for (const entry of entriesOf(text)) {
    const { key, value, line } = entry;
    const variable = /\$\{([^}]*)\}/.exec(value)?.[1];
    const [, address, member] = /^(\/\/.+?):([^:/]+)$/.exec(key) ?? [];
    const secret = member ?? key;
    const scope = /^(@[^:]+):registry$/.exec(key)?.[1];
    const isOurs = key === "registry" || scope !== undefined || secretKeys.has(secret) || ["ca", "ca[]", "cafile"].includes(key);
    if (!isOurs) npmrc.ignored.push({ line, why: `${key} is not about where packages come from` });
    else if (variable !== undefined) npmrc.variables.push({ line, key, variable });
    else if (key === "registry" || scope !== undefined) npmrc.registries.push({ scope, url: value, line });
    else if (key === "cafile") npmrc.cafile = value;
    else if (key.startsWith("ca")) cas.push(value.replaceAll("\\n", "\n"));
    else if (value === "") npmrc.empty.push({ line, key });
    else {
      const of = secrets.get(address ?? "") ?? new Map<string, Entry>();
      secrets.set(address ?? "", of.set(secret, entry));
    }
  }
  if (cas.length > 0) npmrc.ca = cas.join("\n");
  for (const [address, entries] of secrets) {
    const found = credentialsOf(entries);
    if (found) npmrc.credentials.push({ address: address || undefined, ...found });
    else
      for (const { key, line } of entries.values())
        npmrc.ignored.push({
          line,
          why: `${key} ${entries.has("_auth") ? "is not NAME:PASSWORD in base64" : "alone is half of a pair"}`,
        });
  }
  return npmrc;
}

function credentialsOf(entries: Map<string, Entry>): { auth: RegistryAuthInput; line: number } | undefined {
  const [token, both, username, password] = ["_authToken", "_auth", "username", "_password"].map((key) => entries.get(key));
  if (token) return { auth: { type: "bearer", token: token.value }, line: token.line };
  if (both) {
    const plain = Buffer.from(both.value, "base64").toString("utf8");
    const colon = plain.indexOf(":");
    if (colon < 1) return undefined;
    return { auth: { type: "basic", username: plain.slice(0, colon), password: plain.slice(colon + 1) }, line: both.line };
  }
  if (username === undefined || password === undefined) return undefined;
  const plain = Buffer.from(password.value, "base64").toString("utf8");
  return { auth: { type: "basic", username: username.value, password: plain }, line: password.line };
}

/** npm's dialect of INI: comments by `;` and `#` at a line's start, values possibly in quotes. */
function entriesOf(text: string): Entry[] {
  return text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .flatMap((raw, index) => {
      const trimmed = raw.trim();
      const at = trimmed.indexOf("=");
      if (trimmed === "" || /^[;#[]/.test(trimmed) || at < 1) return [];
      const value = trimmed
        .slice(at + 1)
        .trim()
        .replace(/^"(.*)"$|^'(.*)'$/, "$1$2");
      return { key: trimmed.slice(0, at).trim(), value, line: index + 1 };
    });
}

import { createHash } from "node:crypto";
import { packTarball, type TarEntry } from "./tarball.ts";

/** One version of one package, as its author would write it; everything not given is made up. */
export interface FixturePackage {
  name: string;
  version: string;
  /** Beside package.json. Without it: an `index.js` that exports `{name, version}`. */
  files?: Record<string, string | Uint8Array>;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  peerDependenciesMeta?: Record<string, { optional?: boolean }>;
  bin?: string | Record<string, string>;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  scripts?: Record<string, string>;
  /** Packed inside, in its own `node_modules`: name → version. */
  bundled?: Record<string, string>;
  deprecated?: string;
  /** RFC 3339; by default one day apart, from the first of January 2020. */
  publishedAt?: string;
  /** The tarball's root folder, `package` unless the author was unusual. */
  rootFolder?: string;
  /** More members of package.json, or other values for them. `undefined` takes one out. */
  packageJson?: Record<string, unknown>;
  /** The packument tells SHA-1 alone, as old registries do. */
  sha1Only?: boolean;
  /** Whether the packument tells `unpackedSize` and `fileCount`; true unless said. */
  declaresSizes?: boolean;
  /** What the packument tells in place of the truth. */
  unpackedSize?: number;
  /** More entries at the end of the tarball, checked by nobody. */
  extraEntries?: TarEntry[];
  /** Instead of all of the above: these bytes. */
  tarball?: Uint8Array;
}

export interface BuiltPackage {
  name: string;
  version: string;
  tarball: Uint8Array;
  integrity: string;
  shasum: string;
  publishedAt: string | undefined;
  /** Everything that the registry says of it, save `dist.tarball`, which depends on where the registry is. */
  document: Record<string, unknown>;
  dist: { shasum: string; integrity?: string; unpackedSize?: number; fileCount?: number };
}

export function buildPackage(spec: FixturePackage): BuiltPackage {
  const { name, version } = spec;
  const packageJson = packageJsonOf(spec);
  const entries = tarEntries(spec, packageJson);
  const tarball = spec.tarball ?? packTarball(entries);
  const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
  const shasum = createHash("sha1").update(tarball).digest("hex");
  const sizes = {
    unpackedSize: entries.reduce((total, { content = "" }) => total + Buffer.byteLength(content), 0),
    fileCount: entries.length,
  };
  return {
    name,
    version,
    tarball,
    integrity,
    shasum,
    publishedAt: spec.publishedAt,
    document: {
      ...packageJson,
      name,
      version,
      _id: `${name}@${version}`,
      ...(spec.deprecated && { deprecated: spec.deprecated }),
    },
    dist: {
      shasum,
      ...(!spec.sha1Only && { integrity }),
      ...(spec.declaresSizes !== false && sizes),
      ...(spec.unpackedSize !== undefined && { unpackedSize: spec.unpackedSize }),
    },
  };
}

function packageJsonOf(spec: FixturePackage): Record<string, unknown> {
  const {
    name,
    version,
    dependencies,
    optionalDependencies,
    peerDependencies,
    peerDependenciesMeta,
    os,
    cpu,
    libc,
    scripts,
    bundled,
  } = spec;
  const bin = typeof spec.bin === "string" ? { [name.replace(/^@[^/]+\//, "")]: spec.bin } : spec.bin;
  const all = {
    name,
    version,
    main: "index.js",
    dependencies: bundled ? { ...bundled, ...dependencies } : dependencies,
    optionalDependencies,
    peerDependencies,
    peerDependenciesMeta,
    bin,
    os,
    cpu,
    libc,
    scripts,
    bundleDependencies: bundled && Object.keys(bundled),
    ...(scripts && ["preinstall", "install", "postinstall"].some((key) => key in scripts) && { hasInstallScript: true }),
    ...spec.packageJson,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function tarEntries(spec: FixturePackage, packageJson: Record<string, unknown>): TarEntry[] {
  const root = spec.rootFolder ?? "package";
  const bins = Object.values((packageJson.bin as Record<string, string> | undefined) ?? {}).map((path) =>
    path.replace(/^\.\//, ""),
  );
  const { hasInstallScript: _, ...written } = packageJson;
  const files = { "package.json": json(written), ...(spec.files ?? { "index.js": exporting(spec.name, spec.version) }) };
  const entries = Object.entries(files).map(([path, content]) => ({
    path: `${root}/${path}`,
    content,
    mode: bins.includes(path) ? 0o755 : 0o644,
  }));
  const inner = Object.entries(spec.bundled ?? {}).flatMap(([name, version]) => [
    { path: `${root}/node_modules/${name}/package.json`, content: json({ name, version, main: "index.js" }) },
    { path: `${root}/node_modules/${name}/index.js`, content: exporting(name, version) },
  ]);
  return [...entries, ...inner, ...(spec.extraEntries ?? [])];
}

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;
const exporting = (name: string, version: string): string => `module.exports = ${JSON.stringify({ name, version })};\n`;

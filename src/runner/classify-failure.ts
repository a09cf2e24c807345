import { isBuiltin } from "node:module";
import { isPackageName, LarderError } from "../contract/for-hosts.ts";
import type { Thrown } from "./child-main.ts";
import { type MissingModule, missingModule } from "./missing-module.ts";
import { nearestName } from "./nearest-name.ts";
import type { Scene } from "./scene.ts";

/** What went wrong in a run, in words of the script: names of its file and of packages, no paths of ours. Pure. */
export function classifyFailure(thrown: Thrown, scene: Scene): LarderError {
  const missing = missingModule(thrown);
  return missing ? moduleFailure(missing, scene) : scriptFailure(thrown, scene);
}

function moduleFailure({ specifier: told, referrer, fenced }: MissingModule, scene: Scene): LarderError {
  const specifier = scene.asWritten(told);
  const byScript = referrer === undefined ? scene.mentions(specifier) : scene.isScript(referrer);
  const at = byScript ? scene.positionOf(specifier) : undefined;
  const details = { specifier, ...(at === undefined ? {} : { position: at }) };
  const where = at ? ` (${at.file}:${at.line}:${at.column})` : "";
  if (!byScript) return packageFailure(specifier, referrer, scene);
  if (/^(?:https?|npm|jsr):/.test(specifier)) {
    return new LarderError("E_MODULE_NOT_FOUND", `Scripts cannot import from an address: ${specifier}${where}.`, {
      hint: "Allowlist the package and import it by its name.",
      details,
    });
  }
  const name = packageNameOf(specifier);
  if (name === undefined || isBuiltin(specifier)) {
    return new LarderError("E_MODULE_NOT_FOUND", `There is no module ${JSON.stringify(scene.clean(specifier))}${where}.`, {
      hint: fileHint(specifier, fenced),
      details,
    });
  }
  const reason = scene.unavailable.get(name);
  if (reason !== undefined) {
    return new LarderError("E_PLATFORM", `${name} is not available on this host: ${reason}${where}.`, {
      hint: `Run the script on another host, or allowlist a version of ${name} that supports ${scene.platform}.`,
      details,
    });
  }
  if (scene.roots.includes(name)) return subpathFailure(name, specifier, { scene, where, details });
  const pending = scene.pending.get(name);
  if (pending !== undefined) {
    return new LarderError(
      "E_NOT_ON_HOST",
      `${name} came with generation ${pending}, which this host does not serve yet${where}.`,
      {
        hint: `Run it again when the host has caught up; this run had generation ${scene.generation}.`,
        details: { package: name, generation: pending, ...details },
      },
    );
  }
  return notAllowlisted(name, where, { scene, details });
}

interface Place {
  scene: Scene;
  where: string;
  details: Record<string, unknown>;
}

function subpathFailure(name: string, specifier: string, { scene, where, details }: Place): LarderError {
  if (specifier === name) {
    return new LarderError("E_SUBPATH", `${name} cannot be imported by its name alone${where}.`, {
      hint: "It has no main module for this runtime: its documentation says what to import from it.",
      details: { package: name, ...details },
    });
  }
  const exported = scene.exportsOf(name);
  const near = nearestName(specifier, exported);
  const known = exported.slice(0, 8).join(", ");
  return new LarderError("E_SUBPATH", `${name} has no module ${JSON.stringify(specifier)} to import${where}.`, {
    hint: near
      ? `Did you mean ${near}?`
      : known
        ? `It offers ${known}${exported.length > 8 ? ", …" : ""}.`
        : "See its documentation for what can be imported from it.",
    details: { package: name, ...(near === undefined ? {} : { nearest: near }), ...details },
  });
}

function notAllowlisted(name: string, where: string, { scene, details }: Omit<Place, "where">): LarderError {
  const near = nearestName(name, scene.roots);
  const older = scene.currentRoots.includes(name);
  const hint = older
    ? "Leave the generation out to run on the current one, which has it."
    : near === undefined
      ? `Allowlist it: larder add ${name}`
      : `Did you mean ${near}? If not: larder add ${name}`;
  const why = !scene.hasTree
    ? "is not on the allowlist: no packages were installed here yet"
    : older
      ? `is not in generation ${scene.generation}, which was asked for`
      : scene.transitive.has(name)
        ? "is here only as a dependency of others, not on the allowlist"
        : "is not on the allowlist";
  return new LarderError("E_NOT_ALLOWLISTED", `The package ${name} ${why}${where}.`, {
    hint,
    details: { package: name, ...(near === undefined ? {} : { nearest: near }), ...details },
  });
}

/** A package's own import failed: the allowlist is not to blame, for a package sees only what it declares. */
function packageFailure(specifier: string, referrer: string | undefined, scene: Scene): LarderError {
  const importer = referrer === undefined ? "A package" : scene.clean(referrer);
  const within = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*\/node_modules\/)/.exec(importer)?.[1];
  const dependency = packageNameOf(specifier);
  const known = within !== undefined && dependency !== undefined;
  return new LarderError(
    "E_MODULE_NOT_FOUND",
    `${importer} imports ${JSON.stringify(scene.clean(specifier))}, which it does not bring along.`,
    {
      hint: known
        ? `${within} does not declare ${dependency}, or takes it for optional. Add it: larder policy set --extend "${within}:${dependency}@*", then larder install. Or try another version of ${within}.`
        : "The package does not declare this dependency, or it is an optional one that was not resolved: try another version of the package.",
      details: { specifier, ...(known ? { package: within, dependency } : {}) },
    },
  );
}

function fileHint(specifier: string, fenced: string | undefined): string {
  if (fenced !== undefined) return "A script can load packages of the allowlist, and files that it wrote in its own directory.";
  if (specifier.startsWith(".") || specifier.startsWith("/"))
    return "A run has one file: put everything in it, or in an allowlisted package.";
  return "Check the name.";
}

/** `@scope/name` or `name` of what an import names; `undefined` for paths, addresses and what cannot be a package. */
export function packageNameOf(specifier: string): string | undefined {
  const parts = specifier.split("/");
  const name = specifier.startsWith("@") ? parts.slice(0, 2).join("/") : parts[0];
  return name !== undefined && isPackageName(name) ? name : undefined;
}

function scriptFailure(thrown: Thrown, scene: Scene): LarderError {
  const { name, message, stack, position } = thrown;
  const told = scene.clean(message);
  const title = { BuildMessage: "SyntaxError", Thrown: "The script threw a value that is not an Error" }[name] ?? name;
  const heading = told === "" ? title : `${title}: ${told}`;
  const frames = position
    ? [`    at ${scene.clean(position.file)}:${position.line}:${position.column}`]
    : (stack ?? "").split("\n").filter((line) => /^\s+at /.test(line) && !/\/\.larder\.mjs|node:internal\//.test(line));
  const cleaned = frames.map((frame) => scene.clean(frame));
  const isSyntax = name === "BuildMessage" && position !== undefined && scene.isScript(position.file);
  return new LarderError(isSyntax ? "E_RUN_SYNTAX" : "E_RUN_FAILED", heading, {
    hint: isSyntax ? `Mend ${scene.scriptName} at line ${position.line}.` : missingExportHint(thrown),
    details: { name: title, stack: [heading, ...cleaned].join("\n"), ...(firstPosition(cleaned, scene) ?? {}) },
  });
}

/** Both runtimes link all modules before any of them runs. */
function missingExportHint({ name, message }: Thrown): string | undefined {
  const isMissing = /^Export named .* not found in module|does not provide an export named/.test(message);
  if (name !== "SyntaxError" || !isMissing) return undefined;
  return "Check the name; from a package in CommonJS, import the default export and take it from there.";
}

/** Where in the script it happened: the innermost frame that is the script's own. */
function firstPosition(frames: string[], { scriptName }: Scene): { position: object } | undefined {
  for (const frame of frames) {
    const match = /(?:^|[\s(])([^\s()]+):(\d+):(\d+)\)?$/.exec(frame);
    if (match?.[1] === scriptName) return { position: { file: scriptName, line: Number(match[2]), column: Number(match[3]) } };
  }
  return undefined;
}

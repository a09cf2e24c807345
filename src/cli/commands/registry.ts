import { resolve } from "node:path";
import { Option } from "commander";
import { LarderError, type Registry, type RegistryInput } from "../../contract/index.ts";
import { type CommandContext, defineCommand, type Page } from "../command.ts";
import { confirm } from "../confirm.ts";
import { connect } from "../connection.ts";
import { readTextFile } from "../read-text-file.ts";
import { readRegistryAuth } from "../registry-auth.ts";
import { renderTable } from "../render/table.ts";

export const registryList = defineCommand({
  examples: ["registry list", "registry list --json | jq '.[] | {name, url, hasToken}'"],
  async run(context) {
    const { client } = await connect(context);
    const registries = await client.registries.list();
    return { json: registries, text: (page) => renderRegistries(registries, page) };
  },
});

function renderRegistries(registries: Registry[], page: Page): string {
  return renderTable(
    [{ title: "name" }, { title: "serves", shrinkTo: 10 }, { title: "address", shrinkTo: 20 }, { title: "auth" }],
    registries.map((registry) => [registry.name, servedBy(registry), registry.url, registry.hasToken ? registry.auth : "none"]),
    page,
  );
}

function servedBy({ name, scopes, names }: Registry): string {
  if (name === "default") return "all that no other claims";
  return [...scopes, ...names].join(", ") || "nothing yet";
}

interface SetOptions {
  scope?: string[];
  private?: string[];
  tarballOrigin?: string[];
  ca?: string | false;
  auth?: "bearer" | "basic" | "none";
  username?: string;
  credentialsFor?: string;
}

export const registrySet = defineCommand<[name: string, url: string | undefined], SetOptions>({
  description: [
    "Larder asks for each package at one registry: the one that claims its name or scope, else `default`. What is not given stays as it is.",
    "A token or password is never an argument: it comes from LARDER_REGISTRY_SECRET, from standard input, or is asked for. Blank at the question keeps the one there is; --auth none clears it. It is sent to the registry's address and what is below it, and nowhere else; with another address it must be given again.",
  ].join("\n\n"),
  examples: [
    "registry set corp https://npm.corp.example/npm/ --scope @corp --auth bearer",
    "registry set corp --private 'corp-*' --ca corp-ca.pem",
    "registry set default https://registry.npmjs.org/",
  ],
  args: { name: "`default`, or a name of your choice", url: "its address; needed for a new one" },
  configure: (command) =>
    void command
      .option("--scope <scope...>", "scopes that it alone serves; replaces those it has")
      .option("--private <name...>", "names or patterns (corp-*) that it alone serves; replaces those it has")
      .option("--tarball-origin <url...>", "other origins that its tarballs may be at; replaces those it has")
      .option("--ca <file>", "certificates, in PEM, that are trusted for it besides the usual ones")
      .option("--no-ca", "trust the usual certificates only")
      .addOption(new Option("--auth <kind>", "how it knows Larder; asks for the secret").choices(["bearer", "basic", "none"]))
      .option("--username <name>", "for --auth basic")
      .option("--credentials-for <url>", "where they may be sent to, when that begins above the registry's address"),
  async run(context, [name, url], options) {
    const { client } = await connect(context);
    const { scope, private: names, tarballOrigin, ca, credentialsFor } = options;
    const auth = await readRegistryAuth(context, options);
    const saved = await client.registries.set({
      name,
      ...(url === undefined ? {} : { url }),
      ...(scope === undefined ? {} : { scopes: scope }),
      ...(names === undefined ? {} : { names }),
      ...(tarballOrigin === undefined ? {} : { tarballOrigins: tarballOrigin }),
      ...(await readCa(context, ca)),
      ...(auth === undefined ? {} : { auth }),
      ...(credentialsFor === undefined ? {} : { credentialsFor }),
    } satisfies RegistryInput);
    return {
      json: saved,
      text: (page) => `${renderRegistries([saved], page)}\n\nSee what works: larder registry test ${saved.name}`,
    };
  },
});

/** Commander has `true` for a `--no-ca` that was not given. */
async function readCa(context: CommandContext, ca: string | boolean | undefined): Promise<Pick<RegistryInput, "ca">> {
  if (ca === false) return { ca: "" };
  return typeof ca === "string" ? { ca: await readTextFile(resolve(context.terminal.cwd, ca)) } : {};
}

export const registryRemove = defineCommand<[name: string]>({
  description: "Names that it served belong to `default` from then on.",
  examples: ["registry remove corp"],
  args: { name: "see `larder registry list`" },
  async run(context, [name]) {
    const { client } = await connect(context);
    const found = (await client.registries.list()).find((each) => each.name === name && each.source === "stored");
    if (found === undefined) {
      throw new LarderError("E_NOT_FOUND", `There is no registry ${name} to remove.`, {
        hint: "`larder registry list` shows those there are.",
      });
    }
    const claims = [...found.scopes, ...found.names];
    await confirm(
      context,
      `Remove the registry ${name}${claims.length > 0 ? ` (${claims.join(", ")} would be asked for at the default one)` : ""}`,
    );
    const removed = await client.registries.remove({ name });
    return { json: removed, text: `Removed ${removed.name} (${removed.url}).` };
  },
});

export const registryImport = defineCommand<[file: string], { dryRun?: boolean }>({
  description: "Values that are environment variables are refused: fill them in on the way, for example with envsubst.",
  examples: ["registry import ~/.npmrc --dry-run", "registry import ~/.npmrc", "envsubst < .npmrc | larder registry import -"],
  args: { file: "the .npmrc, or - for standard input" },
  configure: (command) => void command.option("--dry-run", "only say what would change"),
  async run(context, [file], { dryRun = false }) {
    const { terminal } = context;
    const path = resolve(terminal.cwd, file);
    const npmrc = file === "-" ? await terminal.readInput() : await readTextFile(path);
    const cafile = /^\s*cafile\s*=\s*["']?(.+?)["']?\s*$/m.exec(npmrc)?.[1];
    const given =
      cafile === undefined || cafile.includes("${") ? {} : { cafile: await readTextFile(resolve(terminal.cwd, cafile)) };
    const { client } = await connect(context);
    const result = await client.registries.import({ npmrc, dryRun, ...given });
    return {
      json: result,
      text(page) {
        const lines = result.ignored.map(({ line, why }) => page.style.dim(`line ${line}: ignored, ${why}`));
        if (result.registries.length === 0) return [...lines, "It says nothing of registries."].join("\n");
        const words = result.changes.map(({ name, change }) => `${name} ${dryRun ? `would be ${change}` : change}`).join(", ");
        return [renderRegistries(result.registries, page), "", ...lines, `${words}.`].join("\n");
      },
    };
  },
});

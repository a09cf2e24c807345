import { type PackageSearch, type PackageVersions, parsePackageName, type RegistryTest } from "../../contract/index.ts";
import { defineCommand, type Page } from "../command.ts";
import { connect } from "../connection.ts";
import { parseCount } from "../option-values.ts";
import { formatAgo, formatBytes } from "../render/quantity.ts";
import { renderTable } from "../render/table.ts";

export const registryTest = defineCommand<[name: string], { package?: string }>({
  description:
    "Tries address, TLS, credentials, a packument, its tarball and the search, as installs would use them. Exits with 6 when something fails.",
  examples: ["registry test default", "registry test corp --package @corp/utils"],
  args: { name: "see `larder registry list`" },
  configure: (command) => void command.option("--package <name>", "a package that it should have"),
  async run(context, [name], options) {
    const { client } = await connect(context);
    const wanted = options.package === undefined ? {} : { package: parsePackageName(options.package) };
    const tested = await client.registries.test({ name, ...wanted });
    return { json: tested, text: (page) => renderTest(tested, page), exitCode: tested.ok ? 0 : 6 };
  },
});

const marks = {
  ok: ["green", "ok"],
  failed: ["red", "failed"],
  skipped: ["dim", "skipped"],
  unsupported: ["dim", "no"],
} as const;

function renderTest({ steps }: RegistryTest, page: Page): string {
  const table = renderTable(
    [{ title: "step" }, { title: "" }, { title: "what was found", shrinkTo: 30 }, { title: "ms", align: "right" }],
    steps.map(({ step, state, message, ms }) => [step, { text: marks[state][1], paint: marks[state][0] }, message, String(ms)]),
    { ...page, columns: Number.POSITIVE_INFINITY },
  );
  const hints = steps.flatMap(({ hint }) => (hint === undefined ? [] : [hint]));
  return [table, ...hints.map((hint) => page.style.yellow(hint))].join("\n");
}

export const registrySearch = defineCommand<[text: string], { limit: number; registry?: string }>({
  description: "What begins like a name that some registry claims is asked for there only.",
  examples: ["registry search date", "registry search @corp/ --registry corp"],
  args: { text: "a name, its beginning, or words" },
  configure: (command) =>
    void command
      .option("--limit <n>", "how many to list", parseCount("--limit", 50), 20)
      .option("--registry <name>", "ask this one only"),
  async run(context, [text], { limit, registry }) {
    const { client } = await connect(context);
    const found = await client.registries.search({ text, limit, ...(registry === undefined ? {} : { registry }) });
    return { json: found, text: (page) => renderSearch(found, page) };
  },
});

function renderSearch({ results, registries }: PackageSearch, page: Page): string {
  const notes = registries.flatMap(({ name, state, message }) => {
    if (state === "failed") return page.style.yellow(`${name}: ${message}`);
    return state === "noSearch" ? page.style.dim(`${name} has no search: give an exact name.`) : [];
  });
  if (results.length === 0) return ["Nothing was found.", ...notes].join("\n");
  const table = renderTable(
    [
      { title: "name" },
      { title: "version" },
      { title: "registry" },
      { title: "published" },
      { title: "description", shrinkTo: 10 },
    ],
    results.map(({ name, version, registry, publishedAt, description }) => [
      name,
      version ?? "",
      registry,
      publishedAt === undefined ? "" : formatAgo(publishedAt),
      description ?? "",
    ]),
    page,
  );
  return [table, ...notes].join("\n");
}

export const registryVersions = defineCommand<[name: string], { limit: number }>({
  examples: ["registry versions lodash", "registry versions @corp/utils --limit 100 --json"],
  args: { package: "its name" },
  configure: (command) => void command.option("--limit <n>", "how many to list", parseCount("--limit", 5000), 20),
  async run(context, [text], { limit }) {
    const { client } = await connect(context);
    const found = await client.registries.versions({ name: parsePackageName(text), limit });
    return { json: found, text: (page) => renderVersions(found, page) };
  },
});

function renderVersions({ name, registry, description, total, versions }: PackageVersions, page: Page): string {
  const table = renderTable(
    [
      { title: "version" },
      { title: "tags", shrinkTo: 6 },
      { title: "published" },
      { title: "unpacked", align: "right" },
      { title: "licence", shrinkTo: 6 },
      { title: "", shrinkTo: 10 },
    ],
    versions.map(({ version, tags, publishedAt, unpackedBytes, license, deprecated, hasInstallScript }) => [
      version,
      tags.join(", "),
      publishedAt === undefined ? "" : formatAgo(publishedAt),
      unpackedBytes === undefined ? "" : formatBytes(unpackedBytes),
      license ?? "",
      [...(hasInstallScript ? ["install script"] : []), ...(deprecated ? [`deprecated: ${deprecated}`] : [])].join(", "),
    ]),
    page,
  );
  const title = `${name} from ${registry}${description ? `: ${description}` : ""}`;
  const more = total > versions.length ? page.style.dim(`${total - versions.length} more: --limit ${total}`) : undefined;
  return [title, "", table, more].filter((line) => line !== undefined).join("\n");
}

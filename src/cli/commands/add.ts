import { LarderError, parseExactVersion, parsePackageName } from "../../contract/index.ts";
import { defineCommand } from "../command.ts";
import { connect } from "../connection.ts";
import { installAndFollow, renderInstall } from "../install-run.ts";
import { plain, wrap } from "../render/text.ts";

type PackageRequest = { name: ReturnType<typeof parsePackageName>; version?: ReturnType<typeof parseExactVersion> };

export const add = defineCommand<[specs: string[]], { install?: boolean }>({
  description:
    "Without a version, the newest that the policy allows is pinned, and it says which and why. All of the packages are added, or none.",
  examples: ["add dayjs", "add zod@3.23.8 @scope/name@1.2.3", "add dayjs --install"],
  args: { package: "NAME or NAME@VERSION, with an optional @scope/" },
  configure: (command) => void command.option("--install", "install at once, and wait for it"),
  async run(context, [specs], options) {
    const packages = parsePackageRequests(specs);
    const { client } = await connect(context);
    const { environment } = context.settings;
    const entries = await client.packages.add({ environment, packages });
    const installed = options.install ? await installAndFollow(context, client) : undefined;
    return {
      json: installed ? { packages: entries, install: installed } : { packages: entries },
      text(page) {
        const { green, dim, yellow } = page.style;
        const lines = entries.map(({ change, name, version, previousVersion, enabled }) => {
          const disabled = enabled ? "" : yellow(" (disabled: larder enable it)");
          if (change === "unchanged") return `${dim("=")} ${name}@${version} ${dim("was pinned already")}${disabled}`;
          if (change === "changed") return `${yellow("~")} ${name}@${version} ${dim(`was ${previousVersion}`)}${disabled}`;
          return `${green("+")} ${name}@${version}${disabled}`;
        });
        const passedOver = entries.flatMap(({ choice }) => (choice && choice.passedOver.length > 0 ? [plain(choice.why)] : []));
        if (passedOver.length > 0) lines.push("", ...passedOver.map((why) => wrap(why, page.columns)));
        if (installed) return [...lines, "", renderInstall(installed, page)].join("\n");
        const due = entries.some((entry) => entry.change !== "unchanged");
        return [...lines, ...(due ? ["", `${yellow("An install is due:")} larder install`] : [])].join("\n");
      },
    };
  },
});

/** Throws `E_NAME`, `E_VERSION`, or `E_INPUT` for a name given twice. */
export function parsePackageRequests(specs: string[]): PackageRequest[] {
  const requests = specs.map(parsePackageRequest);
  const names = requests.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return requests;
  throw new LarderError("E_INPUT", `${twice} is named twice.`, { hint: "An allowlist holds one version of a name." });
}

function parsePackageRequest(spec: string): PackageRequest {
  // The @ of a scope is at 0.
  const at = spec.indexOf("@", 1);
  if (at === -1) return { name: parsePackageName(spec) };
  const name = parsePackageName(spec.slice(0, at));
  const version = spec.slice(at + 1);
  if (/^[a-z][a-z0-9-]*$/i.test(version)) {
    throw new LarderError("E_VERSION", `${JSON.stringify(version)} in ${JSON.stringify(spec)} is a tag, not a version.`, {
      hint: `Leave it out to pin the registry's latest: larder add ${name}`,
    });
  }
  return { name, version: parseExactVersion(version) };
}

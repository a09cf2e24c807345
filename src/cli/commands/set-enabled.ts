import { type PackageEntry, parsePackageName } from "../../contract/index.ts";
import { type CommandSpec, defineCommand } from "../command.ts";
import { connect } from "../connection.ts";

export const enable = setEnabled("enable", true);
export const disable = setEnabled("disable", false);

function setEnabled(name: string, enabled: boolean): CommandSpec {
  return defineCommand<[names: string[]]>({
    examples: [`${name} dayjs`, `${name} dayjs zod --json`],
    args: { name: "names of packages" },
    async run(context, [given]) {
      const names = [...new Set(given.map(parsePackageName))];
      const { client } = await connect(context);
      const { environment } = context.settings;
      const entries: PackageEntry[] = [];
      for (const name of names) entries.push(await client.packages.setEnabled({ environment, name, enabled }));
      const { installDue } = await client.packages.list({ environment });
      return {
        json: { packages: entries, installDue },
        text: ({ style }) =>
          [
            ...entries.map(
              (entry) => `${entry.name}@${entry.version} is ${entry.enabled ? style.green("enabled") : style.yellow("disabled")}`,
            ),
            ...(installDue ? ["", `${style.yellow("An install is due:")} larder install`] : []),
          ].join("\n"),
      };
    },
  });
}

import { type PackageEntry, parsePackageName } from "../../contract/index.ts";
import { defineCommand } from "../command.ts";
import { confirm } from "../confirm.ts";
import { connect } from "../connection.ts";

export const remove = defineCommand<[names: string[]]>({
  description: "Hosts keep serving them until the next install. To leave a package out for a while, disable it.",
  examples: ["remove dayjs", "remove dayjs zod --yes"],
  args: { name: "names of packages" },
  async run(context, [given]) {
    const names = [...new Set(given.map(parsePackageName))];
    const { client } = await connect(context);
    const { environment } = context.settings;
    await confirm(context, `Take ${names.join(", ")} off the allowlist of ${environment}`);
    const removed: PackageEntry[] = [];
    for (const name of names) removed.push(await client.packages.remove({ environment, name }));
    return {
      json: { packages: removed },
      text: ({ style }) =>
        [
          ...removed.map((entry) => `${style.red("-")} ${entry.name}@${entry.version}`),
          "",
          `${style.yellow("An install is due:")} larder install`,
        ].join("\n"),
    };
  },
});

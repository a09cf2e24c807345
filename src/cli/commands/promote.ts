import { type EnvironmentName, environmentNameSchema, LarderError } from "../../contract/index.ts";
import { defineCommand } from "../command.ts";
import { confirm } from "../confirm.ts";
import { connect } from "../connection.ts";
import { environmentName } from "../environment-name.ts";
import { parseCount } from "../option-values.ts";
import { count, shortHash } from "../render/quantity.ts";

export const promote = defineCommand<[generation: number], { from?: EnvironmentName; to: EnvironmentName; note?: string }>({
  description:
    "Makes a new generation of the target with the very manifest that was tried here; nothing is resolved anew. The target's allowlist becomes the generation's packages. Its policy holds.",
  examples: ["promote 12 --from staging --to production", "promote 12 --from staging --to production --yes --json"],
  args: { generation: ["number of the generation", parseCount("GENERATION")] },
  configure: (command) =>
    void command
      .option("--from <environment>", "whose generation it is (default: that of --environment)", environmentName("--from"))
      .requiredOption("--to <environment>", "the environment that is to serve it", environmentName("--to"))
      .option("--note <text>", "why, shown in the list of generations"),
  async run(context, [number], { from = environmentNameSchema.parse(context.settings.environment), to, note }) {
    const { client } = await connect(context);
    const wanted = await client.generations.get({ environment: from, number });
    const target = await client.environments.get({ environment: to });
    if (target.lockfileHash === wanted.lockfileHash) {
      throw new LarderError(
        "E_CONFLICT",
        `Generation ${target.generation} of ${to} serves the very packages of ${from}'s ${number} already.`,
      );
    }
    const { packages } = await client.packages.list({ environment: to });
    const kept = new Set(wanted.packages.map(({ name }) => name));
    const lost = packages.filter(({ name }) => !kept.has(name)).map(({ name }) => name);
    const replaced = `its allowlist becomes the ${count(wanted.packages.length, "package")} of that generation`;
    const without = lost.length === 0 ? "" : `, without ${lost.slice(0, 5).join(", ")}${lost.length > 5 ? " and more" : ""}`;
    await confirm(
      context,
      `Have the ${count(target.hosts, "host")} of ${to} serve generation ${number} of ${from}; ${replaced}${without}`,
    );
    const made = await client.generations.promote({
      environment: from,
      number,
      to,
      ...(note === undefined ? {} : { note }),
    });
    return {
      json: made,
      text: ({ style }) =>
        `${style.bold(`Generation ${made.number} of ${to}`)} (${shortHash(made.lockfileHash)}) is generation ${number} of ${from}. Hosts follow: larder status --environment ${to}`,
    };
  },
});

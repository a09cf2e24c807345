import { LarderError } from "../../contract/index.ts";
import { defineCommand } from "../command.ts";
import { confirm } from "../confirm.ts";
import { connect } from "../connection.ts";
import { parseCount } from "../option-values.ts";
import { summariseChanges } from "../render/changes.ts";
import { shortHash } from "../render/quantity.ts";

export const rollback = defineCommand<[generation: number], { note?: string }>({
  description:
    "Makes a new generation with the older one's packages, in no more time than hosts need: nothing is resolved or fetched from a registry. The allowlist stays as it is: the next install resolves it again.",
  examples: ["rollback 3", 'rollback 3 --note "dayjs 1.12 breaks reports"', "rollback 3 --yes --json"],
  args: { generation: ["number of the generation to go back to", parseCount("GENERATION")] },
  configure: (command) => void command.option("--note <text>", "why, shown in the list of generations"),
  async run(context, [number], { note }) {
    const { client } = await connect(context);
    const { environment } = context.settings;
    const wanted = await client.generations.get({ environment, number });
    const { generation: current } = await client.environments.get({ environment });
    if (wanted.number === current)
      throw new LarderError("E_CONFLICT", `Generation ${number} is what ${environment} serves already.`);
    const changes = await client.generations.diff({ environment, from: current, to: number });
    await confirm(
      context,
      `Have all hosts of ${environment} serve generation ${number} again (${summariseChanges(changes)}); its allowlist stays as it is`,
    );
    const made = await client.generations.rollback({ environment, number, ...(note === undefined ? {} : { note }) });
    return {
      json: made,
      text: ({ style }) =>
        `${style.bold(`Generation ${made.number}`)} (${shortHash(made.lockfileHash)}) holds what generation ${number} held. Hosts follow: larder status`,
    };
  },
});

import { defineCommand } from "../command.ts";
import { confirm } from "../confirm.ts";
import { connect } from "../connection.ts";
import { parseCount } from "../option-values.ts";
import { shortHash } from "../render/quantity.ts";

export const rollback = defineCommand<[generation: number]>({
  name: "rollback",
  summary: "Have hosts serve an older generation again",
  description:
    "Makes a new generation with the older one's packages. The allowlist stays as it is: the next install resolves it again.",
  examples: ["rollback 3", "rollback 3 --yes --json"],
  configure: (command) =>
    void command.argument("<generation>", "number of the generation to go back to", parseCount("GENERATION")),
  async run(context, [number]) {
    const { client } = await connect(context);
    const { environment } = context.settings;
    await confirm(context, `Have all hosts of ${environment} serve generation ${number} again`);
    const made = await client.generations.rollback({ environment, number });
    return {
      json: made,
      text: ({ style }) =>
        `${style.bold(`Generation ${made.number}`)} (${shortHash(made.lockfileHash)}) holds what generation ${number} held. Hosts follow: larder status`,
    };
  },
});

import { defineCommand } from "../command.ts";
import { confirm } from "../confirm.ts";
import { connect } from "../connection.ts";
import { everyPage } from "../every-page.ts";
import { parseCount } from "../option-values.ts";
import { count, shortHash } from "../render/quantity.ts";

export const advance = defineCommand<[], { past?: number }>({
  description:
    "Hosts never go back. When the database was restored from a backup, they may have accepted generations that it does not know, and refuse its own. " +
    "This makes the current generation once more, under a number above all that hosts have reported, so that they follow again. When no host is ahead nothing is done, and --json prints null.",
  examples: ["advance", "advance --past 120 --yes"],
  configure: (command) =>
    void command.option("--past <n>", "a number to go past, instead of what hosts have reported", parseCount("--past")),
  async run(context, _args, { past }) {
    const { client } = await connect(context);
    const { environment } = context.settings;
    const ahead = await everyPage((page) => client.hosts.list({ environment, state: "ahead", ...page }));
    const highest = Math.max(0, ...ahead.map(({ accepted }) => accepted));
    if (past === undefined && ahead.length === 0)
      return { json: null, text: `No host is ahead of ${environment}: nothing is to be done. A number of your own: --past N` };
    const those =
      ahead.length === 0
        ? "though no host has said that it is ahead"
        : `for ${count(ahead.length, "host that is", "hosts that are")} ahead`;
    await confirm(context, `Go past generation ${past ?? highest} in ${environment}, ${those}`);
    const made = await client.generations.advance({ environment, ...(past === undefined ? {} : { past }) });
    return {
      json: made,
      text: ({ style }) =>
        `${style.bold(`Generation ${made.number}`)} (${shortHash(made.lockfileHash)}) holds what generation ${made.rollbackOf} holds. Hosts follow: larder status`,
    };
  },
});

import { parsePackageName } from "../../contract/index.ts";
import { defineCommand } from "../command.ts";
import { connect } from "../connection.ts";
import { renderPlan } from "../render/plan.ts";
import { parsePackageRequests } from "./add.ts";

interface Options {
  add?: string[];
  remove?: string[];
  enable?: string[];
  disable?: string[];
}

export const plan = defineCommand<[], Options>({
  description:
    "Resolves the allowlist under the policy in force, as an install would: what would be added, removed and changed, which packages would come along for the first " +
    "time, what would be fetched, and what would be refused, by which rule, with the way out. Ends with 3 when an install would be refused.",
  examples: ["plan", "plan --add lodash zod@4.1.12", "plan --remove moment --json | jq .changes"],
  configure: (command) =>
    void command
      .option("--add <packages...>", "as if these were added: NAME or NAME@VERSION")
      .option("--remove <names...>", "as if these were removed")
      .option("--enable <names...>", "as if these were enabled")
      .option("--disable <names...>", "as if these were disabled"),
  async run(context, _args, { add, remove, enable, disable }) {
    const { client } = await connect(context);
    const names = (list: string[] | undefined) => list?.map(parsePackageName);
    const changes = {
      ...(add && { add: parsePackageRequests(add) }),
      ...(remove && { remove: names(remove) ?? [] }),
      ...(enable && { enable: names(enable) ?? [] }),
      ...(disable && { disable: names(disable) ?? [] }),
    };
    const made = await client.plans.create({ environment: context.settings.environment, changes });
    return { json: made, text: (page) => renderPlan(made, page), ...(made.ok ? {} : { exitCode: 3 }) };
  },
});

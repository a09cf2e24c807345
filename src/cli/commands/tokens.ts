import { Option } from "commander";
import { type Role, roles } from "../../contract/index.ts";
import { defineCommand } from "../command.ts";
import { confirm } from "../confirm.ts";
import { connect } from "../connection.ts";
import { formatAgo } from "../render/quantity.ts";
import { renderTable } from "../render/table.ts";
import { completeId, shortId } from "../short-id.ts";

export const tokensList = defineCommand({
  examples: ["tokens list"],
  async run(context) {
    const { client } = await connect(context);
    const tokens = await client.tokens.list();
    return {
      json: tokens,
      text: (page) =>
        tokens.length === 0
          ? "There are no tokens. Make one: larder tokens create SUBJECT --role author"
          : renderTable(
              [{ title: "id" }, { title: "role" }, { title: "for", shrinkTo: 8 }, { title: "made" }, { title: "used" }],
              tokens.map((token) => [
                shortId(token.id),
                token.role,
                token.subject,
                formatAgo(token.createdAt),
                formatAgo(token.lastUsedAt),
              ]),
              page,
            ),
    };
  },
});

export const tokensCreate = defineCommand<[subject: string], { role: Exclude<Role, "host"> }>({
  description:
    "admin: everything. operator: packages, installs, generations, operations. viewer: reads everything, the audit log included. author: reads packages, and runs scripts. metrics: what scrapes /metrics. Hosts join with those of `larder hosts enrol`.",
  examples: [
    "tokens create alice --role author",
    "tokens create dashboard --role viewer",
    "tokens create ci --role admin --json | jq -r .text",
  ],
  args: { subject: "who or what it is for, as histories will show it" },
  configure: (command) =>
    void command.addOption(
      new Option("--role <role>", "what it may do").choices(roles.filter((role) => role !== "host")).makeOptionMandatory(),
    ),
  async run(context, [subject], { role }) {
    const { client } = await connect(context);
    const made = await client.tokens.create({ subject, role });
    if (!context.settings.json)
      context.terminal.err(`Token ${shortId(made.token.id)} (${role}) for ${subject}. It is shown this once:\n`);
    return { json: made, text: made.text };
  },
});

export const tokensRevoke = defineCommand<[id: string]>({
  examples: ["tokens revoke tok-1f2e3d4c"],
  args: { id: "id of the token or its beginning, see `larder tokens list`" },
  async run(context, [given]) {
    const { client } = await connect(context);
    const id = completeId(
      given,
      (await client.tokens.list()).map((token) => token.id),
    );
    await confirm(context, `Revoke token ${shortId(id)}`);
    const revoked = await client.tokens.revoke({ id });
    return { json: revoked, text: `Revoked ${shortId(revoked.id)} (${revoked.role}, ${revoked.subject}).` };
  },
});

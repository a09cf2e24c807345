import { defineCommand } from "../command.ts";
import { confirm } from "../confirm.ts";
import { connect } from "../connection.ts";
import { parseHostId } from "../option-values.ts";
import { renderHosts } from "../render/hosts.ts";

export const hostsList = defineCommand({
  name: "hosts list",
  summary: "List hosts, and how far they are",
  examples: ["hosts list", `hosts list --json | jq -r '.[] | select(.phase == "error").id'`],
  async run(context) {
    const { client } = await connect(context);
    const [hosts, environments] = await Promise.all([client.hosts.list(), client.environments.list()]);
    const desired = new Map<string, number>(environments.map(({ name, generation }) => [name, generation]));
    return {
      json: hosts,
      text: (page) =>
        hosts.length === 0
          ? "There are no hosts. Enrol one: larder hosts enrol ID"
          : renderHosts(hosts, (host) => desired.get(host.environment) ?? 0, page),
    };
  },
});

export const hostsEnrol = defineCommand<[id: string]>({
  name: "hosts enrol",
  summary: "Enrol a host; its token is shown this once",
  examples: ["hosts enrol worker-1", "hosts enrol worker-2 --environment staging --json | jq -r .token"],
  configure: (command) =>
    void command.argument("<id>", "the host's name: lower-case letters, digits, '-' and '_'", parseHostId("ID")),
  async run(context, [id]) {
    const { client, url } = await connect(context);
    const enrolled = await client.hosts.enrol({ id, environment: context.settings.environment });
    if (!context.settings.json) {
      context.terminal.err(
        `Enrolled ${enrolled.host.id} in ${enrolled.host.environment}. On that machine:\n` +
          `  LARDER_TOKEN=… larder agent --server ${url.origin} --data-dir DIR\n` +
          "with this token, which is shown this once:\n",
      );
    }
    return { json: enrolled, text: enrolled.token };
  },
});

export const hostsRevoke = defineCommand<[id: string]>({
  name: "hosts revoke",
  summary: "Shut a host out",
  description: "Its token is worth nothing from then on. It keeps serving the tree that it has.",
  examples: ["hosts revoke worker-1", "hosts revoke worker-1 --yes"],
  configure: (command) => void command.argument("<id>", "the host's id, see `larder hosts list`"),
  async run(context, [id]) {
    const { client } = await connect(context);
    await confirm(context, `Revoke host ${id}, whose token is worth nothing then`);
    const revoked = await client.hosts.revoke({ id });
    return { json: revoked, text: `Revoked ${revoked.id}.` };
  },
});

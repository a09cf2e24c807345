import { defaultEnvironment, type EnvironmentName, LarderError } from "../../contract/index.ts";
import { defineCommand } from "../command.ts";
import { confirmByName } from "../confirm.ts";
import { connect } from "../connection.ts";
import { environmentName } from "../environment-name.ts";
import { renderFacts } from "../render/facts.ts";
import { count, formatAgo, shortHash } from "../render/quantity.ts";
import { renderTable } from "../render/table.ts";

export const environmentsList = defineCommand({
  examples: ["environments list"],
  async run(context) {
    const { client } = await connect(context);
    const environments = await client.environments.list();
    return {
      json: environments,
      text: (page) =>
        renderTable(
          [{ title: "name", shrinkTo: 16 }, { title: "generation", align: "right" }, { title: "created" }],
          environments.map(({ name, generation, createdAt }) => [
            name,
            generation === 0 ? "none" : generation,
            formatAgo(createdAt),
          ]),
          page,
        ),
    };
  },
});

export const environmentsShow = defineCommand<[name: EnvironmentName]>({
  examples: ["environments show staging"],
  args: { name: ["name of the environment", environmentName("NAME")] },
  async run(context, [environment]) {
    const { client } = await connect(context);
    const found = await client.environments.get({ environment });
    const { generation, lockfileHash, changedAt, packages, enabled, hosts, installDue, createdAt } = found;
    return {
      json: found,
      text: (page) =>
        renderFacts(
          [
            ["Environment", found.name],
            ["Created", formatAgo(createdAt)],
            ["Generation", lockfileHash ? `${generation} · ${shortHash(lockfileHash)} · ${formatAgo(changedAt)}` : "none"],
            ["Allowlist", `${count(packages, "package")}, ${enabled} enabled${installDue ? " · install due" : ""}`],
            ["Hosts", String(hosts)],
          ],
          page,
        ),
    };
  },
});

export const environmentsCreate = defineCommand<[name: EnvironmentName]>({
  examples: ["environments create staging"],
  args: { name: ["lower-case letters, digits and '-'", environmentName("NAME")] },
  async run(context, [name]) {
    const { client } = await connect(context);
    const made = await client.environments.create({ name });
    return { json: made, text: `Created ${made.name}. Fill it: larder add NAME --environment ${made.name}` };
  },
});

export const environmentsRemove = defineCommand<[name: EnvironmentName], { force?: boolean }>({
  description:
    "Refused while hosts are enrolled in it: a host belongs to one environment for life. With --force they are revoked; each keeps the tree that it has until somebody enrols it anew. What only this environment needed is deleted by later collections.",
  examples: ["environments remove staging", "environments remove staging --force --yes"],
  args: { name: ["name of the environment", environmentName("NAME")] },
  configure: (command) => void command.option("--force", "revoke the hosts that are enrolled in it"),
  async run(context, [environment], { force = false }) {
    if (environment === defaultEnvironment) throw new LarderError("E_INPUT", `Environment ${environment} cannot be removed.`);
    const { client } = await connect(context);
    const { generation, packages, hosts } = await client.environments.get({ environment });
    const what = `${count(packages, "package")}, ${count(generation, "generation")}`;
    const revoked = force && hosts > 0 ? ` and revoke its ${count(hosts, "host")}` : "";
    await confirmByName(context, { question: `Remove ${environment} (${what})${revoked}`, name: environment });
    const removed = await client.environments.remove({ environment, revokeHosts: force });
    const also = removed.revokedHosts.length === 0 ? "" : ` Revoked: ${removed.revokedHosts.join(", ")}.`;
    return { json: removed, text: `Removed ${environment}.${also}` };
  },
});

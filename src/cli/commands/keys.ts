import { defineCommand } from "../command.ts";
import { confirm } from "../confirm.ts";
import { connect } from "../connection.ts";
import { count, formatAgo } from "../render/quantity.ts";
import { type Cell, renderTable } from "../render/table.ts";

const paints = { active: "green", announced: "yellow", retired: "dim" } as const;

export const keysList = defineCommand({
  examples: ["keys list", `keys list --json | jq -r '.[] | select(.state == "active").keyId'`],
  async run(context) {
    const { client } = await connect(context);
    const keys = await client.signingKeys.list();
    return {
      json: keys,
      text: (page) =>
        renderTable(
          [{ title: "key" }, { title: "state" }, { title: "made" }, { title: "hosts", align: "right" }],
          keys.map(({ keyId, state, createdAt, hosts }): Cell[] => [
            keyId,
            { text: state, paint: paints[state] },
            formatAgo(createdAt),
            hosts,
          ]),
          page,
        ),
    };
  },
});

export const keysAnnounce = defineCommand({
  examples: ["keys announce"],
  async run(context) {
    const { client } = await connect(context);
    const key = await client.signingKeys.announce();
    return { json: key, text: `Key ${key.keyId} is next. Make it the one that signs: larder keys rotate` };
  },
});

export const keysRotate = defineCommand<[], { now?: boolean }>({
  description:
    "The key that signs until then signs the handover, and its private half is removed. Hosts follow by themselves, also those that are offline now.",
  examples: ["keys rotate", "keys rotate --now --yes"],
  configure: (command) => void command.option("--now", "also when none was announced: make one, and rotate to it"),
  async run(context, _args, { now = false }) {
    const { client } = await connect(context);
    const keys = await client.signingKeys.list();
    const [next, active] = ["announced", "active"].map((state) => keys.find((each) => each.state === state));
    const heard = next && active ? `, when ${next.hosts} of ${count(active.hosts, "host")} have heard of the next one` : "";
    await confirm(context, `Retire the signing key${heard}; backups made before will not be followed by hosts`);
    const key = await client.signingKeys.rotate({ now });
    return { json: key, text: `Key ${key.keyId} signs from now on.` };
  },
});

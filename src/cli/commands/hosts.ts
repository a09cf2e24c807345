import { Option } from "commander";
import { type Enrolment, type HostPhase, type HostState, hostPhases, hostStates, LarderError } from "../../contract/index.ts";
import { defineCommand, type Page } from "../command.ts";
import { confirm } from "../confirm.ts";
import { connect } from "../connection.ts";
import { everyPage } from "../every-page.ts";
import { parseHostId, parseLabel } from "../host-options.ts";
import { parseAge, parseCount } from "../option-values.ts";
import { renderHost } from "../render/host.ts";
import { renderHosts } from "../render/hosts.ts";
import { formatAgo } from "../render/quantity.ts";
import { type Cell, renderTable } from "../render/table.ts";
import { completeId, shortId } from "../short-id.ts";

interface ListOptions {
  state?: HostState;
  phase?: HostPhase;
  behind?: true;
  silent?: true;
  label?: Record<string, string>;
  search?: string;
  limit?: number;
}

export const hostsList = defineCommand<[], ListOptions>({
  description: "By id, all of them without --limit. Of several filters all must hold.",
  examples: [
    "hosts list",
    "hosts list --state failing",
    "hosts list --behind --label zone=eu-1 --limit 20",
    "hosts list --search worker --json | jq -r '.[].id'",
  ],
  configure: (command) =>
    void command
      .addOption(new Option("--state <state>", "only those in this state").choices([...hostStates]))
      .addOption(new Option("--phase <phase>", "only those that say so of themselves").choices([...hostPhases]))
      .option("--behind", "only those that serve an older generation than they should, whatever their state")
      .option("--silent", "only those that were not heard of for 150 s, whatever their state")
      .option("--label <name=value>", "only those with this label; may be repeated", parseLabel("--label"))
      .option("--search <text>", "only those with this in their id or their machine's name")
      .option("--limit <n>", "how many at most", parseCount("--limit", 1_000_000)),
  async run(context, _args, { limit, label, ...chosen }) {
    const { client } = await connect(context);
    const filter = { ...chosen, ...(label ? { label: Object.entries(label).map(([name, value]) => `${name}=${value}`) } : {}) };
    const hosts = await everyPage((page) => client.hosts.list({ ...filter, ...page }), { most: limit });
    const none =
      Object.keys(filter).length === 0 ? "There are no hosts. Make a token for one: larder hosts enrol ID" : "No host matches.";
    return { json: hosts, text: (page) => (hosts.length === 0 ? none : renderHosts(hosts, page)) };
  },
});

export const hostsShow = defineCommand<[id: string]>({
  examples: ["hosts show worker-1", "hosts show worker-1 --json | jq .error"],
  args: { id: "the host's id, see `larder hosts list`" },
  async run(context, [id]) {
    const { client } = await connect(context);
    const host = await client.hosts.get({ id });
    return { json: host, text: (page) => renderHost(host, page) };
  },
});

interface EnrolOptions {
  uses?: number;
  expires: number;
  label?: Record<string, string>;
}

const day = 86_400_000;

export const hostsEnrol = defineCommand<[id: string | undefined], EnrolOptions>({
  description:
    "With an ID, one host can join, and is called so. Without one, hosts go by their machines' names. A host exchanges the token for an identity with a key that it makes itself; the token is not needed any more then.",
  examples: [
    "hosts enrol worker-1",
    "hosts enrol --uses 50 --expires 2h --label zone=eu-1",
    "hosts enrol worker-2 --environment staging --json | jq -r .token",
  ],
  args: { id: ["the host's name: lower-case letters, digits, '-' and '_'", parseHostId("ID")] },
  configure: (command) =>
    void command
      .option("--uses <n>", "how many hosts may join with it (default: 1)", parseCount("--uses", 100_000))
      .addOption(
        new Option("--expires <time>", "how long it is good, up to 366d").argParser(parseAge("--expires")).default(day, "1d"),
      )
      .option("--label <name=value>", "label of the hosts that join; may be repeated", parseLabel("--label")),
  async run(context, [id], { uses, expires, label }) {
    if (id !== undefined && (uses ?? 1) > 1) {
      throw new LarderError("E_INPUT", "An ID is for one host.", { hint: "Leave out the ID, or --uses." });
    }
    const { client, url } = await connect(context);
    const { environment } = context.settings;
    const enrolled = await client.hosts.enrol({
      environment,
      expiresInMs: expires,
      ...(id === undefined ? {} : { id }),
      ...(uses === undefined ? {} : { uses }),
      ...(label === undefined ? {} : { labels: label }),
    });
    if (!context.settings.json) {
      const who = id ?? (uses === undefined || uses === 1 ? "one host" : `${uses} hosts`);
      context.terminal.err(
        `For ${who} to join ${environment} until ${enrolled.enrolment.expiresAt}. On that machine:\n` +
          `  LARDER_TOKEN=… larder agent --server ${url.origin} --data-dir DIR\n` +
          "with this token, which is shown this once:\n",
      );
    }
    return { json: enrolled, text: enrolled.token };
  },
});

export const hostsEnrolments = defineCommand({
  examples: ["hosts enrolments"],
  async run(context) {
    const { client } = await connect(context);
    const enrolments = await client.hosts.enrolments();
    return {
      json: enrolments,
      text: (page) =>
        enrolments.length === 0 ? "There are none. Make one: larder hosts enrol" : renderEnrolments(enrolments, page),
    };
  },
});

export const hostsClose = defineCommand<[id: string]>({
  examples: ["hosts close enr-1f2e3d4c"],
  args: { id: "its id or the beginning of it, see `larder hosts enrolments`" },
  async run(context, [given]) {
    const { client } = await connect(context);
    const id = completeId(
      given,
      (await client.hosts.enrolments()).map((enrolment) => enrolment.id),
    );
    const revoked = await client.hosts.revokeEnrolment({ id });
    return { json: revoked, text: `Nobody joins with ${shortId(revoked.id)} any more.` };
  },
});

export const hostsRevoke = defineCommand<[id: string]>({
  description:
    "Its key is worth nothing from then on. It keeps serving the tree that it has. To let it in again, give it a new token.",
  examples: ["hosts revoke worker-1", "hosts revoke worker-1 --yes"],
  args: { id: "the host's id, see `larder hosts list`" },
  async run(context, [id]) {
    const { client } = await connect(context);
    await client.hosts.get({ id });
    await confirm(context, `Revoke host ${id}, whose key is worth nothing then`);
    const revoked = await client.hosts.revoke({ id });
    return { json: revoked, text: `Revoked ${revoked.id}.` };
  },
});

function renderEnrolments(enrolments: Enrolment[], page: Page): string {
  return renderTable(
    [
      { title: "enrolment" },
      { title: "environment", shrinkTo: 8 },
      { title: "for", shrinkTo: 10 },
      { title: "used", align: "right" },
      { title: "state" },
      { title: "expires" },
      { title: "made" },
      { title: "by", shrinkTo: 8 },
    ],
    enrolments.map((each): Cell[] => [
      shortId(each.id),
      each.environment,
      each.hostId ?? "any host",
      `${each.used}/${each.uses}`,
      { text: each.state, paint: each.state === "open" ? "green" : "dim" },
      each.expiresAt.slice(0, 16).replace("T", " "),
      formatAgo(each.createdAt),
      each.createdBy,
    ]),
    page,
  );
}

import { type Host, type HostCounts, type HostState, hostStates, type Status } from "../../contract/index.ts";
import { defineCommand, type Page } from "../command.ts";
import { connect } from "../connection.ts";
import { everyPage } from "../every-page.ts";
import { renderFacts } from "../render/facts.ts";
import { renderHosts } from "../render/hosts.ts";
import { describeProgress } from "../render/progress.ts";
import { count, formatAgo, formatBytes, shortHash } from "../render/quantity.ts";
import { plain } from "../render/text.ts";
import { shortId } from "../short-id.ts";
import { describeMigration } from "./storage.ts";

export const status = defineCommand({
  examples: ["status", "status --environment staging", "status --json | jq '.hosts[] | {id, generation, phase}'"],
  async run(context) {
    const { client, url } = await connect(context);
    const { environment, json } = context.settings;
    const { fleet, ...found } = await client.status.get({ environment });
    const few = fleet.total <= listed;
    const shown = json || few ? { environment } : { environment, state: troubles };
    const hosts = await everyPage((page) => client.hosts.list({ ...shown, ...page }), json ? {} : { most: listed });
    return { json: { ...found, hosts }, text: (page) => renderStatus({ ...found, fleet, hosts }, url, page) };
  },
});

/** Nobody reads more: of a larger fleet those that are not as they should be are shown. */
const listed = 50;
const troubles = hostStates.filter((state) => state !== "current");

type Found = Status & { hosts: Host[] };

function renderStatus(found: Found, url: URL, page: Page): string {
  const { fleet, hosts, storage } = found;
  const parts = [
    renderFacts(
      [
        ["Environment", found.environment],
        ["Generation", describeGeneration(found)],
        ["Allowlist", describeAllowlist(found)],
        ["Operation", describeOperation(found)],
        ["Storage", `${storage.active} · ${count(storage.blobs, "blob")} · ${formatBytes(storage.bytes)}`],
        ["Migration", storage.migration.state === "idle" ? undefined : describeMigration(storage.migration)],
        ["Server", `${url.origin} · Larder ${found.version}`],
        ["Hosts", describeHosts(found)],
      ],
      page,
    ),
  ];
  if (hosts.length > 0) parts.push(renderHosts(hosts, page));
  if (fleet.total > listed) {
    const more = fleet.total - countOf(fleet, "current") - hosts.length;
    parts.push(page.style.dim(`${more > 0 ? `${more} more are not up to date. ` : ""}All hosts: larder hosts list`));
  }
  const next = nextStep(found);
  if (next) parts.push(page.style.yellow(next));
  return parts.join("\n\n");
}

const describeGeneration = ({ generation, lockfileHash }: Status): string =>
  generation === 0 ? "none yet" : `${generation}${lockfileHash ? ` · ${shortHash(lockfileHash)}` : ""}`;

const describeAllowlist = ({ packages, installDue }: Status): string => {
  const size = packages === 0 ? "empty" : count(packages, "package");
  return installDue ? `${size} · install due` : size;
};

/** Those up to date, then each trouble with how many have it. */
function describeHosts({ fleet }: Status): string {
  if (fleet.total === 0) return "none";
  const counted = troubles.map((state) => [state, countOf(fleet, state)] as const).filter(([, n]) => n > 0);
  return [`${countOf(fleet, "current")} of ${fleet.total} up to date`, ...counted.map(([state, n]) => `${n} ${state}`)].join(
    " · ",
  );
}

const countOf = ({ groups }: HostCounts, state: HostState): number =>
  groups.reduce((sum, group) => sum + (group.state === state ? group.hosts : 0), 0);

const isUnderWay = ({ operation }: Status): boolean => operation?.state === "queued" || operation?.state === "running";

function describeOperation(found: Status): string {
  if (!found.operation) return "none yet";
  const { kind, id, state, attempt, progress, requestedBy, startedAt, createdAt, endedAt, error } = found.operation;
  if (!isUnderWay(found))
    return plain(`last ${kind} ${state} ${formatAgo(endedAt ?? createdAt)}${error ? ` · ${error.code}: ${error.message}` : ""}`);
  const since = formatAgo(startedAt ?? createdAt);
  const tries = attempt > 1 ? ` · attempt ${attempt}` : "";
  const doing = state === "running" && progress ? ` · ${describeProgress(progress)}` : "";
  return plain(`${kind} ${shortId(id)} ${state}, by ${requestedBy} ${since}${tries}${doing}`);
}

function nextStep(found: Status): string | undefined {
  const { generation, packages, installDue, fleet } = found;
  if (isUnderWay(found)) return undefined;
  if (packages === 0 && generation === 0) return "Nothing is on the allowlist. Start with: larder add NAME[@VERSION]";
  if (installDue) return "The allowlist has changed since the last install. Publish it with: larder install";
  const ahead = countOf(fleet, "ahead");
  if (ahead > 0)
    return `${count(ahead, "host has", "hosts have")} accepted generations that this control plane does not know. Go past them with: larder advance`;
  if (fleet.total === 0) return "There are no hosts. Enrol one with: larder hosts enrol ID";
  return undefined;
}

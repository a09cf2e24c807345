import { type HostState, hostStates, type Status } from "../../contract/index.ts";
import { defineCommand, type Page } from "../command.ts";
import { connect } from "../connection.ts";
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
    const found = await client.status.get({ environment: context.settings.environment });
    return { json: found, text: (page) => renderStatus(found, url, page) };
  },
});

export function renderStatus(found: Status, url: URL, page: Page): string {
  const { hosts, storage } = found;
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
function describeHosts({ hosts }: Status): string {
  if (hosts.length === 0) return "none";
  const of = (state: HostState) => hosts.filter((host) => host.state === state).length;
  const troubles = hostStates.filter((state) => state !== "current" && of(state) > 0).map((state) => `${of(state)} ${state}`);
  return [`${of("current")} of ${hosts.length} up to date`, ...troubles].join(" · ");
}

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
  const { generation, packages, installDue, hosts } = found;
  if (isUnderWay(found)) return undefined;
  if (packages === 0 && generation === 0) return "Nothing is on the allowlist. Start with: larder add NAME[@VERSION]";
  if (installDue) return "The allowlist has changed since the last install. Publish it with: larder install";
  const ahead = hosts.filter(({ state }) => state === "ahead").length;
  if (ahead > 0)
    return `${count(ahead, "host has", "hosts have")} accepted generations that this control plane does not know. Go past them with: larder advance`;
  if (hosts.length === 0) return "There are no hosts. Enrol one with: larder hosts enrol ID";
  return undefined;
}
